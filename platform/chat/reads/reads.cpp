#include "platform/chat/reads/reads.h"

#include "platform/base/json.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/reads/reads.sql.h"
#include "platform/chat/reads/reads_events.h"

namespace chat::reads {
namespace {

std::int64_t number_at(storage::Transaction& tx, const channels::Channel& channel, const std::optional<MessageId>& message) {
  if (!message) return channel.last_message_seq;
  messages::get_message(tx, channel, *message);
  auto rows = tx.find(sql::number_at, tx.app(), channel.id, *message, channel.id);
  return rows ? (*rows)[0].integer(0) : 0;
}

UserId require_own_mark(const channels::Opened& opened) {
  opened.require(channels::Action::mark_read);
  if (!opened.membership) throw forbidden("Only members have a read mark.");
  return opened.membership->id;
}

Mark get_mark(storage::Transaction& tx, const channels::Channel& channel, UserId user) {
  auto rows = tx.query(sql::get_mark, tx.app(), channel.id, user);
  auto row = rows[0];
  return {row.integer(0), row.time(1), row.integer(2), row.integer(3)};
}

}  // namespace

std::string mark_json(const std::string& user_id, const Mark& mark) {
  json::Writer out;
  out.object().field("user_id", user_id).field("read_seq", mark.read_seq).key("read_at").time(mark.read_at).end();
  return out.take();
}

std::string delivered_json(const std::string& user_id, const Delivered& delivered) {
  json::Writer out;
  out.object().field("user_id", user_id).field("delivered_seq", delivered.delivered_seq).key("delivered_at")
      .time(delivered.delivered_at).end();
  return out.take();
}

Mark mark_read(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& message,
               Timestamp now) {
  const UserId user = require_own_mark(opened);
  const auto number = number_at(tx, opened.channel, message);
  const bool moved = tx.find(sql::move_watermark, tx.app(), opened.channel.id, user, number, now).has_value();
  const Mark mark = get_mark(tx, opened.channel, user);
  if (moved) tell_unread_moved(tx, bus, opened.acting_user, {opened.channel.cid()});
  if (moved && opened.settings.read_events)
    channels::tell_unnumbered(tx, bus, opened.channel, now, kMessageRead, mark_json(opened.acting_user, mark));
  return mark;
}

Mark mark_unread(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const MessageId& message, Timestamp now) {
  const UserId user = require_own_mark(opened);
  messages::get_message(tx, opened.channel, message);
  auto rows = tx.find(sql::number_before, tx.app(), opened.channel.id, message, opened.channel.id);
  const std::int64_t number = rows ? (*rows)[0].integer(0) : 0;
  if (tx.find(sql::move_watermark_back, tx.app(), opened.channel.id, user, number, now))
    tell_unread_moved(tx, bus, opened.acting_user, {opened.channel.cid()});
  return get_mark(tx, opened.channel, user);
}

}  // namespace chat::reads
