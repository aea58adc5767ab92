#include "platform/tasks/work.h"

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/tasks/tasks.sql.h"

namespace chat::tasks {
namespace {

using Steady = std::chrono::steady_clock;
using storage::Connection;
using storage::Mode;
using storage::Transaction;

constexpr int kLeaseSeconds = 60;
constexpr int kKeptSeconds = 7 * 24 * 3600;
constexpr int kMaxAttempts = 5;
constexpr int kRetrySeconds = 5;
constexpr auto kTurn = std::chrono::seconds(2);        // of one task, then the next one's
constexpr auto kRun = std::chrono::seconds(10);        // of one run of the job
constexpr std::size_t kPartBytes = 1024 * 1024;

struct Claim {
  AppId app;
  TaskId id;
  std::string type, token;
  std::int64_t attempts = 0;
};

std::optional<Claim> claim(Connection& connection, const Kinds& kinds, const Clock& clock) {
  std::optional<Claim> claim;
  const std::string token = new_uuid7(clock.now()).text();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    claim.reset();
    auto rows = tx.find(sql::claim_task, kinds.types(), token, kLeaseSeconds);
    if (rows) claim = Claim{AppId{(*rows)[0].uuid(0)}, TaskId{(*rows)[0].uuid(1)}, std::string((*rows)[0].text(2)), token, (*rows)[0].integer(3)};
  });
  return claim;
}

void end(Connection& connection, const Claim& claim, const std::optional<std::string>& error, Timestamp now) {
  const std::string result = error ? "failed" : "done";
  connection.transact(claim.app, Mode::write, [&](Transaction& tx) {
    tx.run(sql::end_task, claim.app, claim.id, claim.token, result, error, now, kKeptSeconds);
  });
  metrics::counter("chat_tasks_ended_total", "Tasks that ended.", {{"task", claim.type}, {"result", result}}).add();
  if (error) log::error("task.failed", {{"app_id", claim.app.wire()}, {"task_id", claim.id.wire()}, {"type", claim.type}, {"detail", *error}});
}

/// Lines joined to parts, none much longer than kPartBytes.
std::vector<std::string> to_parts(const std::vector<std::string>& lines) {
  std::vector<std::string> parts;
  for (const auto& line : lines) {
    if (parts.empty() || parts.back().size() + line.size() > kPartBytes) parts.emplace_back();
    parts.back() += line + "\n";
  }
  return parts;
}

/// One slice in one transaction. None: it is another worker's by now.
std::optional<Step> run_slice(Connection& connection, const Claim& claim, const Work& work, Timestamp now) {
  std::optional<Step> done;
  connection.transact(claim.app, Mode::write, [&](Transaction& tx) {
    done.reset();
    auto rows = tx.find(sql::lock_slice, claim.app, claim.id, claim.token);
    if (!rows) return;
    auto row = (*rows)[0];
    Step step = work(tx, {claim.id, std::string(row.text(0)), std::string(row.text(1)), now});
    auto parts = to_parts(step.lines);
    auto number = row.integer(2);
    if (!parts.empty() && tx.run(sql::fill_part, claim.app, claim.id, number, parts.front(), kPartBytes) > 0) parts.erase(parts.begin());
    text::ArrayLiteral numbers, bodies;
    for (const auto& part : parts) {
      numbers.add(std::to_string(++number));
      bodies.add(part);
    }
    if (!parts.empty()) tx.run(sql::insert_parts, claim.app, claim.id, numbers.take(), bodies.take());
    tx.run(sql::keep_slice, claim.app, claim.id, step.state, step.items, parts.size(), now, kLeaseSeconds);
    step.lines.clear();
    done = std::move(step);
  });
  return done;
}

void yield(Connection& connection, const Claim& claim, int seconds) {
  connection.transact(claim.app, Mode::write, [&](Transaction& tx) { tx.run(sql::yield_task, claim.app, claim.id, claim.token, seconds); });
}

/// A turn of one task.
void work_on(Connection& connection, const Claim& claim, const Work& work, const Clock& clock) {
  if (claim.attempts > kMaxAttempts) return end(connection, claim, "The work was interrupted too often.", clock.now());
  const auto turn_ends = Steady::now() + kTurn;
  bool progressed = false;
  try {
    while (Steady::now() < turn_ends) {
      const auto step = run_slice(connection, claim, work, clock.now());
      if (!step) return;
      if (step->failed || step->finished) return end(connection, claim, step->failed, clock.now());
      if (step->wait) return yield(connection, claim, static_cast<int>(step->wait->count()));
      progressed = true;
    }
    yield(connection, claim, 0);
  } catch (const Error& error) {
    log::warn("task.slice_failed", {{"task_id", claim.id.wire()}, {"type", claim.type}, {"detail", error.log_detail().empty() ? error.what() : error.log_detail()}});
    if (claim.attempts >= kMaxAttempts && !progressed) end(connection, claim, error.what(), clock.now());
    else yield(connection, claim, kRetrySeconds);
  }
}

}  // namespace

const Work* Kinds::find(const std::string& type) const {
  auto found = works_.find(type);
  return found == works_.end() ? nullptr : &found->second;
}

std::string Kinds::types() const {
  text::ArrayLiteral types;
  for (const auto& [type, work] : works_) types.add(type);
  return types.take();
}

void run_tasks(Connection& connection, const Kinds& kinds, const Clock& clock) {
  const auto run_ends = Steady::now() + kRun;
  while (Steady::now() < run_ends) {
    const auto claimed = claim(connection, kinds, clock);
    if (!claimed) return;
    work_on(connection, *claimed, *kinds.find(claimed->type), clock);
  }
}

std::int64_t sweep_tasks(Transaction& tx, int limit) { return tx.query(sql::sweep_tasks, limit)[0].integer(0); }

}  // namespace chat::tasks
