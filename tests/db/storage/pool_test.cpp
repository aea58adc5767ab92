#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Connection;
using storage::Pool;
using storage::Transaction;

TEST_CASE("pool: many callers at once each get their transaction", "[db][storage]") {
  Notes notes;
  Pool pool(notes_database().server(), 4, 100);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller)
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 25; ++i)
        pool.transact(notes.app, [&](Transaction& tx) { tx.run(kAddNote, notes.app, caller * 100 + i, ""); });
    });
  for (auto& caller : callers) caller.join();
  CHECK(notes.count() == "200");
}

TEST_CASE("pool: what the body throws comes out at the caller", "[db][storage]") {
  Notes notes;
  Pool pool(notes_database().server(), 1, 10);
  CHECK(refusal([&] { pool.transact(notes.app, [](Transaction&) { throw not_found("note"); }); }).code() == Code::not_found);
}

TEST_CASE("pool: a full queue refuses, and what was accepted is done before it stops", "[db][storage]") {
  Pool pool(notes_database().server(), 1, 2);
  std::promise<void> started;
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<int> done{0};
  REQUIRE(pool.submit([&](Connection&) {
    started.set_value();
    released.wait_for(std::chrono::seconds(10));
    ++done;
  }));
  started.get_future().wait_for(std::chrono::seconds(10));
  CHECK(pool.submit([&](Connection&) { ++done; }));
  CHECK(pool.submit([&](Connection&) { ++done; }));
  CHECK_FALSE(pool.submit([&](Connection&) { ++done; }));
  CHECK_FALSE(pool.ready(std::chrono::milliseconds(1)));
  release.set_value();
  pool.stop();
  CHECK(done == 3);
  CHECK_FALSE(pool.submit([&](Connection&) { ++done; }));
  CHECK(refusal([&] { pool.transact(AppId{}, [](Transaction&) {}); }).code() == Code::unavailable);
}

TEST_CASE("pool: a task that throws does not end its worker", "[db][storage]") {
  Pool pool(notes_database().server(), 1, 10);
  REQUIRE(pool.submit([](Connection&) { throw std::runtime_error("task"); }));
  CHECK(pool.ready(std::chrono::seconds(10)));
}

TEST_CASE("pool: is ready when PostgreSQL answers, and not when it is away or slow", "[db][storage]") {
  std::promise<void> release;
  auto released = release.get_future().share();     // outlives the pool's threads
  Pool pool(notes_database().server(), 1, 10);
  CHECK(pool.ready(std::chrono::seconds(10)));
  REQUIRE(pool.submit([&](Connection&) { released.wait_for(std::chrono::seconds(10)); }));
  CHECK_FALSE(pool.ready(std::chrono::milliseconds(20)));
  release.set_value();

  storage::DatabaseOptions nowhere;
  nowhere.dsn = "host=/nowhere dbname=chat user=chat_server";
  Pool away(nowhere, 1, 10);
  CHECK_FALSE(away.ready(std::chrono::seconds(10)));
}
