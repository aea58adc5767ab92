#include "platform/jobs/schedule.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"

namespace chat::jobs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRefusedPause{1};        // the pool was full: try again then

double unix_seconds() {
  return std::chrono::duration<double>(system_clock().now().time_since_epoch()).count();
}

metrics::Counter& runs(const std::string& job, const char* result) {
  return metrics::counter("chat_job_runs_total", "Runs of each recurring job.", {{"job_name", job}, {"result", result}});
}

struct Job {
  std::string name;
  std::chrono::milliseconds interval;
  Schedule::Work work;
  metrics::Gauge& last_success;
  Clock::time_point due{};
  Clock::time_point asked_for = Clock::time_point::max();    // meanwhile
  bool running = false;
};

}  // namespace

struct Schedule::State : std::enable_shared_from_this<Schedule::State> {
  explicit State(storage::Pool& p) : pool(p) {}

  storage::Pool& pool;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Job> jobs;        // all below guarded by mutex; the map does not change after start
  std::minstd_rand random{std::random_device{}()};
  bool started = false;
  bool stopping = false;
  std::thread thread;

  /// `from` to `to` tenths of the interval.
  Clock::duration part_of(std::chrono::milliseconds interval, int from, int to) {
    const auto tenth = std::chrono::duration_cast<std::chrono::microseconds>(interval).count() / 10;
    return std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(tenth * from, tenth * to)(random));
  }

  void loop() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      Job* next = earliest();
      if (next == nullptr)
        changed.wait(lock);
      else if (next->due > Clock::now())
        changed.wait_until(lock, next->due);
      else
        hand_over(*next);
    }
  }

  Job* earliest() {
    Job* found = nullptr;
    for (auto& [name, job] : jobs)
      if (!job.running && (found == nullptr || job.due < found->due)) found = &job;
    return found;
  }

  void hand_over(Job& job) {
    job.running = true;
    const bool accepted = pool.submit([state = shared_from_this(), &job](storage::Connection& connection) {
      try {
        run(job, connection);
      } catch (const std::exception& e) {
        log::error("job.failed", {{"job", job.name}, {"error", e.what()}});
      }
      state->finish(job);
    });
    if (accepted) return;
    runs(job.name, "refused").add();
    job.running = false;
    job.due = Clock::now() + kRefusedPause;
  }

  static void run(Job& job, storage::Connection& connection) {
    try {
      job.work(connection);
    } catch (...) {
      runs(job.name, "error").add();
      throw;
    }
    runs(job.name, "ok").add();
    job.last_success.set(unix_seconds());
  }

  void finish(Job& job) {
    std::lock_guard lock(mutex);
    job.running = false;
    job.due = std::min(Clock::now() + part_of(job.interval, 9, 11), std::exchange(job.asked_for, Clock::time_point::max()));
    changed.notify_all();
  }

  bool none_running() const {
    for (const auto& [name, job] : jobs)
      if (job.running) return false;
    return true;
  }
};

Schedule::Schedule(storage::Pool& pool) : state_(std::make_shared<State>(pool)) {}
Schedule::~Schedule() { stop(); }

void Schedule::add(std::string name, std::chrono::milliseconds interval, Work work) {
  std::lock_guard lock(state_->mutex);
  INVARIANT(!state_->started && interval.count() > 0, "jobs must be added before the start, with an interval");
  auto& last_success = metrics::gauge("chat_job_last_success_timestamp_seconds", "When each recurring job last succeeded.",
                                      {{"job_name", name}});
  Job job{name, interval, std::move(work), last_success};
  job.due = Clock::now() + state_->part_of(interval, 0, 10);
  INVARIANT(state_->jobs.emplace(name, std::move(job)).second, "a job's name must stand for one job");
}

void Schedule::start() {
  std::lock_guard lock(state_->mutex);
  INVARIANT(!state_->started, "a schedule starts once");
  state_->started = true;
  state_->thread = std::thread([state = state_.get()] {
    name_this_thread("schedule");
    state->loop();
  });
}

void Schedule::run_within(const std::string& name, std::chrono::milliseconds delay) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->jobs.find(name);
  INVARIANT(found != state_->jobs.end(), "no job of this name");
  Job& job = found->second;
  auto& next = job.running ? job.asked_for : job.due;
  next = std::min(next, Clock::now() + delay);
  state_->changed.notify_all();
}

void Schedule::run_now(const std::string& name, std::chrono::milliseconds deadline) {
  auto late = [] { return Error(Code::unavailable, "The job did not end in time."); };
  const auto until = Clock::now() + deadline;
  std::unique_lock lock(state_->mutex);
  auto found = state_->jobs.find(name);
  INVARIANT(found != state_->jobs.end(), "no job of this name");
  Job& job = found->second;
  if (!state_->changed.wait_until(lock, until, [&] { return state_->stopping || !job.running; })) throw late();
  if (state_->stopping) throw Error(Code::unavailable, "The schedule has stopped.");
  job.running = true;
  auto done = std::make_shared<std::promise<void>>();
  auto result = done->get_future();
  const bool accepted = state_->pool.submit([state = state_, &job, done](storage::Connection& connection) {
    std::exception_ptr failure;
    try {
      State::run(job, connection);
    } catch (...) {
      failure = std::current_exception();
    }
    state->finish(job);
    failure ? done->set_exception(failure) : done->set_value();
  });
  if (!accepted) {
    job.running = false;
    throw Error(Code::unavailable, "The service is busy. Try again in a moment.");
  }
  lock.unlock();
  if (result.wait_until(until) != std::future_status::ready) throw late();
  result.get();
}

void Schedule::stop() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait(lock, [&] { return state_->none_running(); });
  if (!state_->thread.joinable()) return;
  std::thread thread = std::move(state_->thread);
  lock.unlock();
  thread.join();
}

}  // namespace chat::jobs
