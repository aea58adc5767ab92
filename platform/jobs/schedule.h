#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "platform/storage/pool.h"

namespace chat::jobs {

/// The service's recurring work: sweeps, partitions made ahead, usage flushed. Each job runs on the pool, never twice at once
/// in this process, one interval (plus or minus a tenth) after its last run ended. Several nodes run the same jobs:
/// a job must be safe beside itself (SKIP LOCKED, an advisory lock, a deterministic id).
///
/// Event:   chat_job_last_success_timestamp_seconds{job_name}, chat_job_runs_total{job_name,result: ok|error|refused}
/// Thread:  any. One thread of its own, which only waits and hands over.
class Schedule {
 public:
  using Work = std::function<void(storage::Connection&)>;

  /// The pool must outlive the schedule.
  explicit Schedule(storage::Pool& pool);
  ~Schedule();                                            // stops
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  /// Before `start`. A name once. The first run comes within one interval, at a random moment, so that nodes spread.
  /// What `work` throws is logged, counted as `error`, and the job goes on at its next time.
  void add(std::string name, std::chrono::milliseconds interval, Work work);
  void start();

  /// The job's next run comes in `delay` at the latest, counted from now even if it runs at this moment. An unknown name is an INVARIANT.
  void run_within(const std::string& name, std::chrono::milliseconds delay);

  /// Runs the job now, after a run that is under way, and waits for it. What it throws comes out here.
  /// For tests and operators; never from a worker of the pool. An unknown name is an INVARIANT.
  /// Errors:  unavailable (the pool is full or the deadline has passed; then the job may still run).
  void run_now(const std::string& name, std::chrono::milliseconds deadline = std::chrono::seconds(30));

  /// No job starts any more; waits for those that run.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chat::jobs
