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
  std::string type = "regular";                // regular | system
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
inline constexpr std::size_t kMaxNonceBytes = 128;

/// Errors:  not_found (missing, erased, or of another channel)
Message get_message(storage::Transaction& tx, const channels::Channel& channel, MessageId id);
/// Of a channel, by id; missing and erased ones are left out.
std::vector<Message> find_messages(storage::Transaction& tx, const channels::Channel& channel,
                                   const std::vector<MessageId>& ids);

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

struct MessageChange {
  std::optional<std::string> text, attachments, custom, mentions;
  std::vector<std::string> unset;              // attachments | custom | mentions
};
/// Errors:  not_found; forbidden (another's message without update_any)
/// Event:   message.updated
Message update_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                       const MessageChange& change, Timestamp now);

/// Soft: the row stays, its content is no longer shown. Hard: its content is gone from everywhere; only its numbers stay.
/// Soft twice changes nothing; hard after soft erases.
/// Errors:  not_found; forbidden (another's message without delete_any)
/// Event:   message.deleted, when changed
Message delete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, bool hard,
                       Timestamp now);

}  // namespace chat::messages
