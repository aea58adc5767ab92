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

/// Messages that wait for approval: of channel types that want it, and those that a server sends so. Until then nothing else
/// knows of them: no number, no history, no unread count, no search. Approved, one goes the way of every message, once.
namespace chat::pending {

struct PendingTag { static constexpr std::string_view kPrefix = "pnd"; };
using PendingId = Id<PendingTag>;

inline constexpr int kMaxPending = 100;        // undecided ones of one user
inline constexpr std::size_t kMaxReasonBytes = 500;
inline constexpr std::chrono::hours kWaits{24 * 14};   // undecided: rejected; rejected: kept as long for its author
inline constexpr int kMaxModerators = 100;     // told of one message

struct Pending {
  PendingId id;
  ChannelId channel;
  std::string channel_type, channel_id, user_id;
  std::string message;                         // JSON, as POST …/messages takes it
  std::string status;                          // pending | approved (on its way) | rejected | failed (approved, and refused then)
  std::optional<std::string> decided_by;       // absent: a server, or nobody in time
  std::optional<std::string> reason;           // of rejected and failed ones
  Timestamp created_at, updated_at, expires_at;
  std::optional<std::string> findings;         // of rules, JSON array; for those who decide

  [[nodiscard]] std::string cid() const { return channel_type + ":" + channel_id; }
};
std::string pending_json(const Pending& pending, bool with_findings = false);

/// A message that may be sent but for the approval: that was judged on its way.
struct Held {
  std::string channel_type, channel_id, user_id;
  std::string message;                         // JSON, as POST …/messages takes it, without nonce
  std::optional<std::string> nonce, nonce_key;
  std::string fingerprint;                     // of the content, with a nonce_key
  std::string findings = {};                   // of rules, JSON array; empty: none
};
/// Under the same nonce_key again: gives what is held already.
/// Errors:  limit_reached; idempotency_mismatch; not_found (the channel or user went meanwhile)
/// Event:   message.pending
struct Hold {
  bool replayed = false;
  Pending pending;
};
Hold hold_message(storage::Transaction& tx, bus::Bus& bus, const Held& held, Timestamp now);

/// It is sent soon after the commit (send_approved). Twice changes nothing; a failed one is tried again.
/// Errors:  not_found; forbidden; conflict (rejected)
Pending approve_message(storage::Transaction& tx, const channels::Opened& opened, PendingId id, Timestamp now);
/// Twice changes nothing.
/// Errors:  not_found; forbidden; conflict (approved)
/// Event:   message.rejected, when changed
Pending reject_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, PendingId id,
                       const std::optional<std::string>& reason, Timestamp now);

/// Of a channel, for moderators, or of a user; the oldest first.
/// Errors:  forbidden
storage::Page<Pending> list_of_channel(storage::Transaction& tx, const channels::Opened& opened, int limit,
                                       const std::optional<std::string>& cursor, const storage::Cursors& cursors);
storage::Page<Pending> list_of_user(storage::Transaction& tx, const std::string& user_id, int limit,
                                    const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// How an approved one is sent; handed in by server. Calls `done` once, on any thread: the message, or why it was refused.
struct Due {
  AppId app;
  std::string channel_type, channel_id, user_id, message, nonce_key, fingerprint;
};
using Done = std::function<void(const std::optional<MessageId>&, const std::optional<Error>&)>;
using SendLater = std::function<void(storage::Connection&, const Due&, Done)>;
/// Who hears of one that was sent, in the transaction that keeps it.
using Sent = std::function<void(storage::Transaction&, const Due&, const MessageId&, Timestamp now)>;

/// Claims what is approved and sends it, with a server's rights: who approved it has decided. A claim lasts kLease; the nonce makes a
/// second sending harmless.
/// Event:   message.approved
/// Returns: how many were handed over; their ends come later.
inline constexpr std::chrono::seconds kLease{60};
int send_approved(storage::Connection& connection, bus::Bus& bus, const Clock& clock, const SendLater& send, const Sent& sent,
                  const std::function<bool(storage::Pool::Task)>& run);

/// For the job: rejects what nobody decided in time, and forgets what was rejected long ago.
/// Event:   message.rejected
void expire_pending(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::pending
