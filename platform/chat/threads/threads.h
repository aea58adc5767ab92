#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Threads: a message with replies, who takes part in it, who follows it, and what is unread in it. Writing the message or a
/// reply makes one take part and follow; a send does that in its own transaction (messages/send.sql).
namespace chat::threads {

inline constexpr int kMaxParticipants = 10;    // shown of a thread: the first
inline constexpr int kMaxUnread = 1'000;       // counted of a thread: that many or more

/// A thread as one user sees it.
struct Thread {
  std::string cid;
  ChannelId channel;
  MessageId parent;
  std::optional<Timestamp> last_reply_at;      // absent: no reply yet
  std::vector<std::string> participants;
  std::int64_t participant_count = 0;
  bool follows = false;
  std::optional<MessageId> read;               // the newest reply that was read
  std::int64_t unread = 0;                     // replies of others after it that still exist
  std::int64_t mentions = 0;                   // those of them that mention the user
};
/// Shape:   as openapi.yaml's Thread; with the message when given.
std::string thread_json(const Thread& thread, const messages::Message* parent = nullptr);

/// Errors:  not_found (message, or itself a reply)
Thread get_thread(storage::Transaction& tx, const channels::Opened& opened, MessageId parent);

/// Following begins at the newest reply. Twice changes nothing.
/// Errors:  not_found; forbidden
/// Event:   thread.updated to the user's own connections, when changed
Thread follow_thread(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId parent, bool follows, Timestamp now);

/// Marks everything up to `reply` (default: the newest) as read. A mark never moves back.
/// Errors:  not_found (message, or no reply of it)
/// Event:   thread.updated to the user's own connections, when the mark moved
Thread read_thread(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId parent,
                   const std::optional<MessageId>& reply, Timestamp now);

struct Listed {
  Thread thread;
  messages::Message parent;
};
/// The threads that a user follows and may read, the one with the newest reply first.
/// Errors:  not_found (user)
/// Cost:    a row per followed thread, an index range of at most kMaxUnread per thread shown.
storage::Page<Listed> list_threads(storage::Transaction& tx, const std::string& user_id, bool unread_only, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors);

}  // namespace chat::threads
