#include <catch2/catch.hpp>

#include "platform/storage/migrator.h"
#include "tenants/applications.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kApplications = "/operator/v1/applications";

Actor operators() { return Service::get().operators(); }

Json shown(const TestApp& app) { return operators().get(path_of(app)).body["application"]; }

void end_waiting(const TestApp& app) {
  Probe(superuser_database().dsn).run("update applications set delete_after = now() where app_id = '" + uuid_of(app) + "'");
  Service::get().node().run_job("end_deletions");
}

}  // namespace

TEST_CASE("applications: a deleted one answers as if it never was, and can be restored until its time is over", "[api][applications]") {
  TestApp app;
  app.add_users({"alice"});
  REQUIRE(operators().del(path_of(app)).status == 204);
  CHECK(app.server().get("/v1/app").code() == "unauthenticated");
  CHECK(app.user("alice").get("/v1/users/alice").code() == "unauthenticated");
  auto deleting = shown(app);
  CHECK(deleting["status"] == "deleting");
  const auto wait = *parse_time(deleting["delete_after"].get<std::string>()) - system_clock().now();
  CHECK(wait > std::chrono::hours(6 * 24));
  CHECK(wait < std::chrono::hours(8 * 24));
  Service::get().node().run_job("end_deletions");
  Service::get().node().run_job("purge_deleted");
  CHECK(operators().del(path_of(app)).code() == "conflict");
  CHECK(operators().post(path_of(app, "/suspend"), {{"reason", "x"}}).code() == "conflict");
  CHECK(operators().post(path_of(app, "/resume")).code() == "conflict");
  CHECK(operators().patch(path_of(app), {{"set", {{"name", "x"}}}}).code() == "not_found");
  auto restored = operators().post(path_of(app, "/restore"));
  REQUIRE(restored.status == 200);
  CHECK(restored.body["application"]["status"] == "active");
  CHECK_FALSE(restored.body["application"].contains("delete_after"));
  CHECK(app.user("alice").get("/v1/users/alice").status == 200);
  CHECK(operators().post(path_of(app, "/restore")).code() == "conflict");
}

TEST_CASE("applications: one that was suspended is suspended again when it is restored", "[api][applications]") {
  TestApp app;
  REQUIRE(operators().post(path_of(app, "/suspend"), {{"reason", "unpaid"}}).status == 200);
  REQUIRE(operators().del(path_of(app)).status == 204);
  CHECK(app.server().get("/v1/app").code() == "unauthenticated");
  auto restored = operators().post(path_of(app, "/restore")).body["application"];
  CHECK(restored["status"] == "suspended");
  CHECK(restored["status_reason"] == "unpaid");
  CHECK(app.server().get("/v1/app").code() == "application_suspended");
}

TEST_CASE("applications: suspended or deleted, all its sockets on every node are closed within a second", "[api][applications][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  const auto connect_everywhere = [&] {
    std::vector<WsClient> clients;
    for (const auto port : Service::get().ports()) {
      Actor server(port, {{"X-API-Key", app.key()}, {"Authorization", "Bearer " + app.token("")}});
      eventually("this node has heard that it is open", [&] { return server.get("/v1/app").status == 200; });
      for (const auto* user : {"alice", "bob"}) {
        clients.emplace_back(WsClient::Options{.port = port, .api_key = app.key(), .token = app.token(user)});
        clients.back().wait_for("connection.ready");
      }
    }
    return clients;
  };
  auto fastest = std::chrono::steady_clock::duration::max();   // of some rounds: the machine may be busy during one
  for (int round = 0; round < 5 && fastest >= std::chrono::seconds(1); ++round) {
    auto clients = connect_everywhere();
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(operators().post(path_of(app, "/suspend"), {{"reason", "unpaid"}}).status == 200);
    for (auto& client : clients) CHECK(client.wait_closed() == 4503);
    fastest = std::min(fastest, std::chrono::steady_clock::now() - begun);
    REQUIRE(operators().post(path_of(app, "/resume")).status == 200);
  }
  CHECK(fastest < std::chrono::seconds(1));
  auto clients = connect_everywhere();
  REQUIRE(operators().del(path_of(app)).status == 204);
  for (auto& client : clients) CHECK(client.wait_closed() == 4501);
}

TEST_CASE("applications: suspended twice keeps the newer reason", "[api][applications]") {
  TestApp app;
  for (const auto* reason : {"unpaid", "abuse"}) REQUIRE(operators().post(path_of(app, "/suspend"), {{"reason", reason}}).status == 200);
  CHECK(shown(app)["status_reason"] == "abuse");
}

TEST_CASE("applications: when the time is over the data goes, a tombstone and the usage stay", "[api][applications]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("alice", "general", "hello");
  Probe superuser(superuser_database().dsn);
  superuser.run("insert into team_usage_metrics values ('" + uuid_of(app) + "', 'red', current_date, 'messages', 0, 7);"
                "insert into storage_accounts (app_id, stored_bytes, settled_at) values ('" + uuid_of(app) + "', 1000, now() - interval '30 minutes')");
  REQUIRE(operators().del(path_of(app)).status == 204);
  end_waiting(app);
  CHECK(operators().post(path_of(app, "/restore")).code() == "conflict");
  eventually("the purge", [&] {
    Service::get().node().run_job("purge_deleted");
    return app.rows("applications", "purged_at is not null") == 1;
  });
  CHECK(leftovers(superuser, uuid_of(app)) == "applications override_changes plan_moves team_usage_metrics usage_metrics ");
  CHECK(app.rows("usage_metrics", "meter = 'storage_byte_hours' and value > 0") > 0);   // up to the end
  CHECK(shown(app)["status"] == "deleted");
}

TEST_CASE("applications: purged, no row of it is left, its bills neither", "[api][applications]") {
  TestApp app, neighbour;
  for (auto* one : {&app, &neighbour}) {
    one->add_users({"alice", "bob"});
    one->add_channel("general", {"alice", "bob"});
    const auto sent = one->send("alice", "general", "hello", {{"mentions", {"bob"}}});
    const std::string message = kMessages + "/" + sent["id"].get<std::string>();
    CHECK(one->user("bob").post(message + "/reactions", {{"type", "like"}}).status == 201);
    CHECK(one->user("bob").post(message + "/bookmark").status / 100 == 2);
  }
  CHECK(operators().post(path_of(app, "/purge")).code() == "conflict");
  REQUIRE(operators().del(path_of(app)).status == 204);
  REQUIRE(operators().post(path_of(app, "/purge")).status == 200);
  CHECK(operators().post(path_of(app, "/restore")).code() == "conflict");
  Probe superuser(superuser_database().dsn);
  eventually("the purge", [&] {
    Service::get().node().run_job("purge_deleted");
    return leftovers(superuser, uuid_of(app)).empty();
  });
  CHECK(operators().get(path_of(app)).code() == "not_found");
  Service::get().node().run_job("flush_usage");   // what this node had counted has nowhere to go, and that is no failure
  CHECK(leftovers(superuser, uuid_of(app)).empty());
  CHECK(neighbour.user("alice").get(kMessages).body["messages"].size() == 1);
}

TEST_CASE("applications: purging knows every tenant table of the catalogue", "[api][applications]") {
  ScratchDatabase database;
  storage::Migrator(database.owner()).up();
  Probe superuser(database.superuser().dsn);
  superuser.run("insert into plans values ('free', '{}', now(), now()); set session_replication_role = replica");
  storage::Connection connection(database.server());
  auto bus = bus::make_local_bus();
  const auto now = system_clock().now();
  std::vector<AppId> apps;
  for (const auto* name : {"gone", "stays"})
    connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
      apps.push_back(tenants::create_application(tx, {.name = name, .plan_id = "free"}, now));
    });
  for (const auto& table : tenant_tables(superuser))
    for (const auto app : apps)
      if (table != "applications" && table != "channel_types") plant(superuser, table, app.text());
  superuser.run("delete from uploads");           // they go with their files, by a job of their own
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    tenants::delete_application(tx, *bus, apps[0], std::chrono::hours(1), now);
    tenants::erase_application(tx, apps[0], now);
  });
  for (int i = 0; i < 100 && superuser.value("select purge_deleted(1000)") != "0"; ++i) {}
  CHECK(leftovers(superuser, apps[0].text()).empty());
  for (const auto& table : tenant_tables(superuser))
    if (table != "uploads") CHECK((table + " " + superuser.value("select count(*) > 0 from " + table + " where app_id = '" + apps[1].text() + "'")) == table + " t");
}

TEST_CASE("applications: a clone is set up as its original, with keys of its own and nobody in it", "[api][applications]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.set({{"teams", true}});
  REQUIRE(app.server().post("/v1/channel_types", {{"type", "support"}, {"settings", {{"reactions", false}}}}).status == 201);
  REQUIRE(app.server().del("/v1/channel_types/livestream").status == 204);
  REQUIRE(app.server().put("/v1/commands/giphy", {{"description", "A picture"}}).status / 100 == 2);
  REQUIRE(operators().patch(path_of(app), {{"set", {{"organisation", "Acme " + app.id()}, {"region", "eu"}, {"limits", {{"messages", {{"hard", 3}}}}}}}}).status == 200);
  REQUIRE(app.server().patch("/v1/moderation/settings", {{"set", {{"appeal_days", 5}}}}).status == 200);
  REQUIRE(app.server().put("/v1/moderation/rules", {{"rules", {{{"name", "my-links"}, {"kind", "links"}, {"then", "block"}}}}}).status == 200);
  auto made = operators().post(path_of(app, "/clone"), {{"name", "dev"}, {"environment", "development"}});
  REQUIRE(made.status == 201);
  const auto& clone = made.body["application"];
  CHECK(clone["app_id"] != app.id());
  CHECK(clone["plan"] == Service::kPlan);
  CHECK(clone["settings"] == Json{{"teams", true}});
  CHECK(clone["limits"].empty());
  CHECK(clone["environment"] == "development");
  CHECK(clone["organisation"] == "Acme " + app.id());
  CHECK(clone["region"] == "eu");
  CHECK(made.body["secret"]["value"] != app.secret());
  const auto noted = operators().get("/operator/v1/audit?object=application:" + clone["app_id"].get<std::string>()).body["audit"];
  REQUIRE(noted.size() == 1);
  CHECK(noted[0]["after"]["cloned_from"] == app.id());
  const std::string token = operators().post(kApplications + "/" + clone["app_id"].get<std::string>() + "/tokens", {{"server", true}}).body["token"];
  Actor server(Service::get().port(), {{"X-API-Key", made.body["api_key"]}, {"Authorization", "Bearer " + token}});
  CHECK(server.get("/v1/users/alice").code() == "not_found");
  CHECK(server.get("/v1/channel_types/livestream").code() == "not_found");
  CHECK(server.get("/v1/channel_types/support").body["channel_type"]["settings"]["reactions"] == false);
  CHECK(server.get("/v1/commands").body["commands"].size() == 1);
  CHECK(server.get("/v1/moderation/settings").body["settings"]["appeal_days"] == 5);
  CHECK(server.get("/v1/moderation/rules").body["moderation_rules"]["rules"][0]["name"] == "my-links");
  CHECK(operators().post(path_of(app, "/clone"), {{"name", "dev"}, {"plan", "no_such_plan"}}).pointer() == "#/plan");
  CHECK(operators().post(kApplications + "/app_01h455vb4pex5vsknk084sn02q/clone", {{"name", "dev"}}).code() == "not_found");
  REQUIRE(operators().del(path_of(app)).status == 204);
  CHECK(operators().post(path_of(app, "/clone"), {{"name", "dev"}}).code() == "conflict");
}

TEST_CASE("applications: environments of one organisation are listed together", "[api][applications]") {
  TestApp production, development, stranger;
  const std::string acme = "Acme " + production.id();
  REQUIRE(operators().patch(path_of(production), {{"set", {{"organisation", acme}, {"environment", "production"}}}}).status == 200);
  REQUIRE(operators().patch(path_of(development), {{"set", {{"organisation", acme}, {"environment", "development"}}}}).status == 200);
  const auto list = [&] { return operators().get(kApplications + "?organisation=Acme%20" + production.id()).body["applications"]; };
  auto both = list();
  REQUIRE(both.size() == 2);
  CHECK(both[0]["environment"] == "production");
  REQUIRE(operators().patch(path_of(development), {{"unset", {"organisation"}}}).status == 200);
  CHECK(list().size() == 1);
  CHECK_FALSE(shown(development).contains("organisation"));
  CHECK(shown(development)["environment"] == "development");
}

TEST_CASE("applications: contacts and placement are checked; the customer sees the contacts alone", "[api][applications]") {
  TestApp app;
  const Json contacts = {{{"name", "Ada"}, {"email", "ada@acme.example"}, {"role", "billing"}}};
  REQUIRE(operators().patch(path_of(app), {{"set", {{"contacts", contacts}, {"placement", {{"cluster", "eu-1"}}}}}}).status == 200);
  CHECK(shown(app)["contacts"] == contacts);
  CHECK(shown(app)["placement"] == Json{{"cluster", "eu-1"}});
  auto own = app.server().get("/v1/app").body["application"];
  CHECK(own["contacts"] == contacts);
  CHECK_FALSE(own.contains("placement"));
  const auto pointer = [&](const Json& set) { return operators().patch(path_of(app), {{"set", set}}).pointer(); };
  CHECK(pointer({{"contacts", {{{"name", "Ada"}}}}}) == "#/set/contacts/0/email");
  CHECK(pointer({{"contacts", {{{"email", "nobody"}}}}}) == "#/set/contacts/0/email");
  CHECK(pointer({{"contacts", {{{"email", "a@b"}, {"phone", "1"}}}}}) == "#/set/contacts/0/phone");
  CHECK(pointer({{"placement", {{"cluster", 1}}}}) == "#/set/placement/cluster");
  CHECK(pointer({{"environment", "Two Words"}}) == "#/set/environment");
  CHECK(operators().patch(path_of(app), {{"unset", {"plan"}}}).pointer() == "#/unset/0");
  CHECK(operators().patch(path_of(app), Json::object()).pointer() == "#/set");
  CHECK(shown(app)["contacts"] == contacts);
}
