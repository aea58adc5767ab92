#include <catch2/catch.hpp>

#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "platform/storage/migrator.h"
#include "tests/support/database.h"

namespace chat::test {
namespace {

// The schema as pg_dump tells it, without the lines that differ from dump to dump.
std::string schema_of(const storage::DatabaseOptions& database) {
  const std::string command = "/usr/lib/postgresql/15/bin/pg_dump --schema-only '--dbname=" + database.dsn + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) throw std::runtime_error("pg_dump does not start");
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) text.append(buffer, n);
  if (::pclose(pipe.release()) != 0) throw std::runtime_error("pg_dump failed");
  std::string kept;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("\\restrict", 0) != 0 && line.rfind("\\unrestrict", 0) != 0 && !line.empty() && line.rfind("--", 0) != 0) kept += line + "\n";
  return kept;
}

int last_number() { return storage::migrations().back().number; }

}  // namespace

TEST_CASE("migrations: each step down undoes its step up exactly", "[shape][db][migrations]") {
  ScratchDatabase database;
  storage::Migrator migrator(database.owner());
  for (const storage::Migration& step : storage::migrations()) {
    INFO(step.number << " " << step.name);
    if (step.number > 1) migrator.up(step.number - 1);
    if (step.number == 1) migrator.status();
    const std::string before = schema_of(database.superuser());
    REQUIRE(migrator.up(step.number).size() == 1);
    const std::string after = schema_of(database.superuser());
    CHECK(after != before);
    migrator.down(step.number - 1);
    if (step.number > 1) CHECK(schema_of(database.superuser()) == before);
    migrator.up(step.number);
    CHECK(schema_of(database.superuser()) == after);
  }
}

TEST_CASE("migrations: all up, all down, all up gives the same schema", "[shape][db][migrations]") {
  ScratchDatabase database;
  storage::Migrator migrator(database.owner());
  CHECK(static_cast<int>(migrator.up().size()) == last_number());
  const std::string first = schema_of(database.superuser());
  migrator.down(0);
  Probe probe(database.superuser().dsn);
  CHECK(probe.value("select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')"
                    " and relname <> 'schema_migrations'") == "0");
  CHECK(probe.value("select count(*) from pg_proc where pronamespace = 'public'::regnamespace") == "0");
  CHECK(probe.value("select count(*) from pg_type where typnamespace = 'public'::regnamespace"
                    " and typname not in ('schema_migrations', '_schema_migrations')") == "0");
  migrator.up();
  CHECK(schema_of(database.superuser()) == first);
}

}  // namespace chat::test
