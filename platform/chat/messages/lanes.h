#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/accounts.h"
#include "platform/bus/feed.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/pool.h"

/// The way of a send: hash(application, channel) picks a lane; a lane has one database session and one batch in flight.
/// What arrives meanwhile waits and goes together: no delay when idle, more per commit when busy.
namespace chat::messages {

struct Sent {
  Message message;
  bool replayed = false;                       // an earlier send had the same nonce: this is its message
};

/// One message on its way. Checked for form; whether it may be sent is decided under the channel's lock.
struct Send {
  std::shared_ptr<const tenants::Application> application;
  std::shared_ptr<billing::Account> account;   // one message of the month is reserved on it
  std::string channel_type, channel_id;
  bool by_server = false;
  Message message;                             // user_id, content, nonce; the lane adds id, numbers and time
  std::vector<std::string> mentioned;
  std::vector<std::string> mentioned_roles;    // of the channel; everybody with one of them
  bool mentions_channel = false, mentions_here = false;
  struct Poll {
    std::optional<Timestamp> closes_at;
  };
  std::optional<Poll> poll;                    // the rest of it stands in message.extras
  bool clears_draft = false;                    // the sender's draft, there or in the thread, goes with it
  std::string findings;                        // of rules: JSON array of {source,rule,…}, as flags.h; written as flags with the message; empty: none
  bool shadowed = false;                       // stored as if its author were in the shadow of a ban: only the author sees it
  std::optional<std::string> nonce_key;        // the nonce, or the Idempotency-Key, each under its own prefix
  std::string fingerprint;                     // SHA-256 of the content, hex; with a nonce_key
  std::function<void(const Sent&)> sent;       // exactly one of these is called, once, on the lane's thread
  std::function<void(const Error&)> refused;
  std::function<void(const Send&)> held;       // it may be sent, but for an approval

  [[nodiscard]] std::size_t bytes() const;
};

/// Sends messages.
///
/// Order:   of one channel as submitted; ids grow with seq.
/// Shape:   a lane holds at most kMaxQueued sends and kMaxQueuedBytes; beyond, submit refuses.
/// Errors:  (to `refused`) not_found; user_deactivated; channel_frozen; too_large; forbidden; idempotency_mismatch; unavailable
///          (whether it was stored is then unknown: send again with the same nonce)
/// Event:   message.new (and draft.deleted to the sender's devices, when a draft went), published in order of seq after the commit and before `sent`.
/// Cost:    one round trip and one commit per application and batch; one more read when a batch holds replies or quotes.
class Lanes {
 public:
  struct Options {
    storage::DatabaseOptions database;
    int lanes = 4;
    int first_shard = 1;                       // of the usage ledger; 0 belongs to the workers
    std::size_t max_batch = 256;
    /// Of each message with mention_here, once it is published; on the lane's thread, so quick.
    std::function<void(AppId, ChannelId, const Message&)> mentions_here = {};
  };
  static constexpr std::size_t kMaxQueued = 8'192;
  static constexpr std::size_t kMaxQueuedBytes = 64 * 1024 * 1024;

  Lanes(Options options, bus::Bus& bus, const Clock& clock);
  ~Lanes();
  /// False: the lane is full or stopping; nothing was called and nothing will be.
  [[nodiscard]] bool submit(std::unique_ptr<Send> send);
  [[nodiscard]] std::size_t queued() const;    // sends that wait for the next batch
  [[nodiscard]] std::uint64_t submitted() const { return submitted_.load(std::memory_order_relaxed); }
  void stop();                                 // finishes what is queued, then joins

 private:
  std::vector<std::unique_ptr<class Lane>> lanes_;
  std::atomic<std::uint64_t> submitted_{0};
};

}  // namespace chat::messages
