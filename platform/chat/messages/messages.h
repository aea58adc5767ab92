#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/transaction.h"

/// Messages: what is said in a channel. Sending has a way of its own (lanes.h); here is everything after it.
namespace chat::messages {

struct Message {
  MessageId id;
  std::string cid;
  std::int64_t seq = 0;                        // among the channel's durable events; of its message.new
  std::optional<std::int64_t> message_seq;     // among its countable messages; absent: not countable
  std::string type = "regular";                // regular | text | image | video | file | system
  std::optional<std::string> user_id;          // the author; absent when erased
  std::string text;
  std::optional<std::string> attachments, mentions, custom;   // JSON; absent: empty
  std::optional<MessageId> parent_id;
  bool show_in_channel = false;
  std::optional<MessageId> quoted_id;
  std::int64_t reply_count = 0;
  bool silent = false;
  std::optional<std::string> nonce;
  Timestamp created_at;
  std::optional<Timestamp> updated_at, deleted_at;
  bool erased = false;                         // hard deleted
  std::optional<std::string> pin;              // JSON: {"at","by","expires_at"}; absent: not pinned
  std::optional<std::string> extras;           // JSON: members that few messages have (forwarded, mention_…, poll)
  std::optional<std::string> reactions;        // JSON, by type; absent: none
  std::optional<std::string> own_reactions;    // JSON: of the user who asks; only in answers to one
};

/// Shape:   as openapi.yaml's Message. With `quoted`, the quoted message is shown inside.
std::string message_json(const Message& message, const Message* quoted = nullptr);
/// The data of message.new and message.updated, and the body of single answers: {"message":{…}}
std::string message_data(const Message& message, const Message* quoted = nullptr);
/// The data of message.deleted: {"message":{…},"hard":bool}
std::string deleted_data(const Message& message);

inline constexpr std::size_t kMaxAttachments = 30;
inline constexpr std::size_t kMaxAttachmentBytes = 32 * 1024;   // all of a message's, minified
inline constexpr std::size_t kMaxMentions = 50;
inline constexpr std::size_t kMaxMentionedRoles = 10;
inline constexpr std::size_t kMaxNonceBytes = 128;
inline constexpr std::size_t kMaxPollOptions = 20;
inline constexpr std::size_t kMaxPollQuestionBytes = 500, kMaxPollOptionBytes = 200;

/// Errors:  not_found (missing, erased, or of another channel)
Message get_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id);
/// Of a channel, by id; missing and erased ones are left out.
std::vector<Message> find_messages(storage::Transaction& tx, const channels::Channel& channel,
                                   const std::vector<MessageId>& ids);

struct MessagePlace {
  ChannelId channel;
  MessageId message;
};
/// Of any channels of the application: what may be shown is the caller's to decide. Erased ones too.
std::vector<Message> find_messages(storage::Transaction& tx, const std::vector<MessagePlace>& places);

/// One window of a channel's messages, oldest first. Replies that are not shown in the channel are left out.
struct Window {
  std::vector<Message> messages;
  std::vector<Message> quoted;                 // those that `messages` quote
  bool has_older = false, has_newer = false;
};
struct WindowRequest {
  int limit = 25;
  std::optional<MessageId> before, after, around;   // at most one; none: the newest
  std::optional<MessageId> parent;             // replies of this message instead of the channel
};
/// Errors:  not_found  `around` names no message of the channel
/// Cost:    an index range of about `limit` rows, whatever the channel's size; two ranges for `around`.
Window list_messages(storage::Transaction& tx, const channels::Channel& channel, const WindowRequest& request);

/// What happened, said in the channel by the service: written in the transaction of what happened. Not countable, not searched.
/// The month's limit is the caller's to ask (billing::Account).
/// Thread:  the channel's head must be locked, and `channel` read under the lock.
/// Event:   message.new
struct SystemMessage {
  UserId author;
  std::string user_id;                         // the author's
  std::string text;
  std::optional<std::string> custom;           // JSON
};
Message post_system_message(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, const SystemMessage& said,
                            Timestamp now);

struct MessageChange {
  std::optional<std::string> text, attachments, custom, mentions;
  std::vector<std::string> mentioned;          // with `mentions`
  std::vector<std::string> unset;              // attachments | custom | mentions
  std::string findings = {};                   // of rules, as Send's: written as flags with the change
};
/// What it was before is kept: see list_edits.
/// Errors:  not_found; forbidden (another's message without update_any); channel_frozen
/// Event:   message.updated
Message update_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                       const MessageChange& change, Timestamp now);

/// A change has no approval: whoever's messages wait there, by the channel's settings or on probation, changes nothing that others see.
/// Errors:  forbidden
void check_not_held(storage::Transaction& tx, const channels::Opened& opened, Timestamp now);

/// Soft: the row stays, its content is no longer shown. Hard: its content is gone from everywhere; only its numbers stay.
/// Soft twice changes nothing, but that what its author deleted is another's who deletes it, too; hard after soft erases.
/// Errors:  not_found; forbidden (another's message without delete_any)
/// Event:   message.deleted, when changed
Message delete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, bool hard,
                       Timestamp now);

/// Takes a soft deletion back: by its author, if it was the author's own, or with delete_any. Twice changes nothing.
/// Errors:  not_found (missing or erased); forbidden; channel_frozen; conflict (deleted longer ago than the channel's type lets it come back)
/// Event:   message.undeleted
Message undelete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now);

/// What a message was before an edit.
struct Edit {
  Timestamp edited_at;
  std::optional<std::string> edited_by;        // absent: a server
  std::string text;
  std::optional<std::string> attachments, mentions, custom;   // JSON
};
std::string edit_json(const Edit& edit);
inline constexpr int kMaxEdits = 50;           // kept of a message: the newest
/// Newest first. Errors: not_found (missing, deleted); forbidden (another's message without read_edits)
std::vector<Edit> list_edits(storage::Transaction& tx, const channels::Opened& opened, MessageId id);

inline constexpr int kMaxPins = 100;           // at once in a channel
/// Pins it, until `expires_at` when given. Again: changes the expiry, or nothing.
/// Errors:  not_found (missing, deleted); forbidden; channel_frozen; limit_reached
/// Event:   message.updated, when changed. None when a pin expires: its end stands in it.
Message pin_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                    const std::optional<Timestamp>& expires_at, Timestamp now);
Message unpin_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now);
/// The last pinned first.
std::vector<Message> list_pins(storage::Transaction& tx, const channels::Channel& channel);

}  // namespace chat::messages
