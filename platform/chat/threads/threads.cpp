#include "platform/chat/threads/threads.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/threads/threads.sql.h"
#include "platform/chat/threads/threads_events.h"
#include "platform/chat/users/users.h"

namespace chat::threads {
namespace {

using channels::Opened;

Thread read_row(const storage::Row& row) {
  Thread thread;
  thread.cid = row.text(0);
  thread.channel = ChannelId{row.uuid(1)};
  thread.parent = MessageId{row.uuid(2)};
  thread.last_reply_at = row.optional_time(3);
  thread.participants = text::parse_array_literal(row.text(4));
  thread.participant_count = row.integer(5);
  thread.follows = row.boolean(6);
  if (auto id = row.optional_uuid(7)) thread.read = MessageId{*id};
  thread.unread = row.integer(8);
  thread.mentions = row.integer(9);
  return thread;
}

std::optional<Uuid> newest_reply(storage::Transaction& tx, const Opened& opened, MessageId parent) {
  auto rows = tx.find(sql::newest_reply, tx.app(), opened.channel.id, parent);
  return rows ? std::optional<Uuid>((*rows)[0].uuid(0)) : std::nullopt;
}

/// The thread after a change, told to the other devices of its user.
Thread tell_own(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId parent, Timestamp now) {
  Thread thread = get_thread(tx, opened, parent);
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = kThreadUpdated;
  event.reach = bus::Reach::user;
  event.user_id = opened.acting_user;
  event.created_at = now;
  json::Writer data;
  data.object().key("thread").raw(thread_json(thread)).end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
  tx.after_commit([&bus, app = tx.app(), detail = opened.acting_user + " " + thread.cid] { bus.control({std::string(kThreadsMoved), app, detail}); });
  return thread;
}

}  // namespace

std::string thread_json(const Thread& thread, const messages::Message* parent) {
  json::Writer out;
  out.object().field("cid", thread.cid).field("parent_id", thread.parent.wire());
  if (parent) out.key("message").raw(messages::message_json(*parent));
  out.optional_time("last_reply_at", thread.last_reply_at).key("participants").array();
  for (const auto& user : thread.participants) out.text(user);
  out.end().field("participant_count", thread.participant_count).key("following").boolean(thread.follows);
  if (thread.read) out.field("read_id", thread.read->wire());
  out.field("unread", thread.unread).field("mentions", thread.mentions).end();
  return out.take();
}

Thread get_thread(storage::Transaction& tx, const Opened& opened, MessageId parent) {
  messages::get_message(tx, opened.channel, parent);   // not_found, where the user may not see it
  auto rows = tx.find(sql::get_thread, tx.app(), opened.channel.id, parent, opened.acting_id, kMaxParticipants, kMaxUnread);
  if (!rows) throw not_found("message");
  return read_row((*rows)[0]);
}

Thread follow_thread(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId parent, bool follows, Timestamp now) {
  if (follows) {
    if (!opened.settings.replies) throw forbidden("This channel's type has no threads.");
    opened.require(channels::Action::follow_thread);
  }
  const Thread thread = get_thread(tx, opened, parent);
  if (thread.follows == follows) return thread;
  tx.find(sql::follow_thread, tx.app(), opened.channel.id, parent, *opened.acting_id, follows, newest_reply(tx, opened, parent), now);
  return tell_own(tx, bus, opened, parent, now);
}

Thread read_thread(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, MessageId parent,
                   const std::optional<MessageId>& reply, Timestamp now) {
  const Thread thread = get_thread(tx, opened, parent);
  auto mark = newest_reply(tx, opened, parent);
  if (reply) {
    const auto message = messages::get_message(tx, opened.channel, *reply);
    if (message.parent_id != parent) throw not_found("reply");
    mark = reply->uuid;
  }
  if (!mark || !tx.find(sql::move_mark, tx.app(), opened.channel.id, parent, *opened.acting_id, *mark, now)) return thread;
  return tell_own(tx, bus, opened, parent, now);
}

storage::Page<Listed> list_threads(storage::Transaction& tx, const std::string& user_id, bool unread_only, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto found = users::find_users(tx, {user_id});
  if (found.empty()) throw not_found("user");
  const std::string scope = tx.app().text() + "|threads|" + user_id + (unread_only ? "|unread" : "");
  std::optional<std::string> after_time, after_id;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_time = position.at(0);
    after_id = position.at(1);
  }
  auto rows = tx.query(sql::list_threads, tx.app(), found.front().id, limit + 1, after_time, after_id, kMaxParticipants, kMaxUnread, unread_only);
  storage::Page<Listed> page;
  std::vector<messages::MessagePlace> places;
  for (int i = 0; i < rows.size() && i < limit; ++i) {
    page.items.push_back({read_row(rows[i]), {}});
    places.push_back({page.items.back().thread.channel, page.items.back().thread.parent});
  }
  if (rows.size() > limit) {
    const auto& last = page.items.back().thread;
    page.next = cursors.seal(scope, {format_time(*last.last_reply_at), last.parent.text()});
  }
  for (auto& message : messages::find_messages(tx, places))
    for (auto& item : page.items)
      if (item.thread.parent == message.id) item.parent = message;
  return page;
}

}  // namespace chat::threads
