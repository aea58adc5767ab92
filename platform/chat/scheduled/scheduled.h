#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"

/// Messages that are sent later. At their time a job hands them to the way of every message, so that what holds then (membership,
/// frozen, limits) decides; each is sent once, whatever dies meanwhile.
namespace chat::scheduled {

struct ScheduledTag { static constexpr std::string_view kPrefix = "sch"; };
using ScheduledId = Id<ScheduledTag>;

inline constexpr int kMaxScheduled = 100;      // waiting and failed ones of one user
inline constexpr std::chrono::hours kMaxAhead{24 * 365};

struct Scheduled {
  ScheduledId id;
  std::string cid, user_id;
  std::string message;                         // JSON, as POST …/messages takes it
  Timestamp send_at;
  bool sending = false;                        // its time has come
  std::optional<std::string> failed_code, failed_detail;
  Timestamp created_at, updated_at;
};
std::string scheduled_json(const Scheduled& scheduled);

/// Errors:  forbidden (may not send there now); limit_reached
/// Event:   schedule.updated to the user's own connections
Scheduled schedule_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, bool by_server,
                           const std::string& message, Timestamp send_at, Timestamp now);

struct Change {
  std::optional<std::string> message;
  std::optional<Timestamp> send_at;            // a failed one waits again
};
/// With `user_id` empty: anybody's.
/// Errors:  not_found; conflict (it is being sent)
/// Event:   schedule.updated
Scheduled update_scheduled(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, ScheduledId id, const Change& change, Timestamp now);
/// Errors:  not_found; conflict (it is being sent)
/// Event:   schedule.deleted
void cancel_scheduled(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, ScheduledId id, Timestamp now);

/// Of one user, the next first; failed ones stand at their time.
storage::Page<Scheduled> list_scheduled(storage::Transaction& tx, const std::string& user_id, Timestamp now, int limit,
                                        const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// How the job sends; handed in by server. Calls `done` once, on any thread: the message, or why it was refused.
struct Due {
  AppId app;
  std::string channel_type, channel_id, user_id, message, nonce_key;
  bool by_server = false;
};
using Done = std::function<void(const std::optional<MessageId>&, const std::optional<Error>&)>;
using SendLater = std::function<void(storage::Connection&, const Due&, Done)>;

/// Claims what is due and sends it. A claim lasts kLease: who dies holding one delays its messages by that much, and the nonce
/// makes a second sending harmless.
/// Event:   schedule.sent, schedule.failed to the user's own connections
/// Returns: how many were handed over; their ends come later.
inline constexpr std::chrono::seconds kLease{60};
int send_due(storage::Connection& connection, bus::Bus& bus, const Clock& clock, const SendLater& send,
             const std::function<bool(storage::Pool::Task)>& run);

}  // namespace chat::scheduled
