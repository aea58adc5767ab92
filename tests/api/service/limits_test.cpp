#include <catch2/catch.hpp>
#include <thread>

#include "tests/api/service/uploads_stage.h"
#include "tests/support/service.h"

// Each limit's refusal, exactly at its number and naming it. What is counted: metering_test.
using namespace chat;
using namespace chat::test;

namespace {

Json limit_of(const Answer& limits, const std::string& meter) {
  for (const auto& limit : limits.body["limits"])
    if (limit["meter"] == meter) return limit;
  return {};
}
Json shown(TestApp& app, const std::string& meter) { return limit_of(app.server().get("/v1/limits"), meter); }

/// An application on a plan of its own, of one node.
struct Planned {
  explicit Planned(const Json& limits, const Json& features = Json::object()) : app(Json{{"message_bytes", {{"hard", 20'000}}}}) {
    const auto plan = "p-" + app.id().substr(4);
    auto operators = Service::get().operators();
    REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "P"}, {"limits", limits}, {"features", features}}).status == 200);
    REQUIRE(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"plan", plan}}}}).status == 200);
    eventually("the plan is known", [&] { return app.server().get("/v1/limits").body["plan"] == plan; });
  }
  TestApp app;
};

/// How many of `count` at once `passes` lets through.
int passed_at_once(int count, const std::function<bool(int)>& passes) {
  std::atomic<int> passed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { passed += passes(i) ? 1 : 0; });
  threads.clear();
  return passed;
}

/// How alice is turned away: over HTTP, or after the handshake when the database had to be asked.
std::string refused_socket(TestApp& app) {
  try {
    WsClient client({.port = Service::get().port(), .api_key = app.key(), .token = app.token("alice")});
    return "closed " + std::to_string(client.wait_closed().value_or(0));
  } catch (const WsClient::Refused& refusal) {
    return Json::parse(refusal.body).value("code", "");
  }
}

}  // namespace

TEST_CASE("limits: the month's API calls end by name, of many at once with the last one; what limits there are is still shown", "[api][limits]") {
  TestApp app(Json{{"api_calls", {{"included", 4}, {"hard", 5}}}}), neighbour;
  for (int i = 0; i < 4; ++i) REQUIRE(app.server().get("/v1/app").status == 200);
  std::vector<Actor> servers;
  for (int i = 0; i < 8; ++i) servers.push_back(app.server());
  CHECK(passed_at_once(8, [&](int i) { return servers[static_cast<std::size_t>(i)].get("/v1/app").status == 200; }) == 1);
  auto refused = app.server().get("/v1/app");
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:api_calls");
  CHECK(std::stoll(refused.http.header("retry-after").value_or("0")) > 0);
  CHECK(app.server().post("/v1/users", {{"users", {{{"user_id", "alice"}}}}}).code() == "quota_exceeded");
  CHECK(app.rows("users") == 0);
  const auto limit = shown(app, "api_calls");
  CHECK(limit["state"] == "blocked");
  CHECK(limit["used"] >= 5);
  CHECK(app.server().get("/v1/usage").status == 200);
  CHECK(neighbour.server().get("/v1/app").status == 200);
}

TEST_CASE("limits: of users who are new in the month as many as the plan has are let in, whoever else comes at once", "[api][limits]") {
  TestApp app(Json{{"active_users", {{"hard", 2}}}});
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  app.add_users(names);
  std::vector<Actor> users;
  for (const auto& name : names) users.push_back(app.user(name));
  const auto read = [&](int i) { return users[static_cast<std::size_t>(i)].get("/v1/users/" + names[static_cast<std::size_t>(i)]); };
  std::atomic<int> refused_by_name{0};
  std::array<std::atomic<bool>, 6> in{};
  CHECK(passed_at_once(6, [&](int i) {
          auto answer = read(i);
          refused_by_name += answer.code() == "quota_exceeded" && answer.pointer() == "limit:active_users" ? 1 : 0;
          in[static_cast<std::size_t>(i)] = answer.status == 200;
          return answer.status == 200;
        }) == 2);
  CHECK(refused_by_name == 4);
  CHECK(app.rows("active_users") == 2);
  for (int i = 0; i < 6; ++i) CHECK((read(i).status == 200) == in[static_cast<std::size_t>(i)]);
  CHECK(app.server().get("/v1/users/a").status == 200);
  CHECK(shown(app, "active_users")["used"] == 2);
}

TEST_CASE("limits: whose call is refused does not become an active user, and hears of the rates all the same", "[api][limits]") {
  TestApp app(Json{{"api_calls", {{"hard", 0}}}, {"user_requests", {{"hard", 600}}}});
  auto refused = app.user("alice").get("/v1/users/alice");
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:api_calls");
  CHECK(refused.http.header("ratelimit").value_or("").find("\"user\";r=") == 0);
  CHECK(refused.http.header("ratelimit-policy").has_value());
  Service::get().node().run_job("flush_usage");
  CHECK(app.rows("active_users") == 0);
  CHECK(shown(app, "active_users")["used"] == 0);

  TestApp full(Json{{"active_users", {{"hard", 0}}}, {"user_requests", {{"hard", 1}, {"burst", 2}}}});
  CHECK(full.user("alice").get("/v1/users/alice").code() == "quota_exceeded");
  CHECK(full.user("alice").get("/v1/users/alice").http.header("ratelimit").value_or("").find("\"user\";r=") == 0);
  auto last = full.user("alice").get("/v1/users/alice");   // who is not let in has a rate, too
  for (int i = 0; i < 6 && last.code() != "rate_limited"; ++i) last = full.user("alice").get("/v1/users/alice");
  CHECK(last.pointer() == "limit:user_requests");
}

TEST_CASE("limits: without deliveries left nothing more is sent and nobody connects", "[api][limits][ws]") {
  TestApp app(Json{{"deliveries", {{"hard", 2}}}});
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  auto alice = app.connect("alice");
  app.send("alice", "general", "x");
  hear(bob, "message.new");
  hear(alice, "message.new");
  eventually("both copies are counted", [&] { return shown(app, "deliveries")["used"] == 2; });
  auto refused = app.user("alice").post(kMessages, {{"text", "y"}});
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:deliveries");
  CHECK(app.rows("messages") == 1);
  const auto refusal = refused_socket(app);
  CHECK((refusal == "quota_exceeded" || refusal == "closed 4505"));
  CHECK(app.user("alice").get(kMessages).status == 200);
}

TEST_CASE("limits: reads and writes have rates of their own, for users and for applications, and sockets a peak", "[api][limits][ws]") {
  const auto refused_by = [](const Json& limits, const std::function<Answer(TestApp&)>& act) {
    TestApp app(limits);
    app.add_users({"alice"});
    Answer last;
    for (int i = 0; i < 8 && last.status != 429; ++i) last = act(app);
    return last.pointer();
  };
  const auto read = [](TestApp& app) { return app.user("alice").get("/v1/users/alice"); };
  const auto write = [](TestApp& app) { return app.user("alice").patch("/v1/users/alice", {{"set", {{"name", "A"}}}}); };
  CHECK(refused_by({{"user_reads", {{"hard", 1}, {"burst", 2}}}}, read) == "limit:user_reads");
  CHECK(refused_by({{"application_reads", {{"hard", 1}, {"burst", 2}}}}, read) == "limit:application_reads");
  CHECK(refused_by({{"user_writes", {{"hard", 1}, {"burst", 2}}}}, write) == "limit:user_writes");
  CHECK(refused_by({{"application_sends", {{"hard", 1}, {"burst", 2}}}}, [](TestApp& app) {
          app.user("alice").post("/v1/channels/messaging/general");
          return app.user("alice").post(kMessages, {{"text", "x"}});
        }) == "limit:application_sends");

  TestApp app(Json{{"peak_connections", {{"hard", 1}}}});
  app.add_users({"alice"});
  auto first = app.connect("alice");
  const auto refusal = refused_socket(app);
  CHECK((refusal == "too_many_connections" || refusal == "closed 4505"));
}

TEST_CASE("limits: over what is included a throttled meter goes on slowly, a blocked one not at all", "[api][limits]") {
  Planned slow(Json::array({{{"meter", "messages"}, {"included", 2}, {"action", "throttle"}}}));
  slow.app.add_users({"alice"});
  slow.app.add_channel("general", {"alice"});
  for (int i = 0; i < 3; ++i) slow.app.send("alice", "general", "x");   // one beyond the two
  auto refused = slow.app.user("alice").post(kMessages, {{"text", "x"}});
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.pointer() == "limit:messages");
  CHECK(std::stoll(refused.http.header("retry-after").value_or("0")) > 0);
  CHECK(shown(slow.app, "messages")["state"] == "overage");

  Planned blocked(Json::array({{{"meter", "messages"}, {"included", 1}, {"action", "block"}}}));
  blocked.app.add_users({"alice"});
  blocked.app.add_channel("general", {"alice"});
  blocked.app.send("alice", "general", "x");
  CHECK(blocked.app.user("alice").post(kMessages, {{"text", "x"}}).code() == "quota_exceeded");
  CHECK(blocked.app.rows("messages") == 1);
}

TEST_CASE("limits: a plan slows only what can be slowed", "[api][limits]") {
  auto operators = Service::get().operators();
  for (const auto* meter : {"active_users", "connections", "peak_connections", "storage_bytes"}) {
    INFO(meter);
    auto refused = operators.put("/operator/v1/plans/slow-nothing", {{"name", "P"}, {"limits", Json::array({{{"meter", meter}, {"included", 5}, {"action", "throttle"}}})}});
    CHECK(refused.status == 400);
    CHECK(refused.pointer() == "#/limits/0/action");
  }
  CHECK(operators.get("/operator/v1/plans/slow-nothing").status == 404);
}

TEST_CASE("limits: each class of calls has a rate of its own, for users and for applications", "[api][limits]") {
  TestApp app(Json{{"user_sends", {{"hard", 1}, {"burst", 2}}}, {"application_writes", {{"hard", 1}, {"burst", 3}}}});
  app.add_users({"alice", "bob"});                    // a write
  app.add_channel("general", {"alice", "bob"});       // another
  for (int i = 0; i < 2; ++i) app.send("alice", "general", "x");
  auto refused = app.user("alice").post(kMessages, {{"text", "x"}});
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.pointer() == "limit:user_sends");
  CHECK(refused.http.header("ratelimit").value_or("").find("\"user_sends\";r=0") == 0);
  CHECK(refused.http.header("ratelimit-policy").value_or("").find("\"user_sends\";q=1;w=60") != std::string::npos);
  CHECK(app.user("alice").get(kMessages).status == 200);
  app.send("bob", "general", "his own");
  Answer last;
  for (int i = 0; i < 8 && last.status != 429; ++i) last = app.server().post("/v1/users", {{"users", {{{"user_id", "carol"}}}}});
  CHECK(last.pointer() == "limit:application_writes");
  CHECK(app.server().get("/v1/users/bob").status == 200);
}

TEST_CASE("limits: a feature that the plan does not have refuses its calls and names itself", "[api][limits]") {
  Planned planned(Json::array(), {{"reactions", false}, {"search", false}, {"threads", false}, {"polls", false}, {"moderation", false}});
  auto& app = planned.app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  const auto id = app.send("alice", "general", "x")["id"].get<std::string>();
  auto refused = app.user("alice").post(kMessages + "/" + id + "/reactions", {{"type", "like"}});
  CHECK(refused.status == 403);
  CHECK(refused.code() == "limit_reached");
  CHECK(refused.pointer() == "plan:features/reactions");
  CHECK(app.rows("message_reactions") == 0);
  CHECK(app.user("alice").post("/v1/search/messages", {{"query", "x"}}).pointer() == "plan:features/search");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}, {"parent_id", id}}).pointer() == "plan:features/threads");
  const Json poll{{"question", "?"}, {"options", {"a", "b"}}};
  CHECK(app.user("alice").post(kMessages, {{"poll", poll}}).pointer() == "plan:features/polls");
  const auto later = [&](Json message) {
    const auto at = system_clock().now() + std::chrono::hours(24);
    return app.user("alice").post("/v1/channels/messaging/general/scheduled_messages", {{"send_at", format_time(at)}, {"message", std::move(message)}});
  };
  CHECK(later({{"text", "x"}, {"parent_id", id}}).pointer() == "plan:features/threads");
  CHECK(later({{"poll", poll}}).pointer() == "plan:features/polls");
  CHECK(app.rows("scheduled_messages") == 0);
  CHECK(app.user("alice").post(kMessages + "/" + id + "/flag", {{"reason", "spam"}}).pointer() == "plan:features/moderation");
  CHECK(app.rows("messages") == 1);
  auto limits = app.server().get("/v1/limits");
  CHECK(limits.body["features"]["reactions"] == false);
  CHECK(limits.body["features"]["uploads"] == true);
}

TEST_CASE("limits: without egress left no file is fetched, without byte-hours none is begun", "[api][limits]") {
  UploadRoom room(Json{{"message_bytes", {{"hard", 20'000}}}});
  const auto upload = room.upload("alice", "a.bin", std::string(1000, 'x'));
  const std::string url = upload["url"];
  auto limited = [&](const Json& limits) {
    REQUIRE(Service::get().operators().patch("/operator/v1/applications/" + room.id(), {{"set", {{"limits", limits}}}}).status == 200);
  };
  limited({{"egress_bytes", {{"hard", 1999}}}});    // not two files of 1,000
  eventually("the limit is known", [&] { return shown(room, "egress_bytes").contains("hard"); });
  CHECK(UploadRoom::fetch(url).status == 200);
  Actor anybody(Service::get().port(), {});
  auto refused = anybody.get(url);
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:egress_bytes");
  CHECK(shown(room, "egress_bytes")["used"] == 1000);
  limited({{"storage_byte_hours", {{"hard", 0}}}});
  eventually("the limit is known", [&] { return shown(room, "storage_byte_hours").contains("hard"); });
  CHECK(room.user("alice").post("/v1/channels/messaging/general/uploads", {{"name", "b.bin"}, {"size_bytes", 10}}).pointer() == "limit:storage_byte_hours");
  CHECK(room.rows("uploads") == 1);
}

TEST_CASE("limits: what is too large or too many names the field and the limit", "[api][limits]") {
  UploadRoom room(Json{{"message_bytes", {{"hard", 20}}}, {"channel_members", {{"hard", 2}}}, {"upload_bytes", {{"hard", 900}}}, {"storage_bytes", {{"hard", 1000}}}});
  auto alice = room.user("alice");
  const auto names = [](const Answer& refused, const std::string& field, const std::string& limit) {
    INFO(refused.http.body);
    CHECK(refused.pointer() == field);
    REQUIRE(refused.body["errors"].size() == 2);
    CHECK(refused.body["errors"][1]["pointer"] == limit);
  };
  names(alice.post(kMessages, {{"text", std::string(21, 'x')}}), "#/text", "limit:message_bytes");
  names(alice.post("/v1/channels/messaging/general/members", {{"members", {"mallory"}}}), "#/members", "limit:channel_members");
  names(room.server().post("/v1/channels/messaging/other", {{"members", {"alice", "bob", "mallory"}}, {"created_by", "alice"}}), "#/members",
        "limit:channel_members");
  names(alice.post(kUploads, {{"name", "a.bin"}, {"size_bytes", 901}}), "#/size_bytes", "limit:upload_bytes");
  room.begin("alice", "a.bin", 900);
  names(alice.post(kUploads, {{"name", "b.bin"}, {"size_bytes", 101}}), "#/size_bytes", "limit:storage_bytes");
  CHECK(room.rows("uploads") == 1);
  CHECK(room.rows("messages") == 0);
}

TEST_CASE("limits: all of them are shown, to the customer's server and to the operator alone", "[api][limits][permissions]") {
  TestApp app(Json{{"messages", {{"included", 5}, {"hard", 10}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (int i = 0; i < 4; ++i) app.send("alice", "general", "x");
  auto limits = app.server().get("/v1/limits");
  const auto messages = limit_of(limits, "messages");
  CHECK(messages["used"] == 4);
  CHECK(messages["state"] == "warning");
  CHECK(messages["hard"] == 10);
  CHECK(messages["override"] == Json::object());
  CHECK(messages["resets_at"].get<std::string>().find("-01T00:00:00") != std::string::npos);
  CHECK(limit_of(limits, "connections")["used"] == 0);
  CHECK(!limit_of(limits, "user_requests").contains("used"));
  CHECK(app.user("alice").get("/v1/limits").code() == "forbidden");
  CHECK(app.server().get("/v1/limits?all=1").status == 400);
  auto twin = Service::get().operators().get("/operator/v1/applications/" + app.id() + "/limits");
  CHECK(limit_of(twin, "messages") == messages);
  CHECK(twin.body["features"] == limits.body["features"]);
  CHECK(Service::get().operators().get("/operator/v1/applications/app_01m7yzmjqcedqrb018tr4sjm6r/limits").code() == "not_found");
}
