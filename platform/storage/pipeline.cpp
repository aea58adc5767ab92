#include "platform/storage/pipeline.h"

#include <libpq-fe.h>
#include <poll.h>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/storage/dial.h"
#include "platform/storage/pipeline.sql.h"
#include "platform/storage/prepared.h"
#include "platform/storage/sqlstate.h"

namespace chat::storage {
namespace {

using Clock = std::chrono::steady_clock;
using ConnectionHandle = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using ResultHandle = std::unique_ptr<PGresult, decltype(&PQclear)>;

class PipelineRows final : public Rows::Source {
 public:
  explicit PipelineRows(ResultHandle result) : result_(std::move(result)) {}
  int size() const override { return PQntuples(result_.get()); }
  int columns() const override { return PQnfields(result_.get()); }
  int affected() const override { return std::atoi(PQcmdTuples(result_.get())); }
  bool is_null(int row, int column) const override { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view value(int row, int column) const override {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }
  int column(std::string_view name) const override {
    for (int i = 0; i < columns(); ++i)
      if (name == PQfname(result_.get(), i)) return i;
    return -1;
  }

 private:
  ResultHandle result_;
};

/// What one message of the pipeline was sent for.
struct Sent {
  PreparedStatements::Entry* entry;
  bool is_prepare;
  bool is_step;                         // its rows belong to the caller
};

std::string error_field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text != nullptr ? text : "";
}

}  // namespace

// Everything up to Sync is one implicit transaction: PostgreSQL commits it at Sync or not at all, so BEGIN and COMMIT
// and their round trips are not needed. After a failure the server skips the rest up to Sync. A statement once prepared
// stays prepared, also when the transaction that prepared it failed: hence `ready` is set answer by answer.
struct Pipeline::Session {
  ConnectionHandle connection{nullptr, PQfinish};
  PreparedStatements statements;
  Breaker breaker;
  std::vector<Sent> sent;
  std::vector<const char*> pointers;
  std::optional<Failure> failure;       // the first of this transaction
  metrics::Histogram& seconds =
      metrics::histogram("chat_pipeline_seconds", "Seconds for a whole pipelined transaction, from send to commit.");
  metrics::Counter& again = metrics::counter("chat_pipeline_again_total",
                                             "Pipelined transactions that failed by serialization failure or deadlock.");

  [[noreturn]] void lost(std::string_view why) {
    std::string told = "pipeline: " + std::string(why);
    if (connection) told += std::string(": ") + PQerrorMessage(connection.get());
    connection.reset();
    throw unavailable(std::move(told));
  }

  void connect(const DatabaseOptions& options) {
    breaker.check();
    statements = {};
    connection.reset(PQconnectdb(conninfo(options).c_str()));
    if (PQstatus(connection.get()) != CONNECTION_OK || PQsetnonblocking(connection.get(), 1) != 0 ||
        PQenterPipelineMode(connection.get()) != 1) {
      breaker.failed();
      lost("connect");
    }
    PQsetNoticeProcessor(connection.get(), [](void*, const char* text) { log::debug("database.notice", {{"text", text}}); },
                         nullptr);
  }

  /// An idle session that the server has ended is replaced unseen: nothing was sent on it yet.
  void ensure_connected(const DatabaseOptions& options) {
    if (connection && (PQconsumeInput(connection.get()) != 1 || PQstatus(connection.get()) != CONNECTION_OK ||
                       ended_by_server()))
      connection.reset();
    if (!connection) connect(options);
  }

  /// A session without work hears from the server only when it is ended ("terminating connection due to …").
  bool ended_by_server() {
    pollfd waiting{PQsocket(connection.get()), POLLRDHUP, 0};
    return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
  }

  void send_step(const Statement& statement, const Params& params, bool is_step) {
    auto& entry = statements.of(statement);
    if (!entry.ready && !is_preparing(entry)) {
      if (PQsendPrepare(connection.get(), entry.name.c_str(), entry.text.c_str(), 0, nullptr) != 1) lost("prepare");
      sent.push_back({&entry, true, false});
    }
    pointers.clear();
    append_pointers(params, pointers);
    if (PQsendQueryPrepared(connection.get(), entry.name.c_str(), static_cast<int>(pointers.size()), pointers.data(),
                            nullptr, nullptr, 0) != 1)
      lost("send");
    sent.push_back({&entry, false, is_step});
  }

  bool is_preparing(const PreparedStatements::Entry& entry) const {
    for (const Sent& one : sent)
      if (one.is_prepare && one.entry == &entry) return true;
    return false;
  }

  /// Sends what is buffered and reads what has come, in whichever order the socket allows:
  /// a long batch never stands with both sides waiting for the other to read.
  void exchange(Clock::time_point deadline) {
    const int unsent = PQflush(connection.get());
    if (unsent < 0) lost("flush");
    if (PQisBusy(connection.get()) == 0) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{PQsocket(connection.get()), static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0)), 0};
    const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready == 0) lost("no answer within the deadline");
    if (ready < 0 && errno != EINTR) lost("poll");
    if ((waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && PQconsumeInput(connection.get()) != 1) lost("receive");
  }

  void take(const Sent& what, ResultHandle result, std::vector<Rows>& rows) {
    switch (PQresultStatus(result.get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (what.is_prepare) what.entry->ready = true;
        if (what.is_step) rows.emplace_back(std::make_shared<PipelineRows>(std::move(result)));
        return;
      case PGRES_PIPELINE_ABORTED:
        return;
      default:
        if (!failure)
          failure = Failure{error_field(result.get(), PG_DIAG_SQLSTATE), error_field(result.get(), PG_DIAG_MESSAGE_PRIMARY),
                            what.entry->name};
    }
  }

  std::vector<Rows> receive(Clock::time_point deadline) {
    std::vector<Rows> rows;
    std::size_t at = 0;
    bool answered = false;                // of sent[at]
    for (;;) {
      exchange(deadline);
      if (PQisBusy(connection.get()) != 0) continue;
      ResultHandle result(PQgetResult(connection.get()), PQclear);
      if (!result) {
        if (PQstatus(connection.get()) != CONNECTION_OK || Clock::now() > deadline) lost("receive");
        at += answered ? 1 : 0;
        answered = false;
        continue;
      }
      if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) return rows;
      // A failure of the commit itself (a deferred constraint) comes after the last answer.
      take(sent[std::min(at, sent.size() - 1)], std::move(result), rows);
      answered = true;
    }
  }

  void settle(std::size_t steps, const std::vector<Rows>& rows) {
    if (!failure) {
      INVARIANT(rows.size() == steps, "every step of a committed pipeline must have its result");
      return;
    }
    if (may_repeat(failure->sqlstate)) {
      again.add();
      throw Again{};
    }
    if (failure->sqlstate.empty() || ends_session(failure->sqlstate)) lost(failure->message);
    throw refusal_of(*failure);
  }
};

Pipeline::Pipeline(DatabaseOptions options) : session_(std::make_unique<Session>()), options_(std::move(options)) {
  INVARIANT(options_.statement_timeout.count() > 0, "a pipeline must have a deadline");
}
Pipeline::~Pipeline() = default;

std::vector<Rows> Pipeline::transact(AppId app, const std::vector<Step>& steps) {
  Session& session = *session_;
  session.ensure_connected(options_);
  const auto begin = Clock::now();
  session.sent.clear();
  session.failure.reset();
  try {
    session.send_step(sql::set_app, Params::of(app), false);
    for (const Step& step : steps) session.send_step(*step.statement, step.params, true);
  } catch (...) {                         // half a batch was sent, and must never meet its Sync
    session.connection.reset();
    throw;
  }
  if (PQpipelineSync(session.connection.get()) != 1) session.lost("sync");
  auto rows = session.receive(begin + options_.statement_timeout + kAnswerMargin);
  session.settle(steps.size(), rows);
  session.seconds.observe(std::chrono::duration<double>(Clock::now() - begin).count());
  note_executed(sql::set_app);
  for (const Step& step : steps) note_executed(*step.statement);
  for (const Sent& one : session.sent)
    if (one.is_step) one.entry->runs->add();
  return rows;
}

}  // namespace chat::storage
