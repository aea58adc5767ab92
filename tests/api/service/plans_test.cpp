#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
Json meter(TestApp& app, const std::string& name) {
  auto usage = app.server().get("/v1/usage");
  for (const auto& item : usage.body["meters"])
    if (item["meter"] == name) return item;
  return {};
}

}  // namespace

TEST_CASE("plans: put, shown, listed, put again, deleted when nobody is on it", "[api][plans]") {
  TestApp named;                                // its id makes the plan's id unique
  const std::string path = "/operator/v1/plans/p-" + named.id().substr(4);
  const Json plan{{"name", "P"}, {"currency", "EUR"}, {"price_month", 4900},
                  {"limits", {{{"meter", "messages"}, {"included", 10}, {"hard", 20}, {"action", "overage"}, {"overage_price", "0.01"}}}}};
  CHECK(operators().get(path).code() == "not_found");
  auto put = operators().put(path, plan);
  CHECK(put.status == 200);
  CHECK(put.body["plan"]["price_month"] == 4900);
  CHECK(operators().get(path).body == put.body);
  CHECK(operators().put(path, plan).body == put.body);
  bool listed = false;
  auto all = operators().get("/operator/v1/plans");
  for (const auto& one : all.body["plans"]) listed |= one["plan_id"] == "p-" + named.id().substr(4);
  CHECK(listed);
  REQUIRE(operators().patch("/operator/v1/applications/" + named.id(), {{"set", {{"plan", "p-" + named.id().substr(4)}}}}).status == 200);
  CHECK(operators().del(path).code() == "conflict");
  REQUIRE(operators().patch("/operator/v1/applications/" + named.id(), {{"set", {{"plan", Service::kPlan}}}}).status == 200);
  CHECK(operators().del(path).status == 204);
  CHECK(operators().del(path).code() == "not_found");
}

TEST_CASE("plans: all mistakes of a plan come at once and change nothing", "[api][plans]") {
  auto refused = operators().put("/operator/v1/plans/bad-one", {{"currency", "EURO"}, {"colour", "red"}, {"limits", {{{"meter", "wishes"}}, {{"meter", "messages"}, {"included", 5}, {"hard", 2}}, {{"meter", "messages"}, {"window", "day"}, {"overage_price", "x"}}}}});
  CHECK(refused.status == 400);
  std::vector<std::string> pointers;
  for (const auto& error : refused.body["errors"]) pointers.push_back(error["pointer"]);
  for (const auto* pointer : {"#/name", "#/currency", "#/colour", "#/limits/0/meter", "#/limits/1/hard", "#/limits/2/window", "#/limits/2/overage_price"}) {
    INFO(pointer);
    CHECK(std::count(pointers.begin(), pointers.end(), pointer) == 1);
  }
  CHECK(operators().put("/operator/v1/plans/bad-one", {{"name", "x"}, {"limits", nullptr}}).pointer() == "#/limits");
  CHECK(operators().put("/operator/v1/plans/bad-one", {{"name", "x"}, {"features", nullptr}}).pointer() == "#/features");
  CHECK(operators().put("/operator/v1/plans/bad-one", {{"name", "x"}, {"limits", {{{"meter", "messages"}, {"hard", nullptr}}}}}).pointer() == "#/limits/0/hard");
  CHECK(operators().get("/operator/v1/plans/bad-one").code() == "not_found");
  CHECK(operators().put("/operator/v1/plans/Bad%20One", {{"name", "x"}}).pointer() == "path:plan_id");
}

TEST_CASE("limits: the month's messages end with quota_exceeded, and go on when the limit is raised", "[api][limits]") {
  TestApp app(Json{{"messages", {{"included", 2}, {"hard", 3}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (int i = 0; i < 3; ++i) app.send("alice", "general", "x");
  auto refused = app.user("alice").post(kMessages, {{"text", "one too many"}});
  CHECK(refused.status == 429);
  CHECK(refused.code() == "quota_exceeded");
  CHECK(std::stoll(refused.http.header("retry-after").value_or("0")) > 0);
  CHECK(app.rows("messages") == 3);
  CHECK(meter(app, "messages")["state"] == "blocked");
  REQUIRE(operators().patch("/operator/v1/applications/" + app.id(), {{"set", {{"limits", {{"messages", {{"hard", 4}}}}}}}}).status == 200);
  app.send("alice", "general", "now it goes");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).code() == "quota_exceeded");
}

TEST_CASE("limits: at one below the limit, of many at once exactly one passes", "[api][limits]") {
  TestApp app(Json{{"messages", {{"hard", 1}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < 8; ++i)
      senders.emplace_back([&, alice = app.user("alice")]() mutable { passed += alice.post(kMessages, {{"text", "x"}}).status == 201; });
  }
  CHECK(passed == 1);
  CHECK(app.rows("messages") == 1);
}

TEST_CASE("limits: a refused message gives its place in the month back", "[api][limits]") {
  TestApp app(Json{{"messages", {{"hard", 1}}}});
  app.add_users({"alice", "eve"});
  app.add_channel("general", {"alice"});
  for (int i = 0; i < 3; ++i) CHECK(app.user("eve").post(kMessages, {{"text", "x"}}).code() == "not_found");
  app.send("alice", "general", "still one left");
}

TEST_CASE("limits: too many requests of a user or an application are told to wait", "[api][limits]") {
  TestApp app(Json{{"user_requests", {{"hard", 60}, {"burst", 5}}}});
  app.add_users({"alice", "bob"});
  auto alice = app.user("alice");
  Answer refused;
  for (int i = 0; i < 20 && refused.status != 429; ++i) refused = alice.get("/v1/users/alice");
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.http.header("retry-after").has_value());
  CHECK(refused.http.header("ratelimit").value_or("").find("\"user\";r=0") == 0);
  CHECK(refused.http.header("ratelimit-policy").value_or("").find("q=60;w=60") != std::string::npos);
  CHECK(app.user("bob").get("/v1/users/bob").status == 200);
  CHECK(app.server().get("/v1/users/bob").status == 200);

  TestApp small(Json{{"application_requests", {{"hard", 60}, {"burst", 4}}}}), neighbour;
  auto server = small.server();
  Answer last;
  for (int i = 0; i < 20 && last.status != 429; ++i) last = server.get("/v1/app");
  CHECK(last.code() == "rate_limited");
  CHECK(neighbour.server().get("/v1/app").status == 200);
}

TEST_CASE("limits: members of a channel are counted where they are added", "[api][limits]") {
  TestApp app(Json{{"channel_members", {{"hard", 3}}}});
  app.add_users({"a", "b", "c", "d", "e"});
  CHECK(app.user("a").post("/v1/channels/messaging/big", {{"members", {"b", "c", "d"}}}).code() == "limit_reached");
  CHECK(app.rows("channels") == 0);
  app.add_channel("general", {"a", "b"});
  auto refused = app.user("a").post("/v1/channels/messaging/general/members", {{"members", {"c", "d"}}});
  CHECK(refused.code() == "limit_reached");
  CHECK(app.rows("channel_members") == 2);
  std::atomic<int> passed{0};
  {
    std::vector<std::jthread> adders;
    for (const auto* who : {"c", "d", "e"})
      adders.emplace_back([&, who, a = app.user("a")]() mutable {
        passed += a.post("/v1/channels/messaging/general/members", {{"members", {who}}}).status == 200;
      });
  }
  CHECK(passed == 1);
  CHECK(app.server().get("/v1/channels/messaging/general").body["channel"]["member_count"] == 3);
}

TEST_CASE("limits: one socket more than the plan allows is refused", "[api][limits][ws]") {
  TestApp app(Json{{"connections", {{"hard", 2}}}});
  app.add_users({"alice"});
  auto one = app.connect("alice");
  auto two = std::make_unique<WsClient>(app.connect("alice"));
  auto third = [&]() -> std::string {
    try {
      WsClient client({.port = Service::get().port(), .api_key = app.key(), .token = app.token("alice")});
      return "closed " + std::to_string(client.wait_closed().value_or(0));
    } catch (const WsClient::Refused& refusal) {
      return "refused " + Json::parse(refusal.body).value("code", "");
    }
  };
  const auto answer = third();
  CHECK((answer == "refused too_many_connections" || answer == "closed 4505"));
  two.reset();
  eventually("the place is free again", [&] { return meter(app, "connections")["value"] == 1; });
  auto again = app.connect("alice");
}

TEST_CASE("usage: the ledger holds exactly what was done", "[api][usage]") {
  TestApp app;
  app.add_users({"alice", "bob"});                                   // 1 call
  app.add_channel("general", {"alice", "bob"});                      // 1
  for (int i = 0; i < 5; ++i) app.send(i % 2 ? "alice" : "bob", "general", "x");   // 5
  app.user("alice").post(kMessages, {{"text", ""}});                 // refused, yet answered: 1
  Service::get().node().run_job("flush_usage");
  eventually("every node has flushed", [&] { return app.rows("active_users") == 2 && app.rows("usage_metrics", "meter = 'api_calls' and value = 8") == 1; });
  auto usage = app.server().get("/v1/usage").body;
  std::map<std::string, std::int64_t> values;
  for (const auto& item : usage["meters"]) values[item["meter"]] = item["value"];
  CHECK(values["messages"] == 5);
  CHECK(values["active_users"] == 2);
  CHECK(values["api_calls"] == 8);
  CHECK(usage["days"].size() == 1);
  CHECK(usage["days"][0]["messages"] == 5);
  CHECK(app.rows("messages") == 5);
  CHECK(operators().get("/operator/v1/applications/" + app.id() + "/usage").body["meters"][0]["value"] == 5);
  CHECK(app.server().get("/v1/usage?month=2020-01").body["meters"][0]["value"] == 0);
  CHECK(app.server().get("/v1/usage?month=yesterday").pointer() == "query:month");
}

TEST_CASE("usage: copies delivered and the peak of sockets are counted", "[api][usage][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  for (int i = 0; i < 3; ++i) app.send("alice", "general", "x");
  int heard = 0, messages = 0;                 // the messages, what is unread, with a second node the channel's making: each a copy
  eventually("every copy is counted, and nothing else", [&] {
    for (auto* socket : {&alice, &bob})
      for (const auto& frame : socket->drain(std::chrono::milliseconds(0))) {
        ++heard;
        messages += frame["type"] == "message.new" ? 1 : 0;
      }
    Service::get().node().run_job("flush_usage");
    return messages == 6 && meter(app, "deliveries")["value"] == heard;
  });
  eventually("the peak, of all nodes", [&] { return meter(app, "peak_connections")["value"] == 2; });
}
