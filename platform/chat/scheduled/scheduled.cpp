#include "platform/chat/scheduled/scheduled.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/scheduled/row.h"
#include "platform/chat/scheduled/scheduled.sql.h"
#include "platform/chat/scheduled/scheduled_events.h"

namespace chat::scheduled {
namespace {

using channels::Opened;

Scheduled get_waiting(storage::Transaction& tx, const std::string& user_id, ScheduledId id, Timestamp now) {
  auto stored = find_scheduled(tx, user_id, id, now);
  if (!stored) throw not_found("scheduled message");
  if (stored->scheduled.sending) throw Error(Code::conflict, "This message is being sent now.");
  return stored->scheduled;
}

}  // namespace

Stored read_row(const storage::Row& row) {
  Stored stored;
  auto& scheduled = stored.scheduled;
  scheduled.id = ScheduledId{row.uuid(0)};
  stored.channel_type = row.text(1);
  stored.channel_id = row.text(2);
  scheduled.cid = stored.channel_type + ":" + stored.channel_id;
  scheduled.user_id = row.text(3);
  scheduled.message = row.text(4);
  scheduled.send_at = row.time(5);
  scheduled.sending = row.boolean(6);
  scheduled.failed_code = row.optional_text(7);
  scheduled.failed_detail = row.optional_text(8);
  scheduled.created_at = row.time(9);
  scheduled.updated_at = row.time(10);
  stored.by_server = row.boolean(11);
  return stored;
}

std::optional<Stored> find_scheduled(storage::Transaction& tx, const std::string& user_id, ScheduledId id, Timestamp now) {
  auto rows = tx.find(sql::get_scheduled, tx.app(), id, user_id, now);
  return rows ? std::optional<Stored>(read_row((*rows)[0])) : std::nullopt;
}

void tell_own(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Scheduled& scheduled,
              const std::optional<MessageId>& message, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::user;
  event.user_id = scheduled.user_id;
  event.created_at = now;
  json::Writer data;
  data.object().key("scheduled_message").raw(scheduled_json(scheduled));
  if (message) data.field("message_id", message->wire());
  data.end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
}

std::string scheduled_json(const Scheduled& scheduled) {
  json::Writer out;
  const std::string_view status = scheduled.failed_code ? "failed" : scheduled.sending ? "sending" : "scheduled";
  out.object().field("id", scheduled.id.wire()).field("cid", scheduled.cid).field("user_id", scheduled.user_id)
      .field("status", status).key("message").raw(scheduled.message).key("send_at").time(scheduled.send_at);
  if (scheduled.failed_code)
    out.key("error").object().field("code", *scheduled.failed_code).field("detail", scheduled.failed_detail.value_or("")).end();
  out.key("created_at").time(scheduled.created_at).key("updated_at").time(scheduled.updated_at).end();
  return out.take();
}

Scheduled schedule_message(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, bool by_server, const std::string& message,
                           Timestamp send_at, Timestamp now) {
  if (!by_server) opened.require(channels::Action::send_message);
  tx.query(sql::lock_owner, tx.app(), *opened.acting_id);
  if (tx.query(sql::count_scheduled, tx.app(), *opened.acting_id)[0].integer(0) >= kMaxScheduled)
    throw Error(Code::limit_reached, "A user may have 100 scheduled messages; cancel one first.");
  const auto id = ScheduledId::make(now);
  tx.run(sql::insert_scheduled, tx.app(), id, *opened.acting_id, opened.channel.id, by_server, message, send_at, now);
  auto scheduled = find_scheduled(tx, opened.acting_user, id, now)->scheduled;
  tell_own(tx, bus, kScheduleUpdated, scheduled, std::nullopt, now);
  return scheduled;
}

Scheduled update_scheduled(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, ScheduledId id, const Change& change,
                           Timestamp now) {
  get_waiting(tx, user_id, id, now);
  tx.run(sql::update_scheduled, tx.app(), id, change.message, change.send_at, now);
  auto scheduled = find_scheduled(tx, user_id, id, now)->scheduled;
  tell_own(tx, bus, kScheduleUpdated, scheduled, std::nullopt, now);
  return scheduled;
}

void cancel_scheduled(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, ScheduledId id, Timestamp now) {
  const auto scheduled = get_waiting(tx, user_id, id, now);
  tx.run(sql::delete_scheduled, tx.app(), id);
  tell_own(tx, bus, kScheduleDeleted, scheduled, std::nullopt, now);
}

storage::Page<Scheduled> list_scheduled(storage::Transaction& tx, const std::string& user_id, Timestamp now, int limit,
                                        const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|scheduled|" + user_id;
  std::optional<std::string> after_time, after_id;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_time = position.at(0);
    after_id = position.at(1);
  }
  auto rows = tx.query(sql::list_scheduled, tx.app(), user_id, limit + 1, after_time, after_id, now);
  storage::Page<Scheduled> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_row(rows[i]).scheduled);
  if (rows.size() > limit) page.next = cursors.seal(scope, {format_time(page.items.back().send_at), page.items.back().id.text()});
  return page;
}

}  // namespace chat::scheduled
