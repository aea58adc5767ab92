#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/event.h"
#include "platform/chat/notifications/providers.h"
#include "platform/storage/pool.h"

/// Push notifications: who is away and is told of what, and that it reaches the devices. Nothing here is in the way of a send: it
/// leaves one row of references for its whole batch, and only in applications that have a push provider.
namespace chat::notifications {

struct Notifying {
  Senders& senders;
  const Clock& clock;
  /// A message is looked at so long after it was sent: whoever is connected then, or has read it by then, is not notified.
  std::chrono::milliseconds delay;
  /// Those of the users who have a connection, on any node. May wait; asked outside of transactions.
  std::function<std::vector<std::string>(AppId, const std::vector<std::string>& user_ids)> connected;
  std::function<bool(storage::Pool::Task)> run;      // on a database worker; false: too many wait
  std::chrono::milliseconds budget{200};             // of one run of decide_pushes
  /// The plan's limit of pushes: how many of `wanted` may be handed over, and later what became of those. `hold`: under which all nodes know
  /// of them; its end is kept with theirs. `is_refused`: the others never may; else some are on their way, and leave room if they fail.
  struct Taken {
    std::int64_t count = 0;
    bool is_refused = false;
    std::optional<Uuid> hold = {};
  };
  std::function<Taken(storage::Connection&, AppId, std::int64_t wanted)> take = {};
  std::function<void(AppId, std::int64_t taken, std::int64_t sent)> settle = {};
  /// What became of a delivery that was handed over, in the transaction that ends it. Event: push.sent, push.failed
  std::function<void(storage::Transaction&, bus::Event)> tell = {};
};

/// First step, for the job: goes through what was sent and leaves a delivery for each device that is to be told.
///
/// Shape:   a page of kMembersAtOnce members of one message a transaction, with where it stands: a worker that dies loses nothing,
///          and no device is told twice. Ends after the budget and gives back what is left.
/// Cost:    three statements a page, whatever the number of members with other preferences; nothing for channel types without push.
/// Returns: the deliveries that were left.
inline constexpr int kMembersAtOnce = 1'000;
int decide_pushes(storage::Connection& connection, const Notifying& notifying);

/// Second step: hands deliveries to the providers and keeps what they answered.
///
/// A delivery is claimed for kLease. Whoever dies holding one delays it by that much, and may have handed it over already: then the
/// device is told twice, and the second takes the place of the first (the collapse key). What the plan's limit does not allow ends
/// untold (`over_limit`). Counted as `push` once, in the
/// transaction that ends it.
/// Shape:   at most kMaxUnderWay on this node, kMaxEach of an application a run.
/// Thread:  one run at a time; answers come on the outbound client's thread.
class Courier {
 public:
  static constexpr std::chrono::seconds kLease{60};
  static constexpr int kMaxEach = 100, kMaxUnderWay = 1'000;
  static constexpr int kMaxAttempts = 8;

  explicit Courier(const Notifying& notifying);
  /// Returns: how many were handed over; their ends come later.
  int deliver(storage::Connection& connection);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chat::notifications
