#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
std::string path_of(const TestApp& app, const std::string& more = "") { return "/operator/v1/applications/" + app.id() + more; }

}  // namespace

TEST_CASE("applications: made with a key, a secret shown once, and three channel types", "[api][applications]") {
  TestApp app;
  auto shown = operators().get(path_of(app));
  CHECK(shown.body["application"]["status"] == "active");
  CHECK(shown.body["application"]["api_key"] == app.key());
  CHECK(shown.http.body.find(app.secret()) == std::string::npos);
  CHECK(operators().get(path_of(app, "/keys")).http.body.find(app.secret()) == std::string::npos);
  CHECK(app.rows("application_secrets", "position(convert_to('" + app.secret() + "', 'UTF8') in sealed) > 0") == 0);
  CHECK(app.server().get("/v1/channel_types").body["channel_types"].size() == 3);
}

TEST_CASE("applications: an unknown plan or a bad name makes none", "[api][applications]") {
  auto refused = operators().post("/operator/v1/applications", {{"name", "x"}, {"plan", "no_such_plan"}});
  CHECK(refused.code() == "invalid_field");
  CHECK(refused.pointer() == "#/plan");
  CHECK(operators().post("/operator/v1/applications", {{"plan", Service::kPlan}}).pointer() == "#/name");
  CHECK(operators().post("/operator/v1/applications", {{"name", "x"}, {"plan", Service::kPlan}, {"settings", {{"outbx", true}}}}).code() == "unknown_field");
}

TEST_CASE("applications: a secret is not kept with an Idempotency-Key", "[api][applications]") {
  TestApp app;
  auto made = operators().post(path_of(app, "/secrets"), Json::object(), {{"Idempotency-Key", "k" + app.id()}});
  REQUIRE(made.status == 201);
  const std::string value = made.body["secret"]["value"];
  CHECK(operators().post(path_of(app, "/secrets"), Json::object(), {{"Idempotency-Key", "k" + app.id()}}).code() == "conflict");
  CHECK(Probe(superuser_database().dsn).value("select count(*) from idempotency_keys where body like '%" + value + "%'") == "0");
  CHECK(operators().get(path_of(app, "/keys")).body["secrets"].size() == 2);
  auto unknown = operators().patch(path_of(app), {{"set", {{"limits", {{"mesages", {{"hard", 1}}}}}}}});
  CHECK(unknown.pointer() == "#/set/limits/mesages");
  const std::string read_at = operators().get(path_of(app)).body["application"]["updated_at"];
  CHECK(operators().patch(path_of(app), {{"set", {{"region", "eu"}}}, {"if_updated_at", read_at}}).status == 200);
  const auto late = operators().patch(path_of(app), {{"set", {{"region", "us"}}}, {"if_updated_at", read_at}});
  CHECK(late.code() == "conflict");
  CHECK(operators().get(path_of(app)).body["application"]["region"] == "eu");
  CHECK(operators().patch(path_of(app), {{"set", {{"limits", {{"messages", {{"hard", nullptr}}}}}}}}).pointer() == "#/set/limits/messages/hard");
}

TEST_CASE("applications: found by id, by key and by a name that is unique", "[api][applications]") {
  TestApp app, second;
  const std::string name = "the one " + app.id();
  REQUIRE(operators().patch(path_of(app), {{"set", {{"name", name}}}}).status == 200);
  CHECK(operators().get("/operator/v1/applications/the%20one%20" + app.id()).body["application"]["app_id"] == app.id());
  CHECK(operators().get("/operator/v1/applications/" + app.key()).body["application"]["app_id"] == app.id());
  REQUIRE(operators().patch(path_of(second), {{"set", {{"name", name}}}}).status == 200);
  CHECK(operators().get("/operator/v1/applications/the%20one%20" + app.id()).code() == "conflict");
  CHECK(operators().get("/operator/v1/applications/app_01h455vb4pex5vsknk084sn02q").code() == "not_found");
}

TEST_CASE("applications: listed page by page, each once", "[api][applications]") {
  TestApp one, two, three;
  std::vector<std::string> seen;
  std::string next;
  do {
    auto page = operators().get("/operator/v1/applications?limit=2" + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& application : page.body["applications"]) seen.push_back(application["app_id"]);
    next = page.body.value("next", "");
  } while (!next.empty() && seen.size() < 5000);
  for (const auto* app : {&one, &two, &three}) CHECK(std::count(seen.begin(), seen.end(), app->id()) == 1);
  CHECK(operators().get("/operator/v1/applications?next=forged").pointer() == "query:next");
  CHECK(operators().get("/operator/v1/applications?status=odd").pointer() == "query:status");
}

TEST_CASE("applications: a suspended one answers so, and comes back whole", "[api][applications]") {
  TestApp app, neighbour;
  app.add_users({"alice"});
  neighbour.add_users({"alice"});
  CHECK(operators().post(path_of(app, "/suspend")).pointer() == "#/reason");
  REQUIRE(operators().post(path_of(app, "/suspend"), {{"reason", "unpaid"}}).status == 200);
  CHECK(app.user("alice").get("/v1/users/alice").code() == "application_suspended");
  CHECK(app.server().get("/v1/app").status == 403);
  CHECK(neighbour.user("alice").get("/v1/users/alice").status == 200);
  REQUIRE(operators().post(path_of(app, "/resume")).status == 200);
  CHECK(app.user("alice").get("/v1/users/alice").status == 200);
}

TEST_CASE("applications: a hundred live secrets there are not, and the last one stays", "[api][applications][limits]") {
  TestApp app;
  auto secrets = operators().get(path_of(app, "/keys")).body["secrets"];
  REQUIRE(secrets.size() == 1);
  CHECK(operators().del(path_of(app, "/secrets/" + secrets[0]["secret_id"].get<std::string>())).code() == "conflict");
  for (int i = 0; i < 4; ++i) CHECK(operators().post(path_of(app, "/secrets")).status == 201);
  CHECK(operators().post(path_of(app, "/secrets")).code() == "limit_reached");
  CHECK(app.server().get("/v1/app").status == 200);
  auto rotated = operators().post(path_of(app, "/secrets"), {{"expire_others_in_s", 0}});
  REQUIRE(rotated.status == 201);
  CHECK(app.server().get("/v1/app").code() == "unauthenticated");
  auto token = operators().post(path_of(app, "/tokens"), {{"server", true}}).body["token"].get<std::string>();
  CHECK(app.with_token(token).get("/v1/app").status == 200);
  CHECK(operators().del(path_of(app, "/secrets/sec_01h455vb4pex5vsknk084sn02q")).code() == "not_found");
}

TEST_CASE("applications: a rotation with grace keeps the old secret valid for a while", "[api][applications]") {
  TestApp app;
  REQUIRE(operators().post(path_of(app, "/secrets"), {{"expire_others_in_s", 3600}}).status == 201);
  CHECK(app.server().get("/v1/app").status == 200);
  int expiring = 0;
  auto keys = operators().get(path_of(app, "/keys"));
  for (const auto& secret : keys.body["secrets"]) expiring += secret.contains("expires_at");
  CHECK(expiring == 1);
  const std::string oldest = keys.body["secrets"][1]["secret_id"];
  CHECK(operators().del(path_of(app, "/secrets/" + oldest)).status == 204);
  CHECK(app.server().get("/v1/app").code() == "unauthenticated");
}

TEST_CASE("applications: the operator mints and revokes tokens", "[api][applications]") {
  TestApp app;
  app.add_users({"alice"});
  auto minted = operators().post(path_of(app, "/tokens"), {{"user_id", "alice"}, {"ttl_s", 60}});
  REQUIRE(minted.status == 201);
  auto alice = app.with_token(minted.body["token"]);
  CHECK(alice.get("/v1/users/alice").status == 200);
  REQUIRE(operators().post(path_of(app, "/revoke_tokens"), {{"user_id", "alice"}, {"before", format_time(system_clock().now() + std::chrono::seconds(5))}}).status == 204);
  CHECK(alice.get("/v1/users/alice").code() == "token_revoked");
  CHECK(operators().post(path_of(app, "/tokens"), Json::object()).code() == "invalid_field");
  CHECK(operators().post(path_of(app, "/tokens"), {{"user_id", "a b"}}).pointer() == "#/user_id");
}

TEST_CASE("applications: nobody gets in without the operator's token", "[api][applications]") {
  auto stranger = Service::get().stranger_at_operators();
  CHECK(stranger.get("/operator/v1/applications").code() == "unauthenticated");
  Actor liar(Service::get().node().operator_port(), {{"Authorization", "Bearer operator-of-the-tests-000000000"}});
  CHECK(liar.get("/operator/v1/applications").code() == "unauthenticated");
}
