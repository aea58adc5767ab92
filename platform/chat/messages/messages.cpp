#include "platform/chat/messages/messages.h"

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/messages.sql.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/read_row.h"

namespace chat::messages {
namespace {

using channels::Action;

struct Locked {
  UserId author;
  bool deleted = false;
  std::optional<std::int64_t> message_seq;
  std::optional<Uuid> parent;
};

Locked lock_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id) {
  auto rows = tx.find(sql::lock_message, tx.app(), channel.id, id);
  if (!rows) throw not_found("message");
  auto row = (*rows)[0];
  return {UserId{row.uuid(0)}, row.boolean(1), row.optional_integer(2), row.optional_uuid(3)};
}

/// One's own message needs `own`, another's needs `any`.
void check_may(const channels::Opened& opened, const Locked& message, Action own, Action any) {
  const bool is_own = opened.acting_id && *opened.acting_id == message.author;
  if (is_own && opened.may(own)) return;
  opened.require(any);
}

void erase(storage::Transaction& tx, const channels::Channel& channel, MessageId id, Timestamp now) {
  tx.run(sql::erase_message, tx.app(), channel.id, id, now);
  tx.run(sql::forget_mentions, tx.app(), channel.id, id);
}

}  // namespace

Message get_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id) {
  auto rows = tx.find(sql::get_message, tx.app(), channel.id, id);
  if (!rows) throw not_found("message");
  return read_message((*rows)[0]);
}

std::vector<Message> find_messages(storage::Transaction& tx, const channels::Channel& channel, const std::vector<MessageId>& ids) {
  std::vector<Message> messages;
  if (ids.empty()) return messages;
  text::ArrayLiteral wanted;
  for (const auto& id : ids) wanted.add(id.text());
  auto rows = tx.query(sql::find_messages, tx.app(), channel.id, wanted.take());
  for (auto row : rows) messages.push_back(read_message(row));
  return messages;
}

Message update_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                       const MessageChange& change, Timestamp now) {
  const auto& channel = opened.channel;
  auto locked = lock_message(tx, channel, id);
  if (locked.deleted) throw not_found("message");
  check_may(opened, locked, Action::update_own_message, Action::update_any_message);
  text::ArrayLiteral unset;
  for (const auto& name : change.unset) unset.add(name);
  tx.run(sql::update_message, tx.app(), channel.id, id, change.text, change.attachments, change.custom, change.mentions,
         unset.take(), now);
  Message message = get_message(tx, channel, id);
  channels::tell(tx, bus, channel, now, {{.type = kMessageUpdated, .data = message_data(message), .message = id}});
  return message;
}

Message delete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, bool hard,
                       Timestamp now) {
  const auto& channel = opened.channel;
  auto locked = lock_message(tx, channel, id);
  check_may(opened, locked, Action::delete_own_message, Action::delete_any_message);
  if (locked.deleted && !hard) return get_message(tx, channel, id);
  if (hard) erase(tx, channel, id, now);
  else tx.run(sql::delete_message, tx.app(), channel.id, id, now);
  if (!locked.deleted) {
    if (locked.message_seq) tx.run(sql::count_deletion, tx.app(), channel.id, *locked.message_seq);
    if (locked.parent) tx.run(sql::uncount_reply, tx.app(), channel.id, *locked.parent);
  }
  Message message = read_message(tx.query(sql::show_erased, tx.app(), channel.id, id)[0]);
  channels::tell(tx, bus, channel, now, {{.type = kMessageDeleted, .data = deleted_data(message), .message = id}});
  return message;
}

}  // namespace chat::messages
