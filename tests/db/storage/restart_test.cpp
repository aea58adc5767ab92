#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "platform/storage/pipeline.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Params;
using storage::Transaction;

namespace {

constexpr storage::Statement kAdd{"marks.add", "insert into marks (id) values ($1)"};

/// What a worker under load saw. An id counts as kept when it was acknowledged.
struct Tally {
  std::atomic<int> kept{0};
  std::atomic<int> unavailable{0};
  std::atomic<int> other{0};
};

void note_outcome(Tally& tally, const std::function<void()>& act) {
  try {
    act();
    ++tally.kept;
  } catch (const Error& error) {
    ++(error.code() == Code::unavailable ? tally.unavailable : tally.other);
  } catch (...) {
    ++tally.other;
  }
}

void wait_for_more(const std::atomic<int>& count, int more) {
  const int wanted = count + more;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (count < wanted && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  REQUIRE(count >= wanted);
}

}  // namespace

TEST_CASE("storage: a restart of PostgreSQL under load gives only `unavailable`, then everything works again",
          "[db][storage][slow]") {
  ScratchCluster cluster;
  Probe(cluster.superuser().dsn).run("create table marks (id uuid primary key); grant select, insert on marks to chat_server");
  Tally pooled;
  Tally piped;
  std::atomic<bool> going{true};
  storage::Pool pool(cluster.server(), 2, 100);
  std::vector<std::thread> load;
  for (int i = 0; i < 2; ++i)
    load.emplace_back([&] {
      while (going)
        note_outcome(pooled, [&] {
          pool.transact(AppId{}, [](Transaction& tx) { tx.run(kAdd, new_uuid7(system_clock().now())); });
        });
    });
  load.emplace_back([&] {
    storage::Pipeline pipeline(cluster.server());
    while (going)
      note_outcome(piped, [&] { pipeline.transact(AppId{}, {{&kAdd, Params::of(new_uuid7(system_clock().now()))}}); });
  });

  wait_for_more(pooled.kept, 50);
  wait_for_more(piped.kept, 50);
  cluster.stop();
  wait_for_more(pooled.unavailable, 2);
  wait_for_more(piped.unavailable, 2);
  CHECK_FALSE(pool.ready(std::chrono::seconds(5)));
  cluster.start();
  wait_for_more(pooled.kept, 50);
  wait_for_more(piped.kept, 50);
  going = false;
  for (auto& one : load) one.join();
  pool.stop();

  CHECK(pooled.other == 0);
  CHECK(piped.other == 0);
  const int stored = std::stoi(Probe(cluster.superuser().dsn).value("select count(*) from marks"));
  CHECK(stored >= pooled.kept + piped.kept);        // every acknowledged one; a few more may have lost their answer
}
