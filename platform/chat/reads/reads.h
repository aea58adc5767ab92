#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/transaction.h"

/// What a member has read, and what is left to read.
///
/// Unread of a channel is the number of countable messages behind the member's watermark (or since it joined, while it never
/// opened the channel), less those deleted meanwhile. Countable: regular, not silent, and not a reply that stays in its thread.
/// A member's own send moves its watermark to that message. Nothing is written per member when others send.
namespace chat::reads {

struct Mark {
  std::int64_t read_seq = 0;                   // of countable messages
  Timestamp read_at;
  std::int64_t unread = 0;
};
std::string mark_json(const std::string& user_id, const Mark& mark);

/// Marks everything up to `message` (default: the newest) as read. A watermark never moves back here.
/// Errors:  not_found (message); forbidden (not a member)
/// Event:   message.read to the channel, not numbered, when the watermark moved and the type has read_events
Mark mark_read(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& message,
               Timestamp now);

/// The user's channels with something unread, most unread first (at most 100), and the total over all its channels.
struct Unread {
  struct Item {
    std::string cid;
    std::int64_t unread = 0;
    std::optional<std::int64_t> read_seq;
    std::int64_t last_message_seq = 0;
  };
  std::int64_t total = 0;
  std::vector<Item> channels;
};
Unread get_unread(storage::Transaction& tx, const std::string& user_id);

}  // namespace chat::reads
