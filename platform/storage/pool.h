#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "platform/base/error.h"
#include "platform/storage/transaction.h"

namespace chat::storage {

/// How to reach the database, and the deadlines every session gets.
struct DatabaseOptions {
  std::string dsn;                                        // libpq: "host=/run/… dbname=chat user=chat_server"
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{5'000};
  std::chrono::milliseconds idle_in_transaction_timeout{15'000};
  std::string plan_cache_mode = "auto";                   // see ops/decisions/0001-plan-cache-mode.md
  bool reads_whole_tables = true;                         // false: never where an index will do, however small the table is known to be
};

enum class Mode { write, read };                          // read: BEGIN READ ONLY

/// One database session (libpqxx). A broken one is dropped and the next use connects anew; never silently in the middle.
/// Thread:  one at a time.
class Connection {
 public:
  explicit Connection(DatabaseOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs `body` in a transaction of `app` and commits. Repeats it after a serialization failure or deadlock
  /// (up to 5 times, with jitter): the body must touch nothing but its transaction.
  /// The nil application owns nothing but the operator's own idempotency keys: for shared tables and SECURITY DEFINER functions.
  /// Cost:    BEGIN + set_config in one round trip, the statements, COMMIT.
  /// Errors:  what the body throws (rolled back); see Transaction. A COMMIT whose answer was lost → unavailable.
  void transact(AppId app, Mode mode, const std::function<void(Transaction&)>& body);

 private:
  struct Session;
  std::unique_ptr<Session> session_;
  DatabaseOptions options_;
};

/// Worker threads that own a connection each, fed from one bounded queue.
/// While PostgreSQL is away, work fails with `unavailable` at once or after connect_timeout; it is never lost silently.
class Pool {
 public:
  using Task = std::function<void(Connection&)>;
  Pool(DatabaseOptions options, int workers, std::size_t max_queue);
  ~Pool();                                                // drains what was accepted, then joins

  /// Runs `task` on a worker. False: the queue is full or the pool is stopping; the caller answers `unavailable`.
  /// A task must not throw: it answers its own errors.
  [[nodiscard]] bool submit(Task task);

  /// For jobs and tests: runs on a worker and waits for it; what the body throws comes out here.
  /// Never from a worker or an engine thread.
  void transact(AppId app, const std::function<void(Transaction&)>& body, Mode mode = Mode::write);

  /// True when a worker answered `select 1` within the deadline.
  [[nodiscard]] bool ready(std::chrono::milliseconds deadline);
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chat::storage
