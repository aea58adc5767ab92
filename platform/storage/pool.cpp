#include "platform/storage/pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"
#include "platform/storage/pool.sql.h"

namespace chat::storage {
namespace {

using Time = std::chrono::steady_clock::time_point;

struct Waiting {
  Pool::Task task;
  Time since;
};

struct Meters {
  metrics::Gauge& size = metrics::gauge("chat_database_pool_size", "Workers with a database connection of their own.");
  metrics::Gauge& in_use = metrics::gauge("chat_database_pool_in_use", "Workers that run a task now.");
  metrics::Gauge& depth = metrics::gauge("chat_database_queue_depth", "Tasks that wait for a worker.");
  metrics::Histogram& wait = metrics::histogram("chat_database_queue_wait_seconds", "How long tasks waited for a worker.");
  metrics::Counter& refused = metrics::counter("chat_database_queue_refused_total", "Tasks refused by a full or stopping pool.");
};

}  // namespace

struct Pool::State {
  State(DatabaseOptions o, std::size_t m) : options(std::move(o)), max_queue(m) {}

  const DatabaseOptions options;
  const std::size_t max_queue;
  Meters meters;
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Waiting> queue;              // guarded by mutex
  bool stopping = false;                  // guarded by mutex
  std::mutex join_mutex;
  std::vector<std::thread> workers;       // joined under join_mutex

  bool push(Task&& task) {
    {
      std::lock_guard lock(mutex);
      if (stopping || queue.size() >= max_queue) return false;
      queue.push_back({std::move(task), std::chrono::steady_clock::now()});
    }
    meters.depth.add(1);
    arrived.notify_one();
    return true;
  }

  std::optional<Waiting> pop() {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return stopping || !queue.empty(); });
    if (queue.empty()) return std::nullopt;
    Waiting next = std::move(queue.front());
    queue.pop_front();
    return next;
  }

  void work() {
    name_this_thread("pool");
    Connection connection(options);
    while (auto next = pop()) {
      meters.depth.add(-1);
      meters.wait.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - next->since).count());
      meters.in_use.add(1);
      try {
        next->task(connection);
      } catch (const std::exception& e) {
        log::error("database_task.failed", {{"error", e.what()}});
      } catch (...) {
        log::error("database_task.failed", {{"error", "not a std::exception"}});
      }
      meters.in_use.add(-1);
    }
  }
};

Pool::Pool(DatabaseOptions options, int workers, std::size_t max_queue)
    : state_(std::make_unique<State>(std::move(options), max_queue)) {
  INVARIANT(workers > 0 && max_queue > 0, "a pool must have a worker and room for a task");
  for (int i = 0; i < workers; ++i) state_->workers.emplace_back([this] { state_->work(); });
  state_->meters.size.add(workers);
}

Pool::~Pool() { stop(); }

bool Pool::submit(Task task) {
  const bool accepted = state_->push(std::move(task));
  if (!accepted) state_->meters.refused.add();
  return accepted;
}

void Pool::transact(AppId app, const std::function<void(Transaction&)>& body, Mode mode) {
  auto done = std::make_shared<std::promise<void>>();       // the worker is still inside set_value when we wake up
  auto result = done->get_future();
  const bool accepted = submit([&, done](Connection& connection) {
    try {
      connection.transact(app, mode, body);
      done->set_value();
    } catch (...) {
      done->set_exception(std::current_exception());
    }
  });
  if (!accepted)
    throw Error(Code::unavailable, "The service is busy. Try again in a moment.").with_retry_after(std::chrono::seconds(1));
  result.get();
}

bool Pool::ready(std::chrono::milliseconds deadline) {
  auto answer = std::make_shared<std::promise<bool>>();     // outlives a caller who has gone
  auto result = answer->get_future();
  const bool accepted = submit([answer](Connection& connection) {
    try {
      connection.transact(AppId{}, Mode::read, [](Transaction& tx) { tx.query(sql::ping); });
      answer->set_value(true);
    } catch (const Error&) {
      answer->set_value(false);
    }
  });
  return accepted && result.wait_for(deadline) == std::future_status::ready && result.get();
}

void Pool::stop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->arrived.notify_all();
  std::lock_guard lock(state_->join_mutex);
  for (std::thread& worker : state_->workers) {
    worker.join();
    state_->meters.size.add(-1);
  }
  state_->workers.clear();
}

}  // namespace chat::storage
