#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "platform/base/metrics.h"
#include "platform/jobs/schedule.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using jobs::Schedule;
using storage::Connection;
using std::chrono::milliseconds;

namespace {

double runs(const std::string& job, const std::string& result) {
  return metrics::counter("chat_job_runs_total", "", {{"job_name", job}, {"result", result}}).value();
}

/// Counts, and lets a test wait for a count.
class Count {
 public:
  void add() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("schedule: a job runs again and again, also after it failed", "[db][jobs]") {
  storage::Pool pool(notes_database().server(), 2, 10);
  Schedule schedule(pool);
  Count count;
  schedule.add("failing", milliseconds(5), [&](Connection&) {
    count.add();
    throw std::runtime_error("no");
  });
  schedule.start();
  CHECK(count.reaches(3));
  schedule.stop();
  CHECK(runs("failing", "error") >= 3);
  CHECK(runs("failing", "ok") == 0);
}

TEST_CASE("schedule: a job never runs twice at once", "[db][jobs]") {
  storage::Pool pool(notes_database().server(), 4, 10);
  Schedule schedule(pool);
  std::atomic<int> inside{0};
  std::atomic<bool> twice{false};
  Count count;
  schedule.add("alone", milliseconds(1), [&](Connection& connection) {
    if (++inside > 1) twice = true;
    connection.transact(AppId{}, storage::Mode::read, [](storage::Transaction& tx) { tx.query(kListNotes); });
    --inside;
    count.add();
  });
  schedule.start();
  for (int i = 0; i < 20; ++i) schedule.run_now("alone");
  CHECK(count.reaches(21));
  CHECK_FALSE(twice);
}

TEST_CASE("schedule: run_now waits for the run and passes on what it threw", "[db][jobs]") {
  storage::Pool pool(notes_database().server(), 1, 10);
  Schedule schedule(pool);
  int ran = 0;
  schedule.add("counted", std::chrono::hours(1), [&](Connection&) { ++ran; });
  schedule.add("refusing", std::chrono::hours(1), [](Connection&) { throw forbidden("no"); });
  schedule.start();
  schedule.run_now("counted");
  CHECK(ran == 1);
  CHECK(refusal([&] { schedule.run_now("refusing"); }).code() == Code::forbidden);
  CHECK(metrics::gauge("chat_job_last_success_timestamp_seconds", "", {{"job_name", "counted"}}).value() > 1.7e9);
  schedule.stop();
  CHECK(refusal([&] { schedule.run_now("counted"); }).code() == Code::unavailable);
}

TEST_CASE("schedule: a job that is asked for comes sooner, also when it asks itself", "[db][jobs]") {
  storage::Pool pool(notes_database().server(), 1, 10);
  Schedule schedule(pool);
  Count count;
  schedule.add("asked for", std::chrono::hours(1), [&](Connection&) {
    count.add();
    schedule.run_within("asked for", milliseconds(1));
    schedule.run_within("asked for", std::chrono::hours(2));
  });
  schedule.start();
  schedule.run_within("asked for", milliseconds(1));
  CHECK(count.reaches(3));
  schedule.stop();
}

TEST_CASE("schedule: a full pool postpones a job, and says so", "[db][jobs]") {
  storage::Pool pool(notes_database().server(), 1, 1);
  std::promise<void> started;
  std::promise<void> release;
  auto released = release.get_future().share();
  REQUIRE(pool.submit([&](Connection&) {
    started.set_value();
    released.wait_for(std::chrono::seconds(10));
  }));
  started.get_future().wait_for(std::chrono::seconds(10));
  REQUIRE(pool.submit([](Connection&) {}));
  Schedule schedule(pool);
  Count count;
  schedule.add("postponed", milliseconds(1), [&](Connection&) { count.add(); });
  schedule.start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (runs("postponed", "refused") == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(runs("postponed", "refused") == 1);
  release.set_value();
  CHECK(count.reaches(1));
}
