#include "platform/base/error.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/locked.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/pins.sql.h"
#include "platform/chat/messages/read_row.h"

namespace chat::messages {
namespace {

Message tell_pinned(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, MessageId id, Timestamp now) {
  Message message = get_message(tx, channel, id);
  tell_about(tx, bus, channel, now, kMessageUpdated, message, message_data(message));
  return message;
}

}  // namespace

Message pin_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                    const std::optional<Timestamp>& expires_at, Timestamp now) {
  opened.require(channels::Action::pin_message);
  const auto& channel = opened.channel;
  const auto locked = lock_message(tx, channel, id);
  if (locked.deleted_at) throw not_found("message");
  check_not_frozen(opened);
  const bool stands = locked.pinned && (!locked.pin_expires_at || *locked.pin_expires_at > now);
  if (stands && locked.pin_expires_at == expires_at) return get_message(tx, channel, id);
  if (tx.query(sql::count_other_pins, tx.app(), channel.id, id, now)[0].integer(0) >= kMaxPins)
    throw Error(Code::limit_reached, "A channel may have 100 pinned messages; unpin one first.");
  tx.run(sql::pin_message, tx.app(), channel.id, id, now, opened.acting_id, expires_at);
  return tell_pinned(tx, bus, channel, id, now);
}

Message unpin_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now) {
  opened.require(channels::Action::pin_message);
  const auto locked = lock_message(tx, opened.channel, id);
  if (locked.deleted_at) throw not_found("message");
  check_not_frozen(opened);
  if (!locked.pinned) return get_message(tx, opened.channel, id);
  tx.run(sql::unpin_message, tx.app(), opened.channel.id, id);
  return tell_pinned(tx, bus, opened.channel, id, now);
}

std::vector<Message> list_pins(storage::Transaction& tx, const channels::Channel& channel) {
  std::vector<Message> messages;
  auto rows = tx.query(sql::list_pins, tx.app(), channel.id, kMaxPins);
  for (auto row : rows) {
    Message message = read_message(row);
    if (is_shown(channel, message)) messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace chat::messages
