#include <catch2/catch.hpp>

#include <future>

#include "platform/storage/migrator.h"
#include "tenants/applications.h"
#include "tenants/own_audit.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

/// Oldest first.
std::vector<Json> audit_of(TestApp& app) {
  std::vector<Json> entries;
  const auto page = app.server().get("/v1/app/audit?limit=100").body;
  for (const auto& entry : page["audit"]) entries.insert(entries.begin(), entry);
  return entries;
}

std::vector<std::string> actions_of(TestApp& app) {
  std::vector<std::string> actions;
  for (const auto& entry : audit_of(app)) actions.push_back(entry["action"].get<std::string>() + " " + entry["object"].get<std::string>());
  return actions;
}

}  // namespace

TEST_CASE("own audit: every change of the set-up is noted, with what was and what is", "[api][own_audit]") {
  TestApp app;
  auto server = app.server();
  REQUIRE(server.post("/v1/teams", {{"team_id", "red"}, {"name", "Red"}}).status == 201);
  REQUIRE(server.patch("/v1/teams/red", {{"set", {{"name", "Rot"}}}}).status == 200);
  REQUIRE(server.del("/v1/teams/red").status == 204);
  REQUIRE(server.post("/v1/channel_types", {{"type", "support"}, {"settings", {{"reactions", false}}}}).status == 201);
  REQUIRE(server.patch("/v1/channel_types/support", {{"settings", {{"reactions", true}}}}).status == 200);
  REQUIRE(server.del("/v1/channel_types/support").status == 204);
  for (const char* text : {"A picture", "A film"}) REQUIRE(server.put("/v1/commands/giphy", {{"description", text}}).status / 100 == 2);
  REQUIRE(server.del("/v1/commands/giphy").status == 204);
  REQUIRE(server.post("/v1/push/providers", {{"provider", "web"}, {"contact", "mailto:ops@example.com"}}).status == 201);
  REQUIRE(server.del("/v1/push/providers/web/default").status == 204);
  REQUIRE(server.put("/v1/push/templates/message.new", {{"title", "{{ sender.name }}"}, {"body", "x"}, {"language", "de"}}).status / 100 == 2);
  REQUIRE(server.del("/v1/push/templates/message.new?language=de").status == 204);
  CHECK(actions_of(app) == std::vector<std::string>{"team.create team:red", "team.update team:red", "team.delete team:red",
                                                    "channel_type.create channel_type:support", "channel_type.update channel_type:support",
                                                    "channel_type.delete channel_type:support", "command.put command:giphy",
                                                    "command.put command:giphy", "command.delete command:giphy",
                                                    "push_provider.save push_provider:web:default", "push_provider.delete push_provider:web:default",
                                                    "push_template.save push_template:message.new:de", "push_template.delete push_template:message.new:de"});
  const auto entries = audit_of(app);
  CHECK_FALSE(entries[0].contains("before"));
  CHECK(entries[1]["before"]["name"] == "Red");
  CHECK(entries[1]["after"]["name"] == "Rot");
  CHECK_FALSE(entries[2].contains("after"));
  CHECK(entries[4]["before"]["settings"]["reactions"] == false);
  CHECK(entries[4]["after"]["settings"]["reactions"] == true);
  CHECK(entries[7]["before"]["description"] == "A picture");
  CHECK(entries[12]["before"]["body"] == "x");
  CHECK(Json(entries).dump().find("private_key") == std::string::npos);
}

TEST_CASE("own audit: what changes nothing and what is refused is not noted", "[api][own_audit]") {
  TestApp app;
  auto server = app.server();
  for (int i = 0; i < 2; ++i) {
    CHECK(server.put("/v1/commands/giphy", {{"description", "A picture"}}).status / 100 == 2);
    CHECK(server.put("/v1/push/templates/mention", {{"title", "t"}, {"body", "b"}}).status / 100 == 2);
    CHECK(server.patch("/v1/channel_types/team", {{"settings", Json::object()}}).status == 200);
  }
  CHECK(server.post("/v1/channel_types", {{"type", "team"}}).code() == "already_exists");
  CHECK(server.del("/v1/teams/none").code() == "not_found");
  CHECK(server.del("/v1/commands/none").code() == "not_found");
  CHECK(server.del("/v1/push/templates/message.new").code() == "not_found");
  CHECK(server.del("/v1/push/providers/web/none").code() == "not_found");
  CHECK(actions_of(app) == std::vector<std::string>{"command.put command:giphy", "push_template.save push_template:mention"});
}

TEST_CASE("own audit: changed at once, each change finds what the one before left", "[api][own_audit]") {
  TestApp app;
  std::vector<std::future<int>> calls;
  for (const auto* name : {"reactions", "replies", "uploads", "typing_events"})
    calls.push_back(std::async(std::launch::async, [&app, name] { return app.server().patch("/v1/channel_types/team", {{"settings", {{name, false}}}}).status; }));
  for (auto& call : calls) CHECK(call.get() == 200);
  const auto entries = audit_of(app);
  REQUIRE(entries.size() == 4);
  std::size_t linked = 0;                      // written by two nodes: their order is not that of their ids
  for (const auto& entry : entries)
    for (const auto& next : entries) linked += next["before"] == entry["after"];
  CHECK(linked == 3);
  const auto settings = app.server().get("/v1/channel_types/team").body["channel_type"]["settings"];
  for (const auto* name : {"reactions", "replies", "uploads", "typing_events"}) CHECK(settings[name] == false);
}

TEST_CASE("own audit: rotating a secret is noted with what became of the others", "[api][own_audit]") {
  TestApp app;
  REQUIRE(app.server().post("/v1/app/secrets", {{"expire_others_in_s", 3600}}).status == 201);
  auto made = Service::get().operators().post(path_of(app, "/secrets"), {{"expire_others_in_s", 60}});
  REQUIRE(made.status == 201);
  const auto own = audit_of(app).back();
  REQUIRE(own["before"]["secrets"].size() == 1);
  CHECK_FALSE(own["before"]["secrets"][0].contains("expires_at"));
  REQUIRE(own["after"]["secrets"].size() == 2);
  CHECK(own["after"]["secrets"][1].contains("expires_at"));
  const auto operators = Service::get().operators().get("/operator/v1/audit?action=secret.create&object=application:" + app.id()).body["audit"][0];
  CHECK(operators["before"]["secrets"].size() == 2);
  CHECK_FALSE(operators["before"]["secrets"][0].contains("expires_at"));
  CHECK(operators["after"]["secrets"].size() == 3);
  CHECK(operators["after"]["secrets"][1].contains("expires_at"));
}

TEST_CASE("own audit: it is only added to, and forgotten after 400 days", "[api][own_audit]") {
  ScratchDatabase database;
  storage::Migrator(database.owner()).up();
  Probe superuser(database.superuser().dsn), server(database.server().dsn);
  superuser.run("insert into plans values ('free', '{}', now(), now())");
  storage::Connection connection(database.server());
  const auto now = system_clock().now();
  AppId app;
  const http::Request request;
  const auto write = [&](const std::function<void(storage::Transaction&)>& body) { connection.transact(app, storage::Mode::write, body); };
  write([&](storage::Transaction& tx) { app = tenants::create_application(tx, {.name = "a", .plan_id = "free"}, now); });
  write([&](storage::Transaction& tx) { tenants::note_own(tx, request, "settings.update", "settings", std::nullopt, "{}", now); });
  for (const char* age : {"399 days", "401 days"})
    superuser.run(std::string("insert into application_audit select app_id, uuid7_floor(now() - interval '") + age + "'), now() - interval '" + age +
                  "', action, object, before, after, address, request_id from application_audit limit 1");
  server.run("begin; select set_config('chat.app_id', '" + app.text() + "', true)");
  CHECK_THROWS_WITH(server.run("update application_audit set action = 'x'"), Catch::Contains("permission denied"));
  server.run("rollback; begin; select set_config('chat.app_id', '" + app.text() + "', true)");
  CHECK_THROWS_WITH(server.run("delete from application_audit"), Catch::Contains("permission denied"));
  server.run("rollback");
  for (const char* sql : {"update application_audit set action = 'x'", "truncate application_audit"})
    CHECK_THROWS_WITH(superuser.run(sql), Catch::Contains("can only be added to"));
  std::int64_t swept = 0;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) { swept = tenants::sweep_own_audit(tx, now, 100); });
  CHECK(swept == 1);
  CHECK(superuser.value("select count(*) from application_audit") == "2");
}
