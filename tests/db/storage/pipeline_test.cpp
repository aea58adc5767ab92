#include <catch2/catch.hpp>

#include "platform/storage/pipeline.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Params;
using storage::Pipeline;

namespace {

constexpr storage::Statement kEndMe{"notes.end_me", "select pg_terminate_backend(pg_backend_pid())"};
constexpr storage::Statement kRefuse{"notes.refuse", "select refuse($1, $2)"};
constexpr storage::Statement kOrphan{"notes.orphan", "insert into notes (app_id, id, body, parent) values ($1, $2, '', 99)"};
constexpr storage::Statement kNonsense{"notes.nonsense", "select no_such_column from notes"};
constexpr storage::Statement kPrepared{"notes.prepared", "select name from pg_prepared_statements order by name"};

storage::DatabaseOptions named(const std::string& name) {
  auto options = notes_database().server();
  options.dsn += " application_name=" + name;
  return options;
}

Pipeline::Step add(const Notes& notes, int id, const std::string& body) {
  return {&kAddNote, Params::of(notes.app, id, body)};
}

}  // namespace

TEST_CASE("pipeline: a batch is one transaction of its application, with the results in order", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  auto results = pipeline.transact(notes.app, {add(notes, 1, "one"), {&kListNotes, {}}, add(notes, 2, "two"), {&kListNotes, {}}});
  REQUIRE(results.size() == 4);
  CHECK(results[0].affected() == 1);
  CHECK(results[1].size() == 1);
  CHECK(results[3].size() == 2);
  CHECK(results[3][1].text(1) == "two");
  CHECK(notes.count() == "2");
}

TEST_CASE("pipeline: sees and accepts its own application's rows only", "[db][storage][tenancy]") {
  Notes mine;
  Notes theirs;
  Pipeline pipeline(notes_database().server());
  pipeline.transact(theirs.app, {add(theirs, 1, "theirs")});
  CHECK(pipeline.transact(mine.app, {{&kListNotes, {}}})[0].empty());
  CHECK(refusal([&] { pipeline.transact(mine.app, {add(theirs, 2, "forged")}); }).log_detail().find("42501") == 0);
  CHECK(theirs.count() == "1");
}

TEST_CASE("pipeline: one failing step undoes the others, before and after it", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  auto act = [&] { pipeline.transact(notes.app, {add(notes, 1, "one"), add(notes, 1, "twice"), add(notes, 2, "two")}); };
  CHECK(refusal(act).code() == Code::conflict);
  CHECK(notes.count() == "0");
  pipeline.transact(notes.app, {add(notes, 1, "one")});
  CHECK(notes.count() == "1");
}

TEST_CASE("pipeline: what was prepared in a failed transaction is known, what was not is prepared again", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  for (int round = 0; round < 3; ++round) {
    auto act = [&] {
      pipeline.transact(notes.app, {add(notes, 1, "one"), {&kRefuse, Params::of("CH404", "Gone.")}, {&kListNotes, {}}});
    };
    auto error = refusal(act);
    CHECK(error.code() == Code::not_found);
    CHECK(std::string(error.what()) == "Gone.");
  }
  for (int round = 0; round < 2; ++round)
    CHECK(refusal([&] { pipeline.transact(notes.app, {{&kNonsense, {}}}); }).log_detail().find("42703") == 0);
  auto results = pipeline.transact(notes.app, {{&kListNotes, {}}, add(notes, 1, "one"), {&kPrepared, {}}});
  std::vector<std::string> names;
  for (auto row : results[2]) names.emplace_back(row.text(0));
  CHECK(names == std::vector<std::string>{"notes.add", "notes.list", "notes.prepared", "notes.refuse", "pipeline.set_app"});
}

TEST_CASE("pipeline: a serialization failure and a deadlock are Again", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  for (const char* sqlstate : {"40001", "40P01"}) {
    std::vector<Pipeline::Step> steps{add(notes, 1, "one"), {&kRefuse, Params::of(sqlstate, "again")}};
    CHECK_THROWS_AS(pipeline.transact(notes.app, steps), Pipeline::Again);
  }
  CHECK(notes.count() == "0");
  pipeline.transact(notes.app, {add(notes, 1, "one")});
}

TEST_CASE("pipeline: a constraint that fails at the commit undoes everything", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  auto act = [&] { pipeline.transact(notes.app, {add(notes, 1, "one"), {&kOrphan, Params::of(notes.app, 2)}}); };
  CHECK(refusal(act).log_detail().find("23503") == 0);
  CHECK(notes.count() == "0");
  pipeline.transact(notes.app, {add(notes, 1, "one")});
  CHECK(notes.count() == "1");
}

TEST_CASE("pipeline: a connection lost before the answer is unavailable, and the next batch works", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  auto act = [&] { pipeline.transact(notes.app, {add(notes, 1, "one"), {&kEndMe, {}}, add(notes, 2, "two")}); };
  CHECK(refusal(act).code() == Code::unavailable);
  CHECK(notes.count() == "0");
  pipeline.transact(notes.app, {add(notes, 1, "one")});
  CHECK(notes.count() == "1");
}

TEST_CASE("pipeline: a session ended while idle is replaced unseen", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(named("idle_pipeline"));
  pipeline.transact(notes.app, {add(notes, 1, "one")});
  end_sessions(notes.outside, "idle_pipeline");
  CHECK_NOTHROW(pipeline.transact(notes.app, {add(notes, 2, "two")}));
  CHECK(notes.count() == "2");
}

TEST_CASE("pipeline: a batch far larger than both sockets' buffers goes through", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  constexpr storage::Statement kEcho{"notes.echo_text", "select $1::text"};
  const std::string body(20'000, 'x');
  std::vector<Pipeline::Step> steps;
  for (int i = 0; i < 2'000; ++i) steps.push_back({&kEcho, Params::of(body)});
  auto results = pipeline.transact(notes.app, steps);
  REQUIRE(results.size() == steps.size());
  CHECK(results.back()[0].text(0) == body);
}

TEST_CASE("pipeline: a statement over its deadline is unavailable, and the session goes on", "[db][storage]") {
  Notes notes;
  auto options = notes_database().server();
  options.statement_timeout = std::chrono::milliseconds(50);
  Pipeline pipeline(options);
  constexpr storage::Statement kSlow{"notes.slow", "select pg_sleep(30)"};
  CHECK(refusal([&] { pipeline.transact(notes.app, {add(notes, 1, "one"), {&kSlow, {}}}); }).code() == Code::unavailable);
  pipeline.transact(notes.app, {add(notes, 1, "one")});
  CHECK(notes.count() == "1");
}

TEST_CASE("pipeline: a server that is frozen is given up at the deadline", "[db][storage][slow]") {
  ScratchCluster cluster;                   // others wait for a frozen process, too
  auto options = cluster.server();
  options.statement_timeout = std::chrono::milliseconds(50);
  Pipeline pipeline(options);
  Frozen backend(static_cast<int>(pipeline.transact(AppId{}, {{&kBackend, {}}})[0][0].integer(0)));
  CHECK(refusal([&] { pipeline.transact(AppId{}, {{&kBackend, {}}}); }).code() == Code::unavailable);
  CHECK(pipeline.transact(AppId{}, {{&kBackend, {}}}).size() == 1);
}

TEST_CASE("pipeline: U+0000 is refused before anything is done", "[db][storage]") {
  Notes notes;
  Pipeline pipeline(notes_database().server());
  auto act = [&] { pipeline.transact(notes.app, {add(notes, 1, "one"), add(notes, 2, std::string("a\0b", 3))}); };
  CHECK(refusal(act).code() == Code::malformed_request);
  CHECK(notes.count() == "0");
  pipeline.transact(notes.app, {add(notes, 1, "one")});
}

TEST_CASE("pipeline: a database that can't be reached is unavailable", "[db][storage]") {
  storage::DatabaseOptions nowhere;
  nowhere.dsn = "host=/nowhere dbname=chat user=chat_server";
  Pipeline pipeline(nowhere);
  for (int round = 0; round < 2; ++round)
    CHECK(refusal([&] { pipeline.transact(AppId{}, {{&kListNotes, {}}}); }).code() == Code::unavailable);
}
