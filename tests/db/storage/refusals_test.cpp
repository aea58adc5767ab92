#include <catch2/catch.hpp>

#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Transaction;

namespace {

constexpr storage::Statement kRefuse{"notes.refuse", "select refuse($1, $2)"};

Error raised(Notes& notes, const char* sqlstate) {
  return refusal([&] { notes.write([&](Transaction& tx) { tx.query(kRefuse, sqlstate, "Said by the function."); }); });
}

}  // namespace

TEST_CASE("refusals: our own SQL functions' become their code, with their sentence", "[db][storage]") {
  Notes notes;
  CHECK(raised(notes, "CH403").code() == Code::forbidden);
  CHECK(raised(notes, "CH404").code() == Code::not_found);
  CHECK(raised(notes, "CH409").code() == Code::conflict);
  CHECK(raised(notes, "CH429").code() == Code::limit_reached);
  CHECK(std::string(raised(notes, "CH404").what()) == "Said by the function.");
}

TEST_CASE("refusals: what may pass is unavailable, with a time to try again", "[db][storage]") {
  Notes notes;
  for (const char* sqlstate : {"57014", "55P03", "53300", "53200", "53100", "40000"}) {
    INFO(sqlstate);
    auto error = raised(notes, sqlstate);
    CHECK(error.code() == Code::unavailable);
    CHECK(error.retry_after() == std::chrono::seconds(1));
  }
}

TEST_CASE("refusals: anything else is our mistake, told in the log and not to the client", "[db][storage]") {
  Notes notes;
  for (const char* sqlstate : {"22012", "42P01", "P0001", "CH000", "23503", "23514"}) {
    INFO(sqlstate);
    auto error = raised(notes, sqlstate);
    CHECK(error.code() == Code::internal);
    CHECK(std::string(error.what()).find("function") == std::string::npos);
    CHECK(error.log_detail() == std::string(sqlstate) + " in notes.refuse: Said by the function.");
  }
}

TEST_CASE("refusals: a unique violation is a conflict, and its values stay out of the log", "[db][storage]") {
  Notes notes;
  auto error = refusal([&] {
    notes.write([&](Transaction& tx) {
      tx.run(kAddNote, notes.app, 4711, "secret");
      tx.run(kAddNote, notes.app, 4711, "secret");
    });
  });
  CHECK(error.code() == Code::conflict);
  CHECK(error.log_detail().find("4711") == std::string::npos);
}

TEST_CASE("refusals: a constraint that fails at COMMIT undoes everything", "[db][storage]") {
  Notes notes;
  constexpr storage::Statement kOrphan{"notes.orphan", "insert into notes (app_id, id, body, parent) values ($1, 1, '', 99)"};
  auto error = refusal([&] { notes.write([&](Transaction& tx) { tx.run(kOrphan, notes.app); }); });
  CHECK(error.code() == Code::internal);
  CHECK(error.log_detail().find("23503 in commit") == 0);
  CHECK(notes.count() == "0");
}

TEST_CASE("refusals: U+0000 is refused before it is cut off", "[db][storage]") {
  Notes notes;
  auto act = [&] { notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, std::string("a\0b", 3)); }); };
  CHECK(refusal(act).code() == Code::malformed_request);
  notes.write([&](Transaction& tx) { tx.run(kAddNote, notes.app, 1, "the session goes on"); });
}

TEST_CASE("refusals: a statement over its deadline is unavailable, and the session goes on", "[db][storage]") {
  auto options = notes_database().server();
  options.statement_timeout = std::chrono::milliseconds(50);
  storage::Connection connection(options);
  constexpr storage::Statement kSlow{"notes.slow", "select pg_sleep(30)"};
  auto act = [&] { connection.transact(AppId{}, storage::Mode::read, [&](Transaction& tx) { tx.query(kSlow); }); };
  CHECK(refusal(act).code() == Code::unavailable);
  connection.transact(AppId{}, storage::Mode::read, [&](Transaction& tx) { CHECK(tx.query(kListNotes).empty()); });
}
