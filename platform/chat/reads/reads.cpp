#include "platform/chat/reads/reads.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/reads/reads.sql.h"
#include "platform/chat/reads/reads_events.h"
#include "platform/chat/users/users.h"

namespace chat::reads {
namespace {

std::int64_t number_at(storage::Transaction& tx, const channels::Channel& channel, const std::optional<MessageId>& message) {
  if (!message) return channel.last_message_seq;
  messages::get_message(tx, channel, *message);
  auto rows = tx.find(sql::number_at, tx.app(), channel.id, *message, channel.id);
  return rows ? (*rows)[0].integer(0) : 0;
}

}  // namespace

std::string mark_json(const std::string& user_id, const Mark& mark) {
  json::Writer out;
  out.object().field("user_id", user_id).field("read_seq", mark.read_seq).key("read_at").time(mark.read_at).end();
  return out.take();
}

Mark mark_read(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& message,
               Timestamp now) {
  opened.require(channels::Action::mark_read);
  if (!opened.membership) throw forbidden("Only members have a read mark.");
  const auto number = number_at(tx, opened.channel, message);
  const bool moved = tx.find(sql::move_watermark, tx.app(), opened.channel.id, opened.membership->id, number, now).has_value();
  auto row = tx.query(sql::get_mark, tx.app(), opened.channel.id, opened.membership->id);
  Mark mark{row[0].integer(0), row[0].time(1), row[0].integer(2)};
  if (moved && opened.settings.read_events)
    channels::tell_unnumbered(tx, bus, opened.channel, now, kMessageRead, mark_json(opened.acting_user, mark));
  return mark;
}

Unread get_unread(storage::Transaction& tx, const std::string& user_id) {
  users::get_user(tx, user_id);
  Unread unread;
  unread.total = tx.query(sql::total_unread, tx.app(), user_id)[0].integer(0);
  auto rows = tx.query(sql::unread_channels, tx.app(), user_id);
  for (auto row : rows)
    unread.channels.push_back({std::string(row.text(0)), row.integer(1), row.optional_integer(2), row.integer(3)});
  return unread;
}

}  // namespace chat::reads
