#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "platform/storage/pipeline.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Params;
using storage::Transaction;

namespace {

constexpr storage::Statement kAdd{"marks.add", "insert into marks (id) values ($1)"};

/// What a worker under load saw.
struct Tally {
  std::mutex mutex;
  std::condition_variable changed;
  int kept = 0;                             // acknowledged
  int unavailable = 0;
  int other = 0;

  void note(const std::function<void()>& act) {
    int Tally::*outcome = &Tally::other;
    try {
      act();
      outcome = &Tally::kept;
    } catch (const Error& error) {
      if (error.code() == Code::unavailable) outcome = &Tally::unavailable;
    } catch (const std::exception&) {       // counts as another outcome
    }
    std::unique_lock lock(mutex);
    ++(this->*outcome);
    changed.notify_all();
    if (outcome != &Tally::kept) changed.wait_for(lock, std::chrono::milliseconds(10));   // as Retry-After asks, but shorter
  }

  bool sees_more(int Tally::*outcome, int more) {
    std::unique_lock lock(mutex);
    const int wanted = this->*outcome + more;
    return changed.wait_for(lock, std::chrono::seconds(60), [&] { return this->*outcome >= wanted; });
  }
};

}  // namespace

TEST_CASE("storage: a restart of PostgreSQL under load gives only `unavailable`, then everything works again",
          "[db][storage][slow]") {
  ScratchCluster cluster;
  Probe(cluster.superuser().dsn).run("create table marks (id uuid primary key); grant select, insert on marks to chat_server");
  Tally pooled;
  Tally piped;
  storage::Pool pool(cluster.server(), 2, 100);
  std::vector<std::jthread> load;           // each stops and joins when it goes away
  for (int i = 0; i < 2; ++i)
    load.emplace_back([&](const std::stop_token& end) {
      while (!end.stop_requested())
        pooled.note([&] {
          pool.transact(AppId{}, [](Transaction& tx) { tx.run(kAdd, new_uuid7(system_clock().now())); });
        });
    });
  load.emplace_back([&](const std::stop_token& end) {
    storage::Pipeline pipeline(cluster.server());
    while (!end.stop_requested())
      piped.note([&] { pipeline.transact(AppId{}, {{&kAdd, Params::of(new_uuid7(system_clock().now()))}}); });
  });

  CHECK(pooled.sees_more(&Tally::kept, 50));
  CHECK(piped.sees_more(&Tally::kept, 50));
  cluster.stop();
  CHECK(pooled.sees_more(&Tally::unavailable, 2));
  CHECK(piped.sees_more(&Tally::unavailable, 2));
  CHECK_FALSE(pool.ready(std::chrono::seconds(5)));
  cluster.start();
  CHECK(pooled.sees_more(&Tally::kept, 50));
  CHECK(piped.sees_more(&Tally::kept, 50));
  load.clear();
  pool.stop();

  CHECK(pooled.other == 0);
  CHECK(piped.other == 0);
  const int stored = std::stoi(Probe(cluster.superuser().dsn).value("select count(*) from marks"));
  CHECK(stored >= pooled.kept + piped.kept);        // every acknowledged one; a few more may have lost their answer
}
