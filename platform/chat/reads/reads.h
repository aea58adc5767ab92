#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/transaction.h"

/// What a member has read and received, and what is left to read. The definitions are in ops/docs/unread.md.
///
/// Unread of a channel is the number of countable messages behind the member's mark (or since it joined, while it never
/// opened the channel), less those deleted meanwhile. A member's own send moves its mark to that message. Nothing is written
/// per member when others send.
namespace chat::reads {

inline constexpr std::size_t kMaxChannels = 100;         // in one request
inline constexpr int kMaxMarkedAtOnce = 1'000;           // by one mark_all_read

struct Mark {
  std::int64_t read_seq = 0;                   // of countable messages
  Timestamp read_at;                           // when it last moved forward
  std::int64_t unread = 0, mentions = 0;       // behind it
};
std::string mark_json(const std::string& user_id, const Mark& mark);

/// Marks everything up to `message` (default: the newest) as read. The mark never moves back here.
/// Errors:  not_found (message); forbidden (not a member)
/// Event:   message.read to the channel, not numbered, when the mark moved and the type has read_events
Mark mark_read(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& message,
               Timestamp now);

/// Makes `message` and everything behind it unread again, down to where the member joined. Others keep seeing what they saw:
/// receipts don't go back. A message behind the mark changes nothing.
/// Errors:  not_found (message); forbidden (not a member)
Mark mark_unread(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const MessageId& message, Timestamp now);

/// A channel of the caller's, and up to where; default: the newest message.
struct Place {
  std::string type, channel_id;
  std::optional<MessageId> message;
};
struct Delivered {
  std::int64_t delivered_seq = 0;              // of countable messages
  Timestamp delivered_at;
};
std::string delivered_json(const std::string& user_id, const Delivered& delivered);

/// What became of one channel of a batch.
struct MarkResult {
  bool moved = false;
  std::optional<Error> error;
  std::optional<Mark> mark;                    // absent: never opened
  std::optional<Delivered> delivered;          // absent: nothing was delivered or read
};

/// As mark_read, for up to kMaxChannels channels, no channel twice. Each stands alone: a channel that is not the user's is
/// refused alone.
/// Shape:   one result per place, in order.
/// Event:   message.read to each channel whose mark moved
/// Cost:    four statements, whatever the number.
std::vector<MarkResult> mark_channels_read(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id,
                                           const std::vector<Place>& places, Timestamp now);

/// Marks whatever is unread as read, at most kMaxMarkedAtOnce channels of it.
/// Event:   as mark_channels_read
struct MarkedAll {
  int channels = 0;
  bool more = false;                           // there is more: call again
};
MarkedAll mark_all_read(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, Timestamp now);

/// Messages that arrived on one of the user's devices. What was read counts as delivered.
/// Shape, cost: as mark_channels_read.
/// Event:   message.delivered to each channel whose mark moved and whose type has delivery_events
std::vector<MarkResult> mark_delivered(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id,
                                       const std::vector<Place>& places, Timestamp now);

struct Sum {
  std::int64_t unread = 0, mentions = 0, channels = 0;   // channels: those with something unread

  Sum& operator+=(const Sum& more) {
    unread += more.unread;
    mentions += more.mentions;
    channels += more.channels;
    return *this;
  }
};
inline constexpr int kMaxThreadReplies = 100;            // counted in one thread; more are 100, too
inline constexpr int kMaxUnreadThreads = 100;            // likewise of threads
struct Unread {
  struct OfType {
    std::string type;
    Sum sum;
  };
  struct Item {
    std::string cid;
    std::int64_t unread = 0, mentions = 0;
    std::optional<std::int64_t> read_seq;
    std::int64_t last_message_seq = 0;
  };
  struct OfTeam {
    std::optional<std::string> team;           // absent: channels of no team
    Sum sum;
  };
  struct Thread {
    std::string cid;
    MessageId parent;
    std::int64_t unread = 0, mentions = 0;     // replies of others behind the mark in the thread
  };
  Sum total;
  std::vector<OfType> types;                   // those with something unread
  std::vector<OfTeam> teams;                   // likewise; empty when none of it is a team's
  std::vector<Thread> threads;                 // followed ones with unread replies, the newest reply first
  storage::Page<Item> channels;                // most unread first
};
std::string channel_unread_json(const Unread::Item& item);
std::string thread_unread_json(const Unread::Thread& thread);
/// "types":[…], and "teams":[…] when there are any.
void write_parts(json::Writer& out, const std::vector<Unread::OfType>& types, const std::vector<Unread::OfTeam>& teams);

/// What rows of one user, each of a channel type and a team, sum up to.
class Summing {
 public:
  void add(const std::string& type, const std::optional<std::string>& team, const Sum& sum);
  Sum total;
  [[nodiscard]] std::vector<Unread::OfType> types() const;
  [[nodiscard]] std::vector<Unread::OfTeam> teams() const;   // empty when none of it is a team's

 private:
  std::map<std::string, Sum> types_;
  std::map<std::optional<std::string>, Sum> teams_;
};
/// Errors:  not_found (user)
/// Cost:    a row per channel of the user, whatever the numbers of members and messages, and the deletions behind its mark; and
///          a row per thread that it follows.
Unread get_unread(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                  const storage::Cursors& cursors);

/// The totals of several users at once, by user_id; those who are missing are left out.
/// Cost:    one statement, that of get_unread's total for each
std::vector<std::pair<std::string, Sum>> sum_unread(storage::Transaction& tx, const std::vector<std::string>& user_ids);

}  // namespace chat::reads
