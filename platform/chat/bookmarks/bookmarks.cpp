#include "platform/chat/bookmarks/bookmarks.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/bookmarks/bookmarks.sql.h"
#include "platform/chat/bookmarks/bookmarks_events.h"
#include "platform/chat/users/users.h"

namespace chat::bookmarks {
namespace {

using channels::Opened;

constexpr int kMaxDue = 500;                   // one round of the job

Bookmark read_row(const storage::Row& row) {
  return {std::string(row.text(0)), ChannelId{row.uuid(1)}, MessageId{row.uuid(2)}, row.optional_text(3), row.optional_time(4),
          row.optional_time(5),     row.time(6),            row.time(7)};
}

std::optional<Bookmark> find_bookmark(storage::Transaction& tx, UserId user, ChannelId channel, MessageId id) {
  auto rows = tx.find(sql::find_bookmark, tx.app(), user, channel, id);
  return rows ? std::optional<Bookmark>(read_row((*rows)[0])) : std::nullopt;
}

void tell_own(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, std::string_view type, const Bookmark& bookmark,
              const messages::Message* message, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::user;
  event.user_id = user_id;
  event.created_at = now;
  json::Writer data;
  data.object().key("bookmark").raw(bookmark_json(bookmark, message)).end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
}

/// One reminder, in a transaction of its application. False: another node told it, or it was changed meanwhile.
bool tell_due(storage::Transaction& tx, bus::Bus& bus, UserId user, ChannelId channel, MessageId id, Timestamp now) {
  auto rows = tx.find(sql::mark_reminded, tx.app(), user, channel, id, now);
  if (!rows) return false;
  const std::string user_id((*rows)[0].text(0));
  const auto bookmark = find_bookmark(tx, user, channel, id);
  if (bookmark) tell_own(tx, bus, user_id, kReminderDue, *bookmark, nullptr, now);
  return true;
}

}  // namespace

std::string bookmark_json(const Bookmark& bookmark, const messages::Message* message) {
  json::Writer out;
  out.object().field("cid", bookmark.cid).field("message_id", bookmark.message.wire());
  if (message) out.key("message").raw(messages::message_json(*message));
  out.optional_field("note", bookmark.note).optional_time("remind_at", bookmark.remind_at)
      .optional_time("reminded_at", bookmark.reminded_at).key("created_at").time(bookmark.created_at)
      .key("updated_at").time(bookmark.updated_at).end();
  return out.take();
}

Saved save_bookmark(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id,
                    const std::optional<std::string>& note, const std::optional<Timestamp>& remind_at, Timestamp now) {
  if (messages::get_message(tx, opened.channel, id).deleted_at) throw not_found("message");
  const auto& user = *opened.acting_id;
  tx.query(sql::lock_owner, tx.app(), user);
  const auto before = find_bookmark(tx, user, opened.channel.id, id);
  if (before && before->note == note && before->remind_at == remind_at) return {false, *before};
  if (!before && tx.query(sql::count_bookmarks, tx.app(), user)[0].integer(0) >= kMaxBookmarks)
    throw Error(Code::limit_reached, "A user may have 1,000 bookmarks; delete one first.");
  tx.run(sql::save_bookmark, tx.app(), user, opened.channel.id, id, note, remind_at, now);
  Saved saved{!before, *find_bookmark(tx, user, opened.channel.id, id)};
  tell_own(tx, bus, opened.acting_user, kBookmarkUpdated, saved.bookmark, nullptr, now);
  return saved;
}

void delete_bookmark(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId id, Timestamp now) {
  const auto bookmark = find_bookmark(tx, *opened.acting_id, opened.channel.id, id);
  if (!bookmark || tx.run(sql::delete_bookmark, tx.app(), *opened.acting_id, opened.channel.id, id) == 0) throw not_found("bookmark");
  tell_own(tx, bus, opened.acting_user, kBookmarkDeleted, *bookmark, nullptr, now);
}

storage::Page<Listed> list_bookmarks(storage::Transaction& tx, const std::string& user_id, int limit,
                                     const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto found = users::find_users(tx, {user_id});
  if (found.empty()) throw not_found("user");
  const std::string scope = tx.app().text() + "|bookmarks|" + user_id;
  std::optional<std::string> after_time, after_id;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_time = position.at(0);
    after_id = position.at(1);
  }
  auto rows = tx.query(sql::list_bookmarks, tx.app(), found.front().id, limit + 1, after_time, after_id);
  storage::Page<Listed> page;
  std::vector<Bookmark> bookmarks;
  std::vector<messages::MessagePlace> places;
  for (int i = 0; i < rows.size() && i < limit; ++i) {
    bookmarks.push_back(read_row(rows[i]));
    places.push_back({bookmarks.back().channel, bookmarks.back().message});
  }
  if (rows.size() > limit) page.next = cursors.seal(scope, {format_time(bookmarks.back().created_at), bookmarks.back().message.text()});
  const auto messages = messages::find_messages(tx, places);
  for (const auto& bookmark : bookmarks)
    for (const auto& message : messages)
      if (message.id == bookmark.message && !message.erased) page.items.push_back({bookmark, message});
  return page;
}

int tell_due_reminders(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  static auto& told = metrics::counter("chat_reminders_told_total", "Reminders of bookmarks that were due and told.");
  std::optional<storage::Rows> due;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { due = tx.query(sql::due_reminders, now, kMaxDue); });
  int count = 0;
  for (auto row : *due) {
    bool is_told = false;
    connection.transact(AppId{row.uuid(0)}, storage::Mode::write, [&](storage::Transaction& tx) {
      is_told = tell_due(tx, bus, UserId{row.uuid(1)}, ChannelId{row.uuid(2)}, MessageId{row.uuid(3)}, now);
    });
    count += is_told;
  }
  told.add(count);
  return count;
}

}  // namespace chat::bookmarks
