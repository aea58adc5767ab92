#include "platform/chat/messages/shadow.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/locked.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/send.sql.h"
#include "platform/chat/messages/shadow.sql.h"

namespace chat::messages {
namespace {

/// The arrays that the statements of a send take, of this message so many times.
struct Arrays {
  std::string types, channels, ids;
};
Arrays arrays_of(const channels::Channel& channel, MessageId id, std::size_t times = 1) {
  text::ArrayLiteral types, channels, ids;
  for (std::size_t i = 0; i < times; ++i) {
    types.add(channel.type);
    channels.add(channel.channel_id);
    ids.add(id.text());
  }
  return {types.take(), channels.take(), ids.take()};
}

void mention_users(storage::Transaction& tx, const channels::Channel& channel, const Message& message, Timestamp now) {
  if (!message.mentions) return;
  const auto document = json::Document::parse(*message.mentions);
  const auto mentioned = document.root().items();
  if (mentioned.empty()) return;
  text::ArrayLiteral users;
  for (const auto& user : mentioned) users.add(user.text());
  const auto named = arrays_of(channel, message.id, mentioned.size());
  tx.run(sql::insert_mentions, tx.app(), named.types, named.channels, named.ids, users.take(), now);
}

void mention_channel(storage::Transaction& tx, const channels::Channel& channel, const Message& message) {
  if (!message.extras) return;
  const auto document = json::Document::parse(*message.extras);
  const auto everybody = document.root().find("mention_channel"), roles = document.root().find("mention_roles");
  if (!everybody && !roles) return;
  text::ArrayLiteral some, of_message;         // none: everybody
  if (!everybody)
    for (const auto& role : roles->items()) some.add(role.text());
  of_message.add(some.take());
  const auto named = arrays_of(channel, message.id);
  tx.run(sql::insert_channel_mentions, tx.app(), named.types, named.channels, named.ids, of_message.take());
}

void change_for_itself(Message& message, const MessageChange& change, Timestamp now) {
  const auto put = [&](std::optional<std::string>& member, const std::optional<std::string>& given, const char* name) {
    if (given) member = given;
    if (std::ranges::find(change.unset, name) != change.unset.end()) member.reset();
  };
  if (change.text) message.text = *change.text;
  put(message.attachments, change.attachments, "attachments");
  put(message.custom, change.custom, "custom");
  put(message.mentions, change.mentions, "mentions");
  message.updated_at = now;
  message.seq = 0;                             // as all that is said in the shadow
  message.message_seq.reset();
}

}  // namespace

bool show_shadowed(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now) {
  const auto& channel = opened.channel;
  if (!tx.find(sql::show_shadowed, tx.app(), channel.id, id, now, new_uuid7(now))) return false;
  const Message message = get_message(tx, channel, id);
  const auto named = arrays_of(channel, id);
  if (message.parent_id) tx.run(sql::follow_threads, tx.app(), named.types, named.channels, named.ids, now);
  mention_users(tx, channel, message, now);
  mention_channel(tx, channel, message);
  if (message.text.find("://") != std::string::npos) tx.run(sql::queue_previews, tx.app(), named.types, named.channels, named.ids, now);
  channels::tell(tx, bus, channel, now, {{.type = kMessageNew, .data = message_data(message), .message = id}});
  if (const auto event = invoked_event(tx.app(), message, now)) tx.after_commit([&bus, event] { bus.publish(event); });
  return true;
}

bool is_in_shadow(storage::Transaction& tx, const channels::Opened& opened) {
  return opened.acting_id && tx.query(sql::is_in_shadow, tx.app(), opened.channel.id, *opened.acting_id)[0].boolean(0);
}

std::optional<Message> update_in_shadow(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                                        const MessageChange& change, Timestamp now) {
  const auto& channel = opened.channel;
  if (!is_in_shadow(tx, opened)) return std::nullopt;
  const auto locked = lock_message(tx, channel, id);
  if (locked.shadowed) return std::nullopt;
  if (locked.deleted_at) throw not_found("message");
  check_may(opened, locked, channels::Action::update_own_message, channels::Action::update_any_message);
  check_not_frozen(opened);
  Message message = get_message(tx, channel, id);
  change_for_itself(message, change, now);
  channels::tell_devices(tx, bus, channel, opened.acting_user, now, kMessageUpdated, message_data(message));
  return message;
}

}  // namespace chat::messages
