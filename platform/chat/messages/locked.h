#pragma once
#include "platform/chat/messages/messages.h"

/// A message that is about to change, under its row's lock. Private to the folder.
namespace chat::messages {

struct Locked {
  UserId author;
  std::optional<Timestamp> deleted_at;
  std::optional<Uuid> deleted_by;
  std::optional<std::int64_t> message_seq;
  std::optional<Uuid> parent;
  bool pinned = false;                         // also when the pin has expired
  std::optional<Timestamp> pin_expires_at;
  bool shadowed = false;                       // written in the shadow of a ban
};
/// Errors:  not_found (missing or erased)
Locked lock_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id);

/// One's own message needs `own`, another's needs `any`. Errors: forbidden
void check_may(const channels::Opened& opened, const Locked& message, channels::Action own, channels::Action any);
/// The reader has not cleared it away, and it was not written in the shadow of a ban.
bool is_shown(const channels::Channel& channel, const Message& message);

/// To whom a message may be told: the channel, or its author alone.
void tell_about(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, Timestamp now, std::string_view type,
                const Message& message, std::string data);

/// Errors:  channel_frozen, for whom a frozen channel is closed
void check_not_frozen(const channels::Opened& opened);

}  // namespace chat::messages
