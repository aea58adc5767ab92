#include <catch2/catch.hpp>

#include <thread>

#include "platform/storage/migrator.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Migration;
using storage::Migrator;
using Numbers = std::vector<int>;

namespace {

constexpr Migration kThree[] = {
    {1, "first", "create table first (x int); insert into first values (1);", "drop table first;"},
    {2, "second", "create table second (x int);", "drop table second;"},
    {3, "third", "create table third (x int);", "drop table third;"},
};
constexpr Migration kChanged[] = {
    kThree[0], {2, "second", "create table second (y int);", "drop table second;"}, kThree[2]};
constexpr Migration kBroken[] = {
    kThree[0], {2, "second", "create table second (x int); select no_such_thing;", "drop table second;"}};
const std::span<const Migration> kTwo(kThree, 2);

std::string sentence(const std::function<void()>& act) {
  auto error = refusal(act);
  CHECK(error.code() == Code::conflict);
  return error.what();
}

std::string tables(const ScratchDatabase& database) {
  return Probe(database.owner().dsn)
      .value("select string_agg(relname, ' ' order by relname) from pg_class "
             "where relkind = 'r' and relnamespace = 'public'::regnamespace");
}

std::string checked(const ScratchDatabase& database, std::span<const Migration> known) {
  storage::Connection connection(database.server());
  return sentence([&] { check_schema(connection, known); });
}

}  // namespace

TEST_CASE("migrator: goes up, down and up again, and says where it is", "[db][storage]") {
  ScratchDatabase database;
  Migrator migrator(database.owner(), kThree);
  CHECK_FALSE(migrator.status().at(0).applied);
  CHECK(tables(database).empty());
  CHECK(migrator.up(2) == Numbers{1, 2});
  CHECK(tables(database) == "first schema_migrations second");
  CHECK(migrator.up() == Numbers{3});
  CHECK(migrator.up().empty());
  auto status = migrator.status();
  REQUIRE(status.size() == 3);
  CHECK(status[1].applied);
  CHECK_FALSE(status[1].changed);
  CHECK(parse_time(status[1].applied_at).has_value());
  CHECK(migrator.down(1) == Numbers{3, 2});
  CHECK(tables(database) == "first schema_migrations");
  CHECK(migrator.down(0) == Numbers{1});
  CHECK(migrator.up() == Numbers{1, 2, 3});
}

TEST_CASE("migrator: one that fails is undone whole, and the ones before it stay", "[db][storage]") {
  ScratchDatabase database;
  auto error = refusal([&] { Migrator(database.owner(), kBroken).up(); });
  CHECK(std::string(error.what()).find("Migration 2 second failed and was undone: 42703") == 0);
  CHECK(tables(database) == "first schema_migrations");
  CHECK(Migrator(database.owner(), kThree).up() == Numbers{2, 3});
}

TEST_CASE("migrator: refuses to build upon a migration that was applied with another text", "[db][storage]") {
  ScratchDatabase database;
  Migrator(database.owner(), kTwo).up();
  Migrator changed(database.owner(), kChanged);
  const std::string expected = "Migration 2 second was applied with another text than this binary holds.";
  CHECK(sentence([&] { changed.up(); }) == expected);
  CHECK(sentence([&] { changed.down(0); }) == expected);
  CHECK(changed.status().at(1).changed);
  CHECK(tables(database) == "first schema_migrations second");
}

TEST_CASE("migrator: refuses a database that is newer than the binary, and shows what it does not know", "[db][storage]") {
  ScratchDatabase database;
  Migrator(database.owner(), kThree).up();
  Migrator older(database.owner(), kTwo);
  const std::string expected = "The database's schema is at 3, which this binary does not know: use a newer one.";
  CHECK(sentence([&] { older.up(); }) == expected);
  CHECK(sentence([&] { older.down(0); }) == expected);
  auto status = older.status();
  REQUIRE(status.size() == 3);
  CHECK_FALSE(status[2].known);
  CHECK(status[2].name == "third");
}

TEST_CASE("migrator: refuses a gap", "[db][storage]") {
  ScratchDatabase database;
  Migrator(database.owner(), kThree).up();
  Probe(database.owner().dsn).run("delete from schema_migrations where number = 2");
  CHECK(sentence([&] { Migrator(database.owner(), kThree).up(); }) ==
        "Migration 3 third is applied, but one before it is not.");
}

TEST_CASE("migrator: two at once apply each migration once", "[db][storage]") {
  ScratchDatabase database;
  std::array<Numbers, 2> done;
  std::array<std::thread, 2> both;
  for (std::size_t i = 0; i < 2; ++i)
    both[i] = std::thread([&, i] { done[i] = Migrator(database.owner(), kThree).up(); });
  for (auto& one : both) one.join();
  CHECK(done[0].size() + done[1].size() == 3);
  CHECK(tables(database) == "first schema_migrations second third");
}

TEST_CASE("migrator: chatd's role may ask for the schema, and hears in a sentence what is wrong", "[db][storage]") {
  ScratchDatabase database;
  CHECK(checked(database, kThree) == "The database's schema is at 0, this chatd knows 3: run chatctl migrate up.");
  Migrator(database.owner(), kTwo).up();
  CHECK(checked(database, kThree) == "The database's schema is at 2, this chatd knows 3: run chatctl migrate up.");
  CHECK(checked(database, kChanged) == "The database's schema is at 2, this chatd knows 3: run chatctl migrate up.");
  Migrator(database.owner(), kThree).up();
  CHECK(checked(database, kTwo) == "The database's schema is at 3, this chatd knows 2: install a newer chatd.");
  CHECK(checked(database, kChanged) == "Migration 2 second was applied with another text than this binary holds.");
  storage::Connection connection(database.server());
  CHECK_NOTHROW(check_schema(connection, kThree));
}
