#include <catch2/catch.hpp>

#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Mode;
using storage::Transaction;

namespace {

constexpr storage::Statement kEndMe{"notes.end_me", "select pg_terminate_backend(pg_backend_pid())"};

storage::DatabaseOptions named(const std::string& name) {
  auto options = notes_database().server();
  options.dsn += " application_name=" + name;
  return options;
}

}  // namespace

TEST_CASE("session: ended in the middle, the transaction is unavailable and the next one works", "[db][storage]") {
  Notes notes;
  int runs = 0;
  auto error = refusal([&] {
    notes.write([&](Transaction& tx) {
      ++runs;
      tx.run(kAddNote, notes.app, 1, "lost");
      tx.query(kEndMe);
      tx.run(kAddNote, notes.app, 2, "never");
    });
  });
  CHECK(error.code() == Code::unavailable);
  CHECK(error.retry_after() == std::chrono::seconds(1));
  CHECK(runs == 1);
  CHECK(notes.count() == "0");
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 3, "after"); });
  CHECK(notes.count() == "1");
}

TEST_CASE("session: ended while idle, the next transaction never notices", "[db][storage]") {
  Notes notes;
  storage::Connection connection(named("idle_session"));
  auto list = [&] { connection.transact(notes.app, Mode::read, [&](Transaction& tx) { tx.query(kListNotes); }); };
  list();
  end_sessions(notes.outside, "idle_session");
  CHECK_NOTHROW(list());
}

TEST_CASE("session: ended inside a nested body, nothing is repeated or committed", "[db][storage]") {
  Notes notes;
  auto act = [&] {
    notes.write([&](Transaction& tx) {
      tx.run(kAddNote, notes.app, 1, "lost");
      tx.nested([&] { tx.query(kEndMe); });
    });
  };
  CHECK(refusal(act).code() == Code::unavailable);
  CHECK(notes.count() == "0");
}

TEST_CASE("session: a database that can't be reached is unavailable, at once while it was just tried", "[db][storage]") {
  storage::DatabaseOptions nowhere;
  nowhere.dsn = "host=/nowhere dbname=chat user=chat_server";
  storage::Connection connection(nowhere);
  auto use = [&] { connection.transact(AppId{}, Mode::read, [](Transaction&) {}); };
  CHECK(refusal(use).code() == Code::unavailable);
  auto again = refusal(use);
  CHECK(again.code() == Code::unavailable);
  CHECK(again.log_detail() == "connect failed a moment ago");
}

TEST_CASE("session: has the deadlines, UTC and the planner's mode that the options say", "[db][storage]") {
  constexpr storage::Statement kSettings{
      "notes.settings",
      "select current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('TimeZone'), "
      "current_setting('idle_in_transaction_session_timeout'), current_setting('plan_cache_mode'), "
      "current_setting('application_name'), current_setting('work_mem'), current_setting('jit'), current_setting('enable_seqscan')"};
  auto options = notes_database().server();
  options.statement_timeout = std::chrono::milliseconds(1234);
  options.dsn += " options='-c work_mem=5MB -c TimeZone=Asia/Tokyo'";
  storage::Connection connection(options);
  connection.transact(AppId{}, Mode::read, [&](Transaction& tx) {
    auto rows = tx.query(kSettings);
    CHECK(rows[0].text(0) == "1234ms");
    CHECK(rows[0].text(1) == "5s");
    CHECK(rows[0].text(2) == "UTC");
    CHECK(rows[0].text(3) == "15s");
    CHECK(rows[0].text(4) == "auto");
    CHECK(rows[0].text(5) == "chatd");
    CHECK(rows[0].text(6) == "5MB");
    CHECK(rows[0].text(7) == "off");
    CHECK(rows[0].text(8) == "on");
  });
  options.reads_whole_tables = false;
  storage::Connection by_keys(options);
  by_keys.transact(AppId{}, Mode::read, [&](Transaction& tx) { CHECK(tx.query(kSettings)[0].text(8) == "off"); });
}

TEST_CASE("session: reads a DSN in both of libpq's forms, and refuses another", "[db][storage]") {
  storage::DatabaseOptions options;
  options.dsn = "this is no dsn";
  storage::Connection broken(options);
  CHECK(refusal([&] { broken.transact(AppId{}, Mode::read, [](Transaction&) {}); }).code() == Code::internal);
  options.dsn = "postgresql://chat_server@/notes?host=/nowhere";
  storage::Connection away(options);
  CHECK(refusal([&] { away.transact(AppId{}, Mode::read, [](Transaction&) {}); }).code() == Code::unavailable);
}

TEST_CASE("session: a server that is frozen is given up at the deadline", "[db][storage][slow]") {
  ScratchCluster cluster;                   // others wait for a frozen process, too
  auto options = cluster.server();
  options.statement_timeout = std::chrono::milliseconds(50);
  storage::Connection connection(options);
  std::optional<Frozen> backend;
  auto act = [&] {
    connection.transact(AppId{}, Mode::read, [&](Transaction& tx) {
      backend.emplace(static_cast<int>(tx.query(kBackend)[0].integer(0)));
      tx.query(kBackend);
    });
  };
  CHECK(refusal(act).code() == Code::unavailable);
  connection.transact(AppId{}, Mode::read, [&](Transaction& tx) { CHECK(tx.query(kBackend).size() == 1); });
}
