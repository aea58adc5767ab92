#include <catch2/catch.hpp>

#include <functional>
#include <set>

#include "platform/storage/migrator.h"
#include "tests/shape/tree.h"
#include "tests/support/database.h"
#include "tests/support/planting.h"

// For every tenant table that there is: a row of one application, looked at and reached for by another.
namespace chat::test {
namespace {

class World {
 public:
  World() {
    storage::Migrator(database_.owner()).up();
    superuser_ = std::make_unique<Probe>(database_.superuser().dsn);
    server_ = std::make_unique<Probe>(database_.server().dsn);
    superuser_->run("set session_replication_role = replica");   // rows without their parents
  }

  std::vector<std::string> tables() { return tenant_tables(*superuser_); }

  std::string plant(const std::string& table, const std::string& app) { return test::plant(*superuser_, table, app); }

  // As the server's role acting for `app` ("": for nobody), in a transaction that is undone.
  void as(const std::string& app, const std::function<void(Probe&)>& body) {
    server_->run("begin");
    if (!app.empty()) server_->run("select set_config('chat.app_id', '" + app + "', true)");
    try {
      body(*server_);
    } catch (...) {
      server_->run("rollback");
      throw;
    }
    server_->run("rollback");
  }

  std::string refusal(const std::string& app, const std::string& sql) {
    try {
      as(app, [&](Probe& server) { server.run(sql); });
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

 private:
  ScratchDatabase database_;
  std::unique_ptr<Probe> superuser_, server_;
};

// Here the server's role may not change or remove even its own application's rows.
const std::set<std::string> kOnlyAddedTo = {"application_audit", "moderation_log"};

std::string affected(Probe& server, const std::string& sql) {
  return server.value("with touched as (" + sql + " returning 1) select count(*) from touched");
}

}  // namespace

TEST_CASE("isolation: in every tenant table, another application's row can't be seen, changed, removed or written", "[shape][db][tenancy]") {
  World world;
  const std::string mine = new_uuid7(system_clock().now()).text();
  const std::string other = new_uuid7(system_clock().now()).text();
  const auto tables = world.tables();
  CHECK(tables.size() >= 15);
  for (const std::string& table : tables) {
    INFO(table);
    const std::string row = world.plant(table, mine);
    const std::string insert = "insert into " + table + " select * from jsonb_populate_record(null::" + table + ", $row$" + row + "$row$)";
    REQUIRE(!row.empty());
    const bool may_change = !kOnlyAddedTo.count(table);
    world.as(mine, [&](Probe& server) {
      CHECK(server.value("select count(*) from " + table) == "1");
      if (may_change) CHECK(affected(server, "update " + table + " set app_id = app_id") == "1");
    });
    for (const std::string& stranger : {other, std::string()}) {
      world.as(stranger, [&](Probe& server) {
        CHECK(server.value("select count(*) from " + table) == "0");
        if (may_change) CHECK(affected(server, "update " + table + " set app_id = app_id") == "0");
        if (may_change) CHECK(affected(server, "delete from " + table) == "0");
      });
      CHECK_THAT(world.refusal(stranger, insert), Catch::Contains("row-level security"));
    }
    const std::string why = may_change ? "row-level security" : "permission denied";
    CHECK_THAT(world.refusal(mine, "update " + table + " set app_id = '" + other + "'"), Catch::Contains(why));
    if (!may_change) CHECK_THAT(world.refusal(mine, "delete from " + table), Catch::Contains(why));
  }
}

}  // namespace chat::test
