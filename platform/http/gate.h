#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/http/request.h"
#include "platform/http/router.h"
#include "platform/storage/pool.h"

namespace chat::http {

/// One policy's state, for the RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10).
struct RatePolicy {
  std::string name;                        // "app", "user"
  std::int64_t quota = 0;                  // per window
  std::int64_t window_s = 0;
  std::int64_t remaining = 0;
  std::int64_t reset_s = 0;
};
struct RateDecision {
  bool allowed = true;
  std::int64_t retry_after_s = 0;
  std::vector<RatePolicy> policies;        // the refusing or nearest first
  std::string refused_by;                  // the limit, as it is called in plans
};

/// What the gate asks of the layers above; handed in by platform/server.
struct GateHooks {
  /// Who is calling? Throws unauthenticated, token_expired, token_revoked, application_suspended, …
  /// Called on the engine's thread: answers from memory. `retry_with_database` set → see below.
  std::function<std::shared_ptr<const Principal>(const Request&)> authenticate;
  /// The same with a connection, when the application is not yet in memory. Called on a pool worker.
  std::function<std::shared_ptr<const Principal>(const Request&, storage::Connection&)> authenticate_cold;
  std::function<AppId(const Principal&)> app_of;              // nil for operators
  std::function<std::string(const Principal&)> name_of;       // identity for idempotency: "server", "user:alice", "operator"
  std::function<RateDecision(const Principal&, const Route&)> rate;
  /// After `rate` let it pass: takes what the call costs, or refuses. Whom it let pass is told to `served`.
  std::function<void(const Principal&, const Route&)> enter;
  /// Notes who acts, of whom there may be a limit. Without a connection it answers from memory; false: it needs one.
  std::function<bool(const Principal&, storage::Connection*)> meet;
  /// Metering of calls. `admitted`: `enter` let it pass; told once for each of those.
  struct Served {
    std::shared_ptr<const Principal> principal;   // that `rate` was asked about; null: nobody was
    const Route& route;
    int status = 0;
    bool admitted = false;
  };
  std::function<void(const Served&)> served;
};

/// Thrown by GateHooks::authenticate when it needs the database.
struct NeedsDatabase {};

/// The one way every request takes, whatever the engine:
/// request id → route → size → authenticate → rate → enter → meet → (idempotency → handler in one transaction) → headers → answer.
/// The only catch of the HTTP doors: an Error becomes its problem, anything else `internal`, logged with the request id.
/// Thread:  handle() is called on engine threads and never blocks.
class Gate {
 public:
  Gate(const Router& router, storage::Pool& pool, const Clock& clock, std::string door, GateHooks hooks);
  void handle(Request request, Responder respond);
  /// Requests accepted and not yet answered: for draining.
  [[nodiscard]] std::int64_t in_flight() const;

  struct State;                            // of gate.cpp

 private:
  std::shared_ptr<State> state_;
};

}  // namespace chat::http
