#pragma once
#include "platform/chat/messages/messages.h"

/// Into the shadow and out of it again: what is said in the shadow of a ban, or sent there by a rule, has no number (`seq` 0).
namespace chat::messages {

/// What may be seen by all takes the channel's next number as its own and comes where it was said; nobody's unread counts it. What hangs on
/// messages that are sent (mentions, threads, search, notifications, previews) follows as then. Whoever answered it stays in the shadow.
/// Thread:  the channel's head must be locked.
/// Event:   message.new, with an id of its own
/// Returns: false, and changes nothing: it is in no shadow, deleted, answers what is, or its author is in the shadow of a ban.
bool show_shadowed(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now);

/// Whether the acting user is in the shadow of a ban there.
bool is_in_shadow(storage::Transaction& tx, const channels::Opened& opened);

/// Whoever is in the shadow of a ban changes what all can see for its own eyes: its devices are told, and nothing is kept.
/// Errors:  as update_message
/// Event:   message.updated, to the acting user's devices alone
/// Returns: none: it is not like that, and nothing is done.
std::optional<Message> update_in_shadow(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                                        const MessageChange& change, Timestamp now);

}  // namespace chat::messages
