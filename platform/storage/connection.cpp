#include <random>
#include <thread>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/storage/dial.h"
#include "platform/storage/pool.h"
#include "platform/storage/session.h"
#include "platform/storage/sqlstate.h"

namespace chat::storage {
namespace {

constexpr int kMaxRepeats = 5;

std::string set_app(AppId app) { return "select set_config('chat.app_id','" + app.text() + "',true)"; }

/// 1-10 ms after the first failure, up to 16 times that after the fifth: two that met once should not meet again.
void wait_before_repeat(int repeats) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const int longest_us = 10'000 << (repeats - 1);
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(1'000, longest_us)(random)));
}

class LiveTransaction final : public Transaction {
  template <class Act>
  auto noting_failure(Act act) {
    try {
      return act();
    } catch (const Repeat&) {
      failed_ = repeat_ = true;
      throw;
    } catch (...) {
      failed_ = true;
      throw;
    }
  }

 public:
  LiveTransaction(Session& session, AppId app) : Transaction(app), session_(session) {}

  void enter(AppId app) override {
    noting_failure([&] { session_.run(set_app(app), "enter"); });
    app_ = app;
  }

  Rows execute(const Statement& statement, const Params& params) override {
    return noting_failure([&] { return session_.execute(statement, params); });
  }

  Rows execute_composed(const Statement& base, const std::string& text, const Params& params) override {
    return noting_failure([&] { return session_.execute_composed(base, text, params); });
  }

  void nested(const std::function<void()>& body) override {
    const std::size_t actions = after_commit_.size();
    const AppId app = app_;
    noting_failure([&] { session_.run("SAVEPOINT nested", "savepoint"); });
    try {
      body();
      noting_failure([&] { session_.run("RELEASE nested", "release"); });
    } catch (...) {
      after_commit_.resize(actions);
      app_ = app;
      if (!repeat_ && !session_.broken()) {
        session_.run("ROLLBACK TO nested; RELEASE nested", "rollback to savepoint");
        failed_ = false;
      }
      throw;
    }
  }

  /// A body that caught the failure of a statement and went on would commit nothing, in silence.
  /// (Where the failure was one to repeat, `attempt` repeats instead.)
  void check_whole() const {
    if (failed_) throw Error(Code::internal, "The service made a mistake.").with_log("a failed statement was ignored");
  }
  [[nodiscard]] bool repeat() const { return repeat_; }

  void announce() {
    for (const auto& action : after_commit_) {
      try {
        action();
      } catch (const std::exception& e) {   // the commit stands: nobody may hear of a failure
        log::error("transaction.after_commit_failed", {{"error", e.what()}});
      }
    }
  }

 private:
  Session& session_;
  bool failed_ = false;
  bool repeat_ = false;
};

}  // namespace

void Transaction::check_at_most_one(const Statement& statement, const Rows& rows) {
  (void)statement;
  INVARIANT(rows.size() <= 1, "a statement that finds one row found two");
}

struct Connection::Session {
  std::unique_ptr<storage::Session> sql;
  Breaker breaker;
  bool away = false;
  metrics::Counter& repeats = metrics::counter("chat_database_retries_total",
                                               "Transactions run again after a serialization failure or deadlock.");

  storage::Session& connected(const DatabaseOptions& options) {
    if (sql && !sql->broken()) return *sql;
    sql.reset();
    breaker.check();
    try {
      sql = std::make_unique<storage::Session>(options);
    } catch (const Error& e) {
      breaker.failed();
      if (!away) log::warn("database.away", {{"error", e.log_detail()}});
      away = true;
      throw;
    }
    if (away) log::info("database.back");
    away = false;
    return *sql;
  }

  /// The server may have ended the session while it was idle. Before BEGIN was answered nothing has happened,
  /// so this alone may go to a new one unseen.
  storage::Session& begin(const DatabaseOptions& options, AppId app, Mode mode) {
    const std::string sql_text = (mode == Mode::read ? "BEGIN READ ONLY;" : "BEGIN;") + set_app(app);
    const bool was_idle = sql != nullptr;
    try {
      connected(options).run(sql_text, "begin");
    } catch (const Error&) {
      if (!was_idle || !sql || !sql->broken()) throw;
      connected(options).run(sql_text, "begin");
    }
    return *sql;
  }

  void attempt(const DatabaseOptions& options, AppId app, Mode mode, const std::function<void(Transaction&)>& body) {
    storage::Session& session = begin(options, app, mode);
    LiveTransaction tx(session, app);
    try {
      body(tx);
      tx.check_whole();
      session.run("COMMIT", "commit");
    } catch (...) {
      session.roll_back();
      if (session.broken()) sql.reset();
      if (tx.repeat()) throw Repeat{};
      throw;
    }
    tx.announce();
  }
};

Connection::Connection(DatabaseOptions options) : session_(std::make_unique<Session>()), options_(std::move(options)) {}
Connection::~Connection() = default;

void Connection::transact(AppId app, Mode mode, const std::function<void(Transaction&)>& body) {
  for (int repeats = 0;; ++repeats) {
    try {
      return session_->attempt(options_, app, mode, body);
    } catch (const Repeat&) {
      if (repeats == kMaxRepeats) throw unavailable("still not serializable after 5 repeats");
      session_->repeats.add();
    }
    wait_before_repeat(repeats + 1);
  }
}

}  // namespace chat::storage
