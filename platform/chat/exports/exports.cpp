#include "platform/chat/exports/exports.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/exports/exports.sql.h"
#include "platform/chat/users/users.h"

namespace chat::exports {
namespace {

constexpr int kPageItems = 200;

/// Of a row that names a message, too: its id as the API shows it.
std::string about_message(const storage::Row& row) {
  const auto item = json::Document::parse(row.text(1));
  json::Writer out;
  out.object().field("message_id", MessageId{row.uuid(2)}.wire());
  for (const auto& [name, value] : item.root().members()) out.key(name).raw(value.raw());
  out.end();
  return out.take();
}

Page read_profile(storage::Transaction& tx, UserId user, const std::string&) {
  auto rows = tx.find(sql::find_user_id, tx.app(), user);
  if (!rows) return {};
  return {{users::user_json(users::get_user(tx, std::string((*rows)[0].text(0))), true)}, std::nullopt};
}

std::string line(const std::string& kind, const std::string& item) {
  json::Writer out;
  out.object().field("kind", kind).key("data").raw(item).end();
  return out.take();
}

UserId user_of(const std::string& input) {
  const auto document = json::Document::parse(input);
  json::Fields fields(document.root());
  fields.text("user_id");
  const auto user = UserId::parse(fields.text("user"));
  fields.finish();
  if (!user) throw Error(Code::internal, "The task names no user.");
  return *user;
}

/// What stands between two slices: the section's number and where in it.
struct Place {
  std::size_t section = 0;
  std::string after;

  static Place parse(const std::string& state) {
    if (state.empty()) return {};
    const auto colon = state.find(':');
    return {std::stoul(state.substr(0, colon)), state.substr(colon + 1)};
  }
  [[nodiscard]] std::string text() const { return std::to_string(section) + ":" + after; }
};

}  // namespace

Section section(std::string kind, const storage::Statement& statement) {
  return {std::move(kind), [&statement](storage::Transaction& tx, UserId user, const std::string& after) {
            Page page;
            auto rows = tx.query(statement, tx.app(), user, after, kPageItems);
            for (auto row : rows) page.items.push_back(row.size() > 2 ? about_message(row) : std::string(row.text(1)));
            if (rows.size() == kPageItems) page.next = rows[kPageItems - 1].text(0);
            return page;
          }};
}

std::vector<Section> own_sections() {
  return {{"user", read_profile}, section("block", sql::export_blocks), section("mute", sql::export_mutes),
          section("reaction", sql::export_reactions), section("bookmark", sql::export_bookmarks), section("thread", sql::export_threads),
          section("scheduled_message", sql::export_scheduled), section("pending_message", sql::export_pending),
          section("poll_vote", sql::export_poll_votes), section("poll_suggestion", sql::export_poll_suggestions), section("draft", sql::export_drafts),
          section("device", sql::export_devices), section("push_preference", sql::export_push_preferences), section("ban", sql::export_bans),
          section("invite", sql::export_invites), section("moderation_flag", sql::export_moderation_flags),
          section("moderation_strike", sql::export_moderation_strikes), section("moderation_standing", sql::export_moderation_standings),
          section("moderation_appeal", sql::export_moderation_appeals), section("moderation_notice", sql::export_moderation_notices)};
}

tasks::Work work(std::vector<Section> sections) {
  return [sections = std::move(sections)](storage::Transaction& tx, const tasks::Slice& slice) {
    const auto user = user_of(slice.input);
    Place place = Place::parse(slice.state);
    const auto& current = sections.at(place.section);
    const auto page = current.read(tx, user, place.after);
    tasks::Step step;
    for (const auto& item : page.items) step.lines.push_back(line(current.kind, item));
    step.items = static_cast<std::int64_t>(page.items.size());
    place = page.next ? Place{place.section, *page.next} : Place{place.section + 1, ""};
    step.finished = place.section == sections.size();
    step.state = place.text();
    return step;
  };
}

tasks::Task start_export(storage::Transaction& tx, const std::string& user_id, Timestamp now) {
  auto rows = tx.find(sql::find_exported, tx.app(), user_id);
  if (!rows) throw not_found("user");
  json::Writer input;
  input.object().field("user_id", user_id).field("user", UserId{(*rows)[0].uuid(0)}.wire()).end();
  tx.after_commit([] { metrics::counter("chat_user_exports_begun_total", "Exports of users that were asked for.").add(); });
  return tasks::start_task(tx, std::string(kExportUser), input.take(), "", now);
}

}  // namespace chat::exports
