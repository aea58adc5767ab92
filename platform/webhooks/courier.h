#pragma once
#include <chrono>
#include <functional>
#include <memory>

#include "platform/base/crypto.h"
#include "platform/outbound/client.h"
#include "platform/storage/pool.h"
#include "platform/webhooks/outbox.h"

namespace chat::webhooks {

struct Delivering {
  storage::DatabaseOptions database;
  outbound::Client& client;                    // for deliveries alone: what hangs must not hold up others
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  const Clock& clock;
  Load load;
};

/// Turns what lies in the outbox into deliveries, and calls the endpoints.
///
/// A delivery is claimed for kLease and renewed while its call runs; whoever dies holding one delays it by that much, and may have been
/// heard: then it comes twice, under the same webhook-id. No transaction is open during a call. An endpoint gets Flows::kFirst calls at once, and
/// twice as many with each success, up to its own max_in_flight; a failure begins anew with one. So one that hangs holds few calls,
/// and after five failures in a row the breaker lets none through for a while. An application gets its share of this node (Flows).
///
/// Event:   webhook.endpoint_failing at 50, 75 and 90 % of the five days after which it is disabled; webhook.endpoint_disabled
///          chat_webhook_attempts_total{outcome}, chat_webhook_delay_seconds, chat_webhook_seconds, chat_webhook_in_flight
/// Shape:   at most Flows::kMaxInFlight calls at once on this node, and none begins while Flows::kMaxBytes of bodies are under way.
/// Thread:  one of its own with a connection; answers come on the client's.
class Courier {
 public:
  static constexpr std::chrono::seconds kLease{60}, kRenewed{20};
  static constexpr std::chrono::milliseconds kRest{5}, kIdle{500};   // when there is nothing to do: at least, and unless it is woken
  static constexpr int kMaxClaimed = 1'024;

  explicit Courier(Delivering delivering);
  ~Courier();                                  // stops
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  void start();
  /// Something may have come. From any thread, as often as you like: what is told while it looks is one more look.
  void wake();
  /// Waits a moment for calls under way, and writes down what came; the rest is called again after its lease.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chat::webhooks
