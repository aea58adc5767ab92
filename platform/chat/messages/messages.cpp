#include "platform/chat/messages/messages.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/edits.sql.h"
#include "platform/chat/messages/flags.h"
#include "platform/chat/messages/locked.h"
#include "platform/chat/messages/messages.sql.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/read_row.h"
#include "platform/chat/messages/screen.h"
#include "platform/chat/messages/send.sql.h"

namespace chat::messages {
namespace {

using channels::Action;

void erase(storage::Transaction& tx, const channels::Channel& channel, MessageId id, Timestamp now) {
  tx.run(sql::erase_message, tx.app(), channel.id, id, now);
  tx.run(sql::forget_mentions, tx.app(), channel.id, id);
}

void replace_mentions(storage::Transaction& tx, const channels::Channel& channel, MessageId id, const std::vector<std::string>& users) {
  tx.run(sql::forget_mentions, tx.app(), channel.id, id);
  if (users.empty()) return;
  text::ArrayLiteral names;
  for (const auto& user : users) names.add(user);
  tx.run(sql::replace_mentions, tx.app(), channel.id, id, names.take());
}

}  // namespace

bool is_shown(const channels::Channel& channel, const Message& message) {
  if (channel.cleared_up_to && message.id <= *channel.cleared_up_to) return false;
  return message.seq > 0 || channel.sees_shadowed || message.user_id == channel.reader;
}

void tell_about(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, Timestamp now, std::string_view type,
                const Message& message, std::string data) {
  if (message.seq > 0) channels::tell(tx, bus, channel, now, {{.type = type, .data = std::move(data), .message = message.id}});
  else if (message.user_id) channels::tell_devices(tx, bus, channel, *message.user_id, now, type, std::move(data));
}

Locked lock_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id) {
  auto rows = tx.find(sql::lock_message, tx.app(), channel.id, id);
  if (!rows) throw not_found("message");
  auto row = (*rows)[0];
  return {UserId{row.uuid(0)}, row.optional_time(1), row.optional_uuid(2), row.optional_integer(3), row.optional_uuid(4),
          row.boolean(5), row.optional_time(6), row.boolean(7)};
}

void check_may(const channels::Opened& opened, const Locked& message, Action own, Action any) {
  const bool is_own = opened.acting_id && *opened.acting_id == message.author;
  if (is_own && opened.may(own)) return;
  if (message.shadowed && !is_own && !opened.channel.sees_shadowed) throw not_found("message");
  opened.require(any);
}

void check_not_frozen(const channels::Opened& opened) {
  if (opened.channel.frozen && !opened.may(Action::send_in_frozen))
    throw Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
}

Message get_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id) {
  auto rows = tx.find(sql::get_message, tx.app(), channel.id, id);
  if (!rows) throw not_found("message");
  Message message = read_message((*rows)[0]);
  if (!is_shown(channel, message)) throw not_found("message");
  return message;
}

std::vector<Message> find_messages(storage::Transaction& tx, const channels::Channel& channel, const std::vector<MessageId>& ids) {
  std::vector<Message> messages;
  if (ids.empty()) return messages;
  text::ArrayLiteral wanted;
  for (const auto& id : ids) wanted.add(id.text());
  auto rows = tx.query(sql::find_messages, tx.app(), channel.id, wanted.take());
  for (auto row : rows) {
    Message message = read_message(row);
    if (is_shown(channel, message)) messages.push_back(std::move(message));
  }
  return messages;
}

std::vector<Message> find_messages(storage::Transaction& tx, const std::vector<MessagePlace>& places) {
  std::vector<Message> messages;
  if (places.empty()) return messages;
  text::ArrayLiteral channels, ids;
  for (const auto& place : places) {
    channels.add(place.channel.text());
    ids.add(place.message.text());
  }
  auto rows = tx.query(sql::stored_messages, tx.app(), channels.take(), ids.take());
  for (auto row : rows) messages.push_back(read_message(row));
  return messages;
}

Message update_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                       const MessageChange& change, Timestamp now) {
  const auto& channel = opened.channel;
  auto locked = lock_message(tx, channel, id);
  if (locked.deleted_at) throw not_found("message");
  check_may(opened, locked, Action::update_own_message, Action::update_any_message);
  check_not_frozen(opened);
  tx.run(sql::keep_edit, tx.app(), channel.id, id, now, opened.acting_id, kMaxEdits - 1);
  text::ArrayLiteral unset;
  for (const auto& name : change.unset) unset.add(name);
  tx.run(sql::update_message, tx.app(), channel.id, id, change.text, change.attachments, change.custom, change.mentions,
         unset.take(), now);
  if (change.text && opened.settings.link_previews && !locked.shadowed) tx.run(sql::queue_preview, tx.app(), channel.id, id, now);
  const bool unmentioned = std::find(change.unset.begin(), change.unset.end(), "mentions") != change.unset.end();
  if (change.mentions || unmentioned) replace_mentions(tx, channel, id, unmentioned ? std::vector<std::string>{} : change.mentioned);
  flag_findings(tx, channel, id, change.findings, now);
  Message message = get_message(tx, channel, id);
  tell_about(tx, bus, channel, now, kMessageUpdated, message, message_data(message));
  return message;
}

Message delete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, bool hard,
                       Timestamp now) {
  const auto& channel = opened.channel;
  auto locked = lock_message(tx, channel, id);
  check_may(opened, locked, Action::delete_own_message, Action::delete_any_message);
  if (locked.deleted_at && !hard) {
    if (locked.deleted_by == locked.author.uuid && opened.acting_id != locked.author) tx.run(sql::take_deletion, tx.app(), channel.id, id, opened.acting_id);
    return get_message(tx, channel, id);
  }
  if (hard) erase(tx, channel, id, now);
  else tx.run(sql::delete_message, tx.app(), channel.id, id, now, opened.acting_id);
  if (!locked.deleted_at) {
    if (locked.message_seq) tx.run(sql::count_deletion, tx.app(), channel.id, *locked.message_seq);
    if (locked.parent && !locked.shadowed) tx.run(sql::uncount_reply, tx.app(), channel.id, *locked.parent);
  }
  Message message = read_message(tx.query(sql::show_erased, tx.app(), channel.id, id)[0]);
  tell_about(tx, bus, channel, now, kMessageDeleted, message, deleted_data(message));
  return message;
}

}  // namespace chat::messages
