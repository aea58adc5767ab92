#include <catch2/catch.hpp>

#include <regex>

#include "platform/server/routes.h"
#include "tests/support/contract.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kOperators = "/operator/v1/operators";

std::string fresh_name() { return "op-" + new_uuid7(system_clock().now()).text(); }

struct Colleague {
  std::string id, name, token;

  explicit Colleague(const std::string& role) : name(fresh_name()) {
    auto made = Service::get().operators().post(kOperators, {{"name", name}, {"role", role}});
    REQUIRE(made.status == 201);
    id = made.body["operator"]["operator_id"];
    token = made.body["token"];
  }
  Actor actor() const {
    auto ports = Ports{Service::get().node().operator_port()};
    return Actor(ports, {{"Authorization", "Bearer " + token}});
  }
};

Json listed(const std::string& id) {
  std::string next;
  do {
    auto page = Service::get().operators().get(kOperators + "?limit=100" + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& row : page.body["operators"])
      if (row["operator_id"] == id) return row;
    next = page.body.value("next", "");
  } while (!next.empty());
  return nullptr;
}

/// The route with something in each part; the role is judged before anybody looks what.
std::string path_of(const http::Route& route) { return std::regex_replace(route.pattern, std::regex("\\{[a-z_]+\\}"), "x"); }

std::string promised_role(const http::Route& route) {
  for (const auto& operation : Contract::get().operations())
    if (operation.id == route.operation) return operation.node->at("x-role");
  return "";
}

int call(Actor& actor, const http::Route& route) {
  const bool has_body = route.method == http::Method::post || route.method == http::Method::put || route.method == http::Method::patch;
  auto answer = actor.call(std::string(http::word(route.method)), path_of(route), has_body ? "{}" : "");
  return answer.code() == "forbidden" ? 403 : answer.status;
}

}  // namespace

TEST_CASE("operators: each has a token of its own, shown once, of which only the hash is kept", "[api][operators]") {
  Colleague ines("operator");
  CHECK(ines.token.size() == 46);
  CHECK(ines.actor().get("/operator/v1/plans").status == 200);
  auto shown = listed(ines.id);
  CHECK(shown["role"] == "operator");
  CHECK(shown["created_by"] == "bootstrap");
  CHECK(shown.contains("last_used_at"));
  CHECK(shown.dump().find(ines.token) == std::string::npos);
  CHECK(Probe(superuser_database().dsn).value("select count(*) from operators o where o::text like '%" + ines.token.substr(3) + "%'") == "0");
}

TEST_CASE("operators: a name stands once, and bootstrap is nobody else's", "[api][operators]") {
  Colleague ines("viewer");
  auto boss = Service::get().operators();
  CHECK(boss.post(kOperators, {{"name", ines.name}, {"role", "owner"}}).code() == "already_exists");
  CHECK(boss.post(kOperators, {{"name", "bootstrap"}, {"role", "owner"}}).pointer() == "#/name");
  CHECK(boss.post(kOperators, {{"name", "two words"}, {"role", "owner"}}).pointer() == "#/name");
  CHECK(boss.post(kOperators, {{"name", fresh_name()}, {"role", "king"}}).pointer() == "#/role");
  REQUIRE(boss.del(kOperators + "/" + ines.id).status == 204);
  CHECK(boss.post(kOperators, {{"name", ines.name}, {"role", "viewer"}}).status == 201);
}

TEST_CASE("operators: a revoked token is dead at once, on every node", "[api][operators]") {
  Colleague ines("operator");
  Actor everywhere(Service::get().operator_ports(), {{"Authorization", "Bearer " + ines.token}});
  for (int i = 0; i < 2; ++i) CHECK(everywhere.get("/operator/v1/plans").status == 200);
  REQUIRE(Service::get().operators().del(kOperators + "/" + ines.id).status == 204);
  for (int i = 0; i < 2; ++i) CHECK(everywhere.get("/operator/v1/plans").code() == "unauthenticated");
  CHECK(Service::get().operators().del(kOperators + "/" + ines.id).code() == "not_found");
  CHECK(listed(ines.id).contains("revoked_at"));
}

TEST_CASE("operators: a token that is nobody's answers as any other wrong one", "[api][operators]") {
  for (const std::string token : {"op_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "op_short", "x"}) {
    Actor liar(Service::get().node().operator_port(), {{"Authorization", "Bearer " + token}});
    CHECK(liar.get("/operator/v1/plans").code() == "unauthenticated");
  }
}

TEST_CASE("operators: every route asks for its role", "[api][operators]") {
  auto viewer = Colleague("viewer").actor();
  auto changer = Colleague("operator").actor();
  auto owner = Colleague("owner").actor();
  int changing = 0, owners = 0;
  for (const auto* route : server::all_routes()) {
    if (route->access != http::Access::operator_only) continue;
    INFO(http::word(route->method) << " " << route->pattern);
    const auto needed = promised_role(*route);
    changing += needed == "operator";
    owners += needed == "owner";
    CHECK((call(viewer, *route) == 403) == (needed != "viewer"));
    CHECK((call(changer, *route) == 403) == (needed == "owner"));
    CHECK(call(owner, *route) != 403);
  }
  CHECK(changing >= 8);
  CHECK(owners >= 9);
  auto refused = viewer.post("/operator/v1/applications", {{"name", "x"}, {"plan", Service::kPlan}});
  CHECK(refused.status == 403);
  CHECK(refused.body["detail"].get<std::string>().find("needs the role operator") != std::string::npos);
}

TEST_CASE("operators: one's Idempotency-Key is not another's", "[api][operators]") {
  Colleague ines("operator"), omar("operator");
  const HttpHeaders key{{"Idempotency-Key", "k" + ines.id}};
  const Json body{{"name", ines.name}, {"plan", Service::kPlan}};
  TestApp app;
  const std::string path = "/operator/v1/applications/" + app.id() + "/suspend";
  CHECK(ines.actor().post(path, {{"reason", "a"}}, key).status == 200);
  CHECK(ines.actor().post(path, {{"reason", "b"}}, key).code() == "idempotency_mismatch");
  CHECK(omar.actor().post(path, {{"reason", "b"}}, key).status == 200);
}
