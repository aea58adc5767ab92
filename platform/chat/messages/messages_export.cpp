#include "platform/chat/messages/messages_export.h"

#include "platform/base/json.h"
#include "platform/chat/messages/messages_export.sql.h"

namespace chat::messages {
namespace {

constexpr int kSlice = 1'000;
constexpr int kChannels = 50;                  // empty ones passed over in one slice

/// Where the walk is: a channel, and its messages up to here.
struct Place {
  std::optional<Uuid> channel;
  Uuid after;

  static Place parse(const std::string& text) {
    if (text.empty()) return {};
    const auto slash = text.find('/');
    return {Uuid::parse(text.substr(0, slash)), *Uuid::parse(text.substr(slash + 1))};
  }
  [[nodiscard]] std::string text() const { return channel->text() + "/" + after.text(); }
};

std::string message_of(const storage::Row& row, const std::string& cid) {
  json::Writer out;
  out.object().field("id", MessageId{row.uuid(0)}.wire()).field("cid", cid).field("type", row.text(1)).field("text", row.text(2));
  for (auto [column, name] : {std::pair{3, "attachments"}, {4, "mentions"}, {5, "custom"}, {10, "poll"}, {11, "edits"}})
    if (!row.is_null(column)) out.key(name).raw(row.text(column));
  if (auto parent = row.optional_uuid(6)) out.field("parent_id", MessageId{*parent}.wire());
  out.key("created_at").time(row.time(7)).optional_time("updated_at", row.optional_time(8)).optional_time("deleted_at", row.optional_time(9)).end();
  return out.take();
}

exports::Page read(storage::Transaction& tx, UserId user, const std::string& after) {
  exports::Page page;
  Place place = Place::parse(after);
  for (int passed = 0; passed < kChannels && page.items.empty(); ++passed) {
    auto end = place.channel ? tx.find(sql::slice_end, tx.app(), *place.channel, place.after, kSlice) : std::nullopt;
    if (!end) {
      auto channel = tx.find(sql::next_channel, tx.app(), place.channel);
      if (!channel) return page;
      place = {(*channel)[0].uuid(0), Uuid{}};
      continue;
    }
    const auto cid = std::string(tx.query(sql::get_cid, tx.app(), *place.channel)[0].text(0));
    const auto last = (*end)[0].uuid(0);
    auto rows = tx.query(sql::written_by, tx.app(), *place.channel, place.after, last, user);
    for (auto row : rows) page.items.push_back(message_of(row, cid));
    place.after = last;
  }
  page.next = place.text();
  return page;
}

}  // namespace

exports::Section export_section() { return {"message", read}; }

}  // namespace chat::messages
