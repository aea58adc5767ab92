#include <catch2/catch.hpp>
#include <thread>

#include "billing/plans.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
std::string unique(const TestApp& app, const std::string& name) { return name + "-" + app.id().substr(4); }
std::string plan_path(const std::string& plan, const std::string& more = "") { return "/operator/v1/plans/" + plan + more; }
std::string own_path(const TestApp& app) { return "/operator/v1/applications/" + app.id() + "/plan"; }

Json put_plan(const std::string& id, const Json& plan) {
  auto answer = operators().put(plan_path(id), plan);
  REQUIRE(answer.status == 200);
  return answer.body["plan"];
}

Json apply(const Json& plans, bool dry_run = false) { return operators().post("/operator/v1/plans/apply", {{"plans", plans}, {"dry_run", dry_run}}).body; }

Json plan_with(int hard) { return {{"name", "V"}, {"currency", "EUR"}, {"limits", {{{"meter", "messages"}, {"hard", hard}}}}}; }

int hard_of(TestApp& app) {
  const auto answer = app.server().get("/v1/limits");
  for (const auto& limit : answer.body["limits"])
    if (limit["meter"] == "messages") return limit.value("hard", 0);
  return 0;
}

Json audited(const std::string& object) { return operators().get("/operator/v1/audit?limit=10&object=" + object).body["audit"]; }

}  // namespace

TEST_CASE("plans: an application stays on its version until it is moved, and the moments are kept", "[api][plans]") {
  TestApp app(Json{{"push", {{"hard", 1000}}}});     // one node alone, so that what it knows is known
  const auto plan = unique(app, "v");
  CHECK(put_plan(plan, plan_with(1))["version"] == 1);
  REQUIRE(operators().post(own_path(app), {{"plan", plan}}).body["version"] == 1);
  CHECK(put_plan(plan, plan_with(2))["version"] == 2);
  CHECK(put_plan(plan, plan_with(2))["version"] == 2);
  eventually("the plan is known", [&] { return hard_of(app) == 1; });
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "one");
  CHECK(app.user("alice").post(kMessages, {{"text", "two"}}).code() == "quota_exceeded");

  const auto moved = operators().post(own_path(app), {{"plan", plan}, {"yearly", true}});
  CHECK(moved.body["version"] == 2);
  CHECK(moved.body["yearly"] == true);
  REQUIRE(moved.body["history"].size() == 3);
  CHECK(moved.body["history"][0]["version"] == 2);
  CHECK(moved.body["history"][1]["version"] == 1);
  CHECK(moved.body["history"][2]["plan"] == Service::kPlan);
  eventually("its second version, too", [&] { return hard_of(app) == 2; });
  eventually("it counts", [&] { return app.user("alice").post(kMessages, {{"text", "two"}}).status == 201; });
  CHECK(operators().get(own_path(app)).body == moved.body);
  CHECK(operators().post(own_path(app), {{"plan", plan}, {"version", 1}}).body["version"] == 1);
  CHECK(operators().get(own_path(app)).body["yearly"] == true);
  CHECK(operators().post(own_path(app), {{"plan", plan}, {"version", 1}}).body["history"].size() == 4);
  CHECK(audited("application:" + app.id())[0]["action"] == "application.move");
  CHECK(audited("application:" + app.id())[0]["after"] == Json({{"plan", plan}, {"version", 1}, {"yearly", true}}));

  CHECK(operators().post(own_path(app), {{"plan", plan}, {"version", 9}}).pointer() == "#/version");
  CHECK(operators().post(own_path(app), {{"plan", "no-such-plan"}}).pointer() == "#/plan");
  CHECK(operators().post("/operator/v1/applications/app_01h455vb4pex5vsknk084sn02q/plan", {{"plan", plan}}).code() == "not_found");
  CHECK(operators().get(own_path(app)).body["history"].size() == 4);
}

TEST_CASE("plans: what differs between two versions is told member by member", "[api][plans]") {
  TestApp named;
  const auto plan = unique(named, "d");
  put_plan(plan, plan_with(1));
  put_plan(plan, plan_with(2));
  CHECK(operators().get(plan_path(plan, "/diff")).body["changes"] == Json::parse(R"([{"field":"limits.messages.hard","before":1,"after":2}])"));
  put_plan(plan, {{"name", "W"}, {"currency", "EUR"}, {"price_month", 5}, {"features", {{"polls", false}}}});
  const auto diff = operators().get(plan_path(plan, "/diff?from=1&to=3")).body;
  CHECK(diff["changes"] == Json::parse(R"([{"field":"features.polls","after":false},{"field":"limits.messages.hard","before":1},
    {"field":"name","before":"V","after":"W"},{"field":"price_month","after":5}])"));
  CHECK(operators().get(plan_path(plan, "/diff?from=1&to=9")).code() == "not_found");
  CHECK(operators().get(plan_path("nobody-has-it", "/diff")).code() == "not_found");
  const auto versions = operators().get(plan_path(plan, "/versions")).body["plans"];
  REQUIRE(versions.size() == 3);
  CHECK(versions[0]["version"] == 3);
  CHECK(operators().get(plan_path("nobody-has-it", "/versions")).code() == "not_found");
}

TEST_CASE("plans: no application comes to an archived plan, and those on it stay", "[api][plans]") {
  TestApp app, late;
  const auto plan = unique(app, "a");
  put_plan(plan, plan_with(1));
  put_plan(plan, plan_with(2));
  REQUIRE(operators().post(own_path(app), {{"plan", plan}, {"version", 1}}).status == 200);
  REQUIRE(operators().post(plan_path(plan, "/archive")).status == 200);
  const auto archived = operators().post(plan_path(plan, "/archive")).body;
  CHECK(archived["plan"].contains("archived_at"));
  CHECK(operators().get(plan_path(plan)).body == archived);
  CHECK(operators().post(own_path(late), {{"plan", plan}}).code() == "conflict");
  CHECK(operators().patch("/operator/v1/applications/" + late.id(), {{"set", {{"plan", plan}}}}).code() == "conflict");
  CHECK(operators().post("/operator/v1/applications", {{"name", "too late"}, {"plan", plan}}).code() == "conflict");
  CHECK(operators().get(own_path(late)).body["history"].size() == 1);
  CHECK(operators().post(own_path(app), {{"plan", plan}, {"version", 2}}).status == 200);
  CHECK(operators().patch("/operator/v1/applications/" + app.id(), {{"set", {{"name", "still here"}}}}).status == 200);
  CHECK_FALSE(operators().post(plan_path(plan, "/archive"), {{"archived", false}}).body["plan"].contains("archived_at"));
  CHECK(operators().post(own_path(late), {{"plan", plan}}).status == 200);
  CHECK(operators().post(plan_path("nobody-has-it", "/archive")).code() == "not_found");
  std::vector<std::string> actions;
  const auto entries = audited("plan:" + plan);
  for (const auto& entry : entries) actions.push_back(entry["action"]);
  CHECK(actions == std::vector<std::string>{"plan.offer", "plan.archive", "plan.put", "plan.put"});   // the second archiving changed nothing
}

TEST_CASE("plans: an application is billed in one currency, whichever way it is moved", "[api][plans]") {
  TestApp app;
  const auto euro = unique(app, "eur"), dollar = unique(app, "usd"), none = unique(app, "none");
  put_plan(euro, {{"name", "E"}, {"currency", "EUR"}});
  put_plan(dollar, {{"name", "D"}, {"currency", "USD"}});
  put_plan(none, {{"name", "N"}});
  REQUIRE(operators().post(own_path(app), {{"plan", euro}}).status == 200);
  REQUIRE(operators().post(own_path(app), {{"plan", none}}).status == 200);
  CHECK(operators().post(own_path(app), {{"plan", dollar}}).code() == "conflict");
  CHECK(operators().patch("/operator/v1/applications/" + app.id(), {{"set", {{"plan", dollar}}}}).code() == "conflict");
  CHECK(operators().get(own_path(app)).body["plan"] == none);
  CHECK(operators().post(own_path(app), {{"plan", euro}}).status == 200);
}

TEST_CASE("plans: a file is applied as a whole or not at all, twice changes nothing, and a dry run only says what would", "[api][plans]") {
  TestApp named;
  const auto one = unique(named, "one"), two = unique(named, "two");
  const Json good{{"name", "One"}, {"currency", "EUR"}, {"price_month", 100}};
  const auto refused = apply({{one, good}, {two, {{"nam", "x"}, {"limits", {{{"meter", "wishes"}}, {{"meter", "message_bytes"}, {"action", "overage"}, {"overage_price", "1"}}}}}}});
  std::vector<std::string> pointers;
  for (const auto& error : refused["errors"]) pointers.push_back(error["pointer"]);
  std::sort(pointers.begin(), pointers.end());
  const auto at = "#/plans/" + two;
  CHECK(pointers == std::vector<std::string>{at + "/limits/0/meter", at + "/limits/1/overage_price", at + "/nam", at + "/name"});
  CHECK(operators().get(plan_path(one)).status == 404);
  CHECK(operators().post("/operator/v1/plans/apply", {{"plans", Json::object()}}).pointer() == "#/plans");

  CHECK(apply({{one, good}}, true)["plans"][0]["result"] == "created");
  CHECK(operators().get(plan_path(one)).status == 404);
  CHECK(apply({{one, good}})["plans"][0]["result"] == "created");
  CHECK(apply({{one, good}})["plans"][0]["result"] == "unchanged");
  CHECK(operators().get(plan_path(one)).body["plan"]["version"] == 1);
  Json dearer = good;
  dearer["price_month"] = 200;
  const auto would = apply({{one, dearer}, {two, good}}, true);
  CHECK(would["plans"][0]["changes"] == Json::parse(R"([{"field":"price_month","before":100,"after":200}])"));
  CHECK(would["plans"][1]["result"] == "created");
  CHECK(operators().get(plan_path(one)).body["plan"]["version"] == 1);
  CHECK(audited("plan:" + one).size() == 1);
  CHECK(apply({{one, dearer}, {two, good}})["plans"] == would["plans"]);
  CHECK(operators().get(plan_path(one)).body["plan"]["version"] == 2);
  CHECK(audited("plan:" + one)[0]["before"]["price_month"] == 100);
}

TEST_CASE("plans: a plan's prices hold together, or every mistake is named", "[api][plans]") {
  TestApp named;
  const auto plan = unique(named, "p");
  const auto first_mistake = [&](const Json& document) { return operators().put(plan_path(plan), document).pointer(); };
  const auto limited = [](const Json& limit) { return Json{{"name", "P"}, {"currency", "EUR"}, {"limits", {limit}}}; };
  CHECK(first_mistake({{"name", "P"}, {"price_month", 100}}) == "#/currency");
  CHECK(first_mistake({{"name", "P"}, {"currency", "eur"}}) == "#/currency");
  CHECK(first_mistake({{"name", "P"}, {"currency", "EUR"}, {"trial_days", 367}}) == "#/trial_days");
  CHECK(first_mistake(limited({{"meter", "messages"}, {"overage_price", "1"}})) == "#/limits/0/action");
  CHECK(first_mistake(limited({{"meter", "user_requests"}, {"action", "overage"}, {"overage_price", "1"}})) == "#/limits/0/overage_price");
  CHECK(first_mistake({{"name", "P"}, {"limits", {{{"meter", "push"}}, {{"meter", "push"}}}}}) == "#/limits/1");
  CHECK(first_mistake({{"name", "P"}, {"features", {{"pols", false}}}}) == "#/features/pols");
  CHECK(first_mistake({{"name", "P"}, {"features", {{"polls", "no"}}}}) == "#/features/polls");
  const auto tiers = [&](const Json& listed) { return first_mistake(limited({{"meter", "messages"}, {"action", "overage"}, {"overage_tiers", listed}})); };
  CHECK(tiers(Json::array()) == "#/limits/0/overage_tiers");
  CHECK(tiers({{{"up_to", 5}, {"price", "1"}}, {{"up_to", 4}, {"price", "1"}}, {{"price", "1"}}}) == "#/limits/0/overage_tiers/1/up_to");
  CHECK(tiers({{{"up_to", 5}, {"price", "1"}}}) == "#/limits/0/overage_tiers/0/up_to");
  CHECK(tiers({{{"price", "1.0000000000001"}}}) == "#/limits/0/overage_tiers/0/price");
  CHECK(operators().get(plan_path(plan)).status == 404);
  CHECK(tiers({{{"up_to", 5}, {"price", "1"}}, {{"price", "0.5"}}}).empty());
  CHECK(billing::parse_price("0.005") == 5'000'000'000);
  CHECK(billing::parse_price("999999.999999999999") == 999'999'999'999'999'999);
  for (const auto* bad : {"", ".5", "1.", "-1", "1e3", "1000000", "0.1234567890123"}) CHECK_FALSE(billing::parse_price(bad));
}

TEST_CASE("limits: an override holds until it expires", "[api][limits][plans]") {
  TestApp app(Json{{"messages", {{"hard", 3}}}});
  const auto set = [&](const Json& override) {
    return operators().patch("/operator/v1/applications/" + app.id(), {{"set", {{"limits", {{"messages", override}}}}}});
  };
  CHECK(set({{"hard", 5}, {"expires_at", "soon"}}).pointer() == "#/set/limits/messages/expires_at");
  REQUIRE(set({{"hard", 5}, {"expires_at", format_time(system_clock().now() + std::chrono::hours(24))}}).status == 200);
  eventually("it holds", [&] { return hard_of(app) == 5; });
  REQUIRE(set({{"hard", 5}, {"expires_at", format_time(system_clock().now() - std::chrono::seconds(1))}}).status == 200);
  eventually("it is over", [&] { return hard_of(app) == 0; });
}

TEST_CASE("plans: all applications of a plan come to its last version, some at a time, and a dry run only names them", "[api][plans]") {
  TestApp first, second, third, other;
  const auto plan = unique(first, "u");
  put_plan(plan, plan_with(1));
  for (const auto* app : {&first, &second, &third}) REQUIRE(operators().post(own_path(*app), {{"plan", plan}, {"yearly", true}}).status == 200);
  put_plan(plan, plan_with(2));
  REQUIRE(operators().post(own_path(third), {{"plan", plan}}).body["version"] == 2);
  const auto upgrade = [&](const Json& body) { return operators().post(plan_path(plan, "/upgrade"), body); };
  const auto version = [](const TestApp& app) { return operators().get(own_path(app)).body["version"]; };
  const auto would = upgrade({{"dry_run", true}});
  REQUIRE(would.body["applications"].size() == 2);
  CHECK(would.body["applications"][0] == Json({{"app_id", first.id()}, {"name", would.body["applications"][0]["name"]}, {"from_version", 1}}));
  CHECK(!would.body.contains("next"));
  CHECK(version(first) == 1);

  const auto page = upgrade({{"limit", 1}});
  CHECK(page.body["applications"].size() == 1);
  CHECK(page.body["next"] == first.id());
  CHECK(version(first) == 2);
  CHECK(version(second) == 1);
  const auto rest = upgrade({{"after", page.body["next"]}});
  REQUIRE(rest.body["applications"].size() == 1);
  CHECK(rest.body["applications"][0]["app_id"] == second.id());
  CHECK(operators().get(own_path(second)).body["yearly"] == true);
  CHECK(operators().get(own_path(second)).body["history"].size() == 3);
  CHECK(audited("application:" + second.id())[0]["action"] == "application.move");
  CHECK(audited("application:" + second.id())[0]["before"]["version"] == 1);
  CHECK(upgrade(Json::object()).body["applications"].empty());
  CHECK(version(other) != 2);
  eventually("its numbers hold", [&] { return hard_of(second) == 2; });

  CHECK(upgrade({{"after", "acme"}}).pointer() == "#/after");
  CHECK(upgrade({{"limit", 101}}).pointer() == "#/limit");
  CHECK(operators().post(plan_path("no-such-plan", "/upgrade"), Json::object()).code() == "not_found");
  auto dollars = plan_with(3);
  dollars["currency"] = "USD";
  put_plan(plan, dollars);
  CHECK(upgrade(Json::object()).code() == "conflict");
  CHECK(version(first) == 2);
  CHECK(operators().get(own_path(second)).body["history"].size() == 3);
}

TEST_CASE("plans: of changes at once each makes one version", "[api][plans]") {
  TestApp named;
  const auto plan = unique(named, "race");
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i <= 4; ++i)
      threads.emplace_back([&, i, actor = operators()]() mutable { made += actor.put(plan_path(plan), plan_with(i)).status == 200; });
  }
  CHECK(made == 4);
  CHECK(operators().get(plan_path(plan)).body["plan"]["version"] == 4);
  CHECK(operators().get(plan_path(plan, "/versions")).body["plans"].size() == 4);
}
