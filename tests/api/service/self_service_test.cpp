#include <catch2/catch.hpp>

#include <future>

#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }

}  // namespace

TEST_CASE("self-service: a backend changes single settings of its application and reads what it changed", "[api][self_service]") {
  TestApp app, neighbour;
  app.set({{"guests", true}, {"search_language", "german"}});
  auto changed = app.server().patch("/v1/app/settings", {{"set", {{"unique_emails", true}}}, {"unset", {"guests"}}});
  REQUIRE(changed.status == 200);
  const Json settings{{"search_language", "german"}, {"unique_emails", true}};
  CHECK(changed.body["application"]["settings"] == settings);
  CHECK(operators().get(path_of(app)).body["application"]["settings"] == settings);
  auto audit = app.server().get("/v1/app/audit").body["audit"];
  REQUIRE(audit.size() == 1);
  CHECK(audit[0]["action"] == "settings.update");
  CHECK(audit[0]["before"] == Json{{"guests", true}, {"search_language", "german"}});
  CHECK(audit[0]["after"] == settings);
  CHECK(audit[0]["address"] == "127.0.0.1");
  CHECK(neighbour.server().get("/v1/app/audit").body["audit"].empty());
}

TEST_CASE("self-service: what is refused or changes nothing leaves settings and audit as they were", "[api][self_service]") {
  TestApp app;
  app.add_users({"alice"});
  app.set({{"guests", true}});
  CHECK(app.server().patch("/v1/app/settings", {{"set", {{"guest", true}}}}).code() == "unknown_field");
  CHECK(app.server().patch("/v1/app/settings", {{"set", {{"guests", 1}}}}).pointer() == "#/set/guests");
  for (const auto* name : {"guests", "teams", "upload_types", "search_language", "guest_days"})
    CHECK(app.server().patch("/v1/app/settings", {{"set", {{name, nullptr}}}}).pointer() == "#/set/" + std::string(name));
  CHECK(app.server().patch("/v1/app/settings", {{"unset", {"plan"}}}).pointer() == "#/unset/0");
  CHECK(app.server().patch("/v1/app/settings", Json::object()).pointer() == "#/set");
  CHECK(app.user("alice").patch("/v1/app/settings", {{"set", {{"guests", false}}}}).code() == "forbidden");
  CHECK(app.server().patch("/v1/app/settings", {{"set", {{"guests", true}}}}).status == 200);
  CHECK(app.server().get("/v1/app").body["application"]["settings"] == Json{{"guests", true}});
  CHECK(app.server().get("/v1/app/audit").body["audit"].empty());
  for (const auto* path : {"/v1/app/audit", "/v1/app/keys"}) CHECK(app.user("alice").get(path).code() == "forbidden");
  CHECK(app.user("alice").post("/v1/app/secrets").code() == "forbidden");
}

TEST_CASE("self-service: two settings changed at once are both kept", "[api][self_service]") {
  TestApp app;
  std::vector<std::future<int>> calls;
  for (const auto* name : {"guests", "outbox", "unique_emails", "unique_usernames"})
    calls.push_back(std::async(std::launch::async, [&app, name] { return app.server().patch("/v1/app/settings", {{"set", {{name, true}}}}).status; }));
  for (auto& call : calls) CHECK(call.get() == 200);
  CHECK(app.server().get("/v1/app").body["application"]["settings"].size() == 4);
  CHECK(app.server().get("/v1/app/audit").body["audit"].size() == 4);
}

TEST_CASE("self-service: the operator changes single settings, too, in its own audit", "[api][self_service]") {
  TestApp app;
  app.set({{"guests", true}});
  auto changed = operators().patch(path_of(app, "/settings"), {{"set", {{"outbox", true}}}, {"unset", {"guests"}}});
  REQUIRE(changed.status == 200);
  CHECK(changed.body["application"]["settings"] == Json{{"outbox", true}});
  CHECK(operators().get("/operator/v1/audit?action=application.settings&object=application:" + app.id()).body["audit"].size() == 1);
  CHECK(app.server().get("/v1/app/audit").body["audit"].empty());
}

TEST_CASE("self-service: keys are rotated without an interruption, and say when they were last used", "[api][self_service]") {
  TestApp app;
  auto made = app.server().post("/v1/app/secrets", {{"expire_others_in_s", 3600}});
  REQUIRE(made.status == 201);
  const std::string id = made.body["secret"]["secret_id"];
  CHECK(app.server().get("/v1/app").status == 200);   // the old one, for an hour yet
  Service::get().node().run_job("note_used_secrets");
  const auto keys = [&] { return app.server().get("/v1/app/keys").body; };
  eventually("the use is noted", [&] {
    Service::get().node().run_job("note_used_secrets");
    return keys()["secrets"][1].contains("last_used_at");
  });
  CHECK(keys()["api_key"] == app.key());
  CHECK(keys()["secrets"][0]["secret_id"] == id);
  CHECK_FALSE(keys()["secrets"][0].contains("last_used_at"));
  CHECK_FALSE(keys()["secrets"][0].contains("expires_at"));
  CHECK(keys()["secrets"][1].contains("expires_at"));
  CHECK(keys().dump().find("sk_") == std::string::npos);
}

TEST_CASE("self-service: one secret can be ended at a time, never the last that stays", "[api][self_service]") {
  TestApp app;
  const std::string first = app.server().get("/v1/app/keys").body["secrets"][0]["secret_id"];
  const std::string path = "/v1/app/secrets/" + first;
  CHECK(app.server().post(path + "/expire", {{"in_s", 60}}).code() == "conflict");
  CHECK(app.server().del(path).code() == "conflict");
  CHECK_FALSE(app.server().get("/v1/app/keys").body["secrets"][0].contains("expires_at"));
  const auto second = app.server().post("/v1/app/secrets").body["secret"];
  auto ended = app.server().post(path + "/expire", {{"in_s", 3600}});
  REQUIRE(ended.status == 200);
  const std::string until = ended.body["secret"]["expires_at"];
  CHECK(app.server().post(path + "/expire", {{"in_s", 7200}}).body["secret"]["expires_at"] == until);   // never later
  CHECK(app.server().post(path + "/expire", {{"in_s", -1}}).pointer() == "#/in_s");
  CHECK(app.server().post("/v1/app/secrets/sec_01h455vb4pex5vsknk084sn02q/expire", {{"in_s", 1}}).code() == "not_found");
  CHECK(operators().post(path_of(app, "/secrets/" + first + "/expire"), {{"in_s", 0}}).status == 200);
  CHECK(app.server().get("/v1/app").code() == "unauthenticated");
  const std::string token = operators().post(path_of(app, "/tokens"), {{"server", true}}).body["token"];
  auto server = app.with_token(token);
  CHECK(server.get("/v1/app/keys").body["secrets"].size() == 1);
  auto audit = server.get("/v1/app/audit").body["audit"];
  CHECK(audit.size() == 2);
  CHECK(audit[0]["action"] == "secret.expire");
  CHECK(audit[1]["action"] == "secret.create");
  CHECK(audit.dump().find(second["value"].get<std::string>()) == std::string::npos);
}

TEST_CASE("self-service: another application's secret is no secret", "[api][self_service]") {
  TestApp app, neighbour;
  const std::string theirs = neighbour.server().get("/v1/app/keys").body["secrets"][0]["secret_id"];
  CHECK(app.server().del("/v1/app/secrets/" + theirs).code() == "not_found");
  CHECK(app.server().post("/v1/app/secrets/" + theirs + "/expire", {{"in_s", 0}}).code() == "not_found");
  CHECK(neighbour.server().get("/v1/app").status == 200);
}

TEST_CASE("self-service: a secret deleted and tokens revoked are in the audit, page by page, by action", "[api][self_service]") {
  TestApp app;
  const std::string made = app.server().post("/v1/app/secrets").body["secret"]["secret_id"];
  REQUIRE(app.server().del("/v1/app/secrets/" + made).status == 204);
  REQUIRE(app.server().post("/v1/app/revoke_tokens").status == 204);
  std::vector<std::string> actions;
  std::string next;
  do {
    auto page = app.server().get("/v1/app/audit?limit=2" + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& entry : page.body["audit"]) actions.push_back(entry["action"]);
    next = page.body.value("next", "");
  } while (!next.empty());
  CHECK(actions == std::vector<std::string>{"token.revoke", "secret.delete", "secret.create"});
  CHECK(app.server().get("/v1/app/audit?action=secret.delete").body["audit"].size() == 1);
  CHECK(app.server().get("/v1/app/audit?next=forged").pointer() == "query:next");
}
