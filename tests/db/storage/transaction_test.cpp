#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Mode;
using storage::Transaction;

TEST_CASE("transaction: what the body wrote is there after the commit", "[db][storage]") {
  Notes notes;
  notes.write([&](Transaction& tx) { CHECK(tx.run(kAddNote, notes.app, 1, "one") == 1); });
  CHECK(notes.body_of(1) == "one");
}

TEST_CASE("transaction: what the body threw undoes everything and comes out", "[db][storage]") {
  Notes notes;
  auto act = [&] {
    notes.write([&](Transaction& tx) {
      tx.run(kAddNote, notes.app, 1, "one");
      throw forbidden("no");
    });
  };
  CHECK(refusal(act).code() == Code::forbidden);
  CHECK(notes.count() == "0");
}

TEST_CASE("transaction: after_commit runs in order, after the commit, and never after a rollback", "[db][storage]") {
  Notes notes;
  std::vector<std::string> seen;
  notes.write([&](Transaction& tx) {
    tx.run(kAddNote, notes.app, 1, "one");
    tx.after_commit([&] { seen.push_back(notes.count()); });
    tx.after_commit([&] { seen.push_back("second"); });
    CHECK(seen.empty());
  });
  CHECK(seen == std::vector<std::string>{"1", "second"});
  refusal([&] {
    notes.write([&](Transaction& tx) {
      tx.after_commit([&] { seen.push_back("never"); });
      tx.run(kAddNote, notes.app, 1, "twice");
    });
  });
  CHECK(seen.size() == 2);
}

TEST_CASE("transaction: an after_commit that throws does not undo, repeat or hide the commit", "[db][storage]") {
  Notes notes;
  int runs = 0;
  notes.write([&](Transaction& tx) {
    tx.run(kAddNote, notes.app, 1, "one");
    tx.after_commit([&] { ++runs; throw std::runtime_error("listener"); });
    tx.after_commit([&] { ++runs; });
  });
  CHECK(runs == 2);
  CHECK(notes.count() == "1");
}

TEST_CASE("transaction: sees and accepts its own application's rows only", "[db][storage][tenancy]") {
  Notes mine;
  Notes theirs;
  theirs.write([&](Transaction& tx) { tx.run(kAddNote, theirs.app, 1, "theirs"); });
  mine.write([&](Transaction& tx) { CHECK(tx.query(kListNotes).empty()); });
  auto forged = refusal([&] { mine.write([&](Transaction& tx) { tx.run(kAddNote, theirs.app, 2, "forged"); }); });
  CHECK(forged.code() == Code::internal);
  CHECK(forged.log_detail().find("42501") != std::string::npos);
  CHECK(theirs.count() == "1");
}

TEST_CASE("transaction: the application is forgotten between transactions of one session", "[db][storage][tenancy]") {
  Notes notes;
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "one"); });
  notes.connection.transact(AppId{}, Mode::read, [&](Transaction& tx) { CHECK(tx.query(kListNotes).empty()); });
}

TEST_CASE("transaction: the operator's door may enter an application, until the end of the transaction", "[db][storage]") {
  Notes notes;
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "one"); });
  notes.connection.transact(AppId{}, Mode::read, [&](Transaction& tx) {
    tx.enter(notes.app);
    CHECK(tx.app() == notes.app);
    CHECK(tx.query(kListNotes).size() == 1);
  });
}

TEST_CASE("transaction: a reading one can't write", "[db][storage]") {
  Notes notes;
  auto act = [&] {
    notes.connection.transact(notes.app, Mode::read, [&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "x"); });
  };
  CHECK(refusal(act).log_detail().find("25006") != std::string::npos);
}

TEST_CASE("transaction: nested undoes its own writes and actions, and the rest commits", "[db][storage]") {
  Notes notes;
  bool announced = false;
  notes.write([&](Transaction& tx) {
    tx.run(kAddNote, notes.app, 1, "outer");
    auto inner = refusal([&] {
      tx.nested([&] {
        tx.after_commit([&] { announced = true; });
        tx.run(kAddNote, notes.app, 2, "inner");
        tx.run(kAddNote, notes.app, 1, "twice");
      });
    });
    CHECK(inner.code() == Code::conflict);
    tx.nested([&] { tx.run(kAddNote, notes.app, 3, "second nested"); });
  });
  CHECK_FALSE(announced);
  CHECK(notes.count() == "2");
  CHECK(notes.body_of(2).empty());
}

TEST_CASE("transaction: a nested body that failed in another application leaves it", "[db][storage][tenancy]") {
  Notes notes;
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "one"); });
  notes.write([&](Transaction& tx) {
    auto inner = refusal([&] {
      tx.nested([&] {
        tx.enter(AppId::make(system_clock().now()));
        throw forbidden("no");
      });
    });
    CHECK(tx.app() == notes.app);
    CHECK(tx.query(kListNotes).size() == 1);
  });
}

TEST_CASE("transaction: one that ignored a failed statement is refused, not committed empty", "[db][storage]") {
  Notes notes;
  auto act = [&] {
    notes.write([&](Transaction& tx) {
      tx.run(kAddNote, notes.app, 1, "one");
      try {
        tx.run(kAddNote, notes.app, 1, "twice");
      } catch (const Error&) {
      }
    });
  };
  CHECK(refusal(act).code() == Code::internal);
  CHECK(notes.count() == "0");
}

TEST_CASE("transaction: one that met a deadlock is repeated whole, and both commit", "[db][storage]") {
  Notes first;
  storage::Connection second(notes_database().server());
  first.write([&](Transaction& tx) {
    tx.run(kAddNote, first.app, 1, "");
    tx.run(kAddNote, first.app, 2, "");
  });
  std::mutex mutex;
  std::condition_variable changed;
  int holding = 0;
  std::atomic<int> runs{0};
  auto cross = [&](storage::Connection& connection, int from, int to, const char* body) {
    connection.transact(first.app, Mode::write, [&](Transaction& tx) {
      ++runs;
      tx.run(kEditNote, first.app, from, body);
      std::unique_lock lock(mutex);
      ++holding;
      changed.notify_all();
      changed.wait_for(lock, std::chrono::seconds(10), [&] { return holding >= 2; });
      lock.unlock();
      tx.run(kEditNote, first.app, to, body);
    });
  };
  std::thread other([&] { cross(second, 2, 1, "second"); });
  cross(first.connection, 1, 2, "first");
  other.join();
  CHECK(runs >= 3);                                  // on a busy machine the repeated one may meet the other again
  CHECK(first.body_of(1) == first.body_of(2));
}

TEST_CASE("transaction: one that could not be serialized is repeated and sees the other's write", "[db][storage]") {
  Notes notes;
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "before"); });
  auto options = notes_database().server();
  options.dsn += " options='-c default_transaction_isolation=serializable'";
  storage::Connection serializable(options);
  std::vector<std::string> seen;
  serializable.transact(notes.app, Mode::write, [&](Transaction& tx) {
    seen.emplace_back(tx.query(kListNotes)[0].text(1));
    if (seen.size() == 1)
      notes.write([&](Transaction& other) { other.run(kEditNote, notes.app, 1, "between"); });
    tx.run(kEditNote, notes.app, 1, seen.back() + " and after");
  });
  CHECK(seen == std::vector<std::string>{"before", "between"});
  CHECK(notes.body_of(1) == "between and after");
}

TEST_CASE("transaction: one that can never be serialized is given up as unavailable after 5 repeats", "[db][storage]") {
  Notes notes;
  int runs = 0;
  constexpr storage::Statement kRaise{"notes.raise_40001", "select refuse('40001', 'again')"};
  auto act = [&] {
    notes.write([&](Transaction& tx) {
      ++runs;
      try {
        tx.query(kRaise);
      } catch (...) {                       // a body that swallows it does not stop the repeat
      }
    });
  };
  CHECK(refusal(act).code() == Code::unavailable);
  CHECK(runs == 6);
}

TEST_CASE("transaction: find gives nothing or the one row", "[db][storage]") {
  Notes notes;
  constexpr storage::Statement kFind{"notes.find", "select body from notes where app_id = $1 and id = $2"};
  notes.write([&](Transaction& tx) {
    CHECK_FALSE(tx.find(kFind, notes.app, 1).has_value());
    tx.run(kAddNote, notes.app, 1, "one");
    auto found = tx.find(kFind, notes.app, 1);
    REQUIRE(found.has_value());
    CHECK((*found)[0].text(0) == "one");
  });
}
