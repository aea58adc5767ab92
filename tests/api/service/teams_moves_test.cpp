#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <random>

#include "tests/support/teams.h"

// Teams that change, what is heard meanwhile, and what a team has used.
using namespace chat;
using namespace chat::test;

namespace {

constexpr auto kSilence = std::chrono::milliseconds(250);
const std::string kRed = "/v1/channels/messaging/red-room";

std::int64_t used(TestApp& app, const std::string& team, const std::string& meter) {
  const auto usage = app.server().get("/v1/usage" + team);
  for (const auto& one : usage.body["meters"])
    if (one["meter"] == meter) return one["value"];
  FAIL("no meter " << meter << " in " << usage.http.body);
  return 0;
}

std::int64_t total(TestApp& app, const std::string& user) { return app.user(user).get("/v1/unread").body["total"]; }

}  // namespace

TEST_CASE("teams: who leaves a team is still a member and neither reads, hears nor counts, until it is back", "[api][teams][ws]") {
  TestApp app;
  Teams teams(app);
  app.send("rita", "red-room", "before");
  auto robin = app.connect("robin"), rita = app.connect("rita");
  CHECK(total(app, "robin") == 1);
  teams.put("robin", {"blue"});
  CHECK(robin.wait_closed(std::chrono::milliseconds(1000)) == 4041);
  robin = app.connect("robin");
  app.send("rita", "red-room", "meanwhile");
  CHECK(hear(rita, "message.new")["data"]["message"]["text"] == "meanwhile");
  robin.send({{"type", "watch"}, {"ref", "w"}, {"cids", {"messaging:red-room", "livestream:red-stage"}}});
  CHECK(robin.wait_for("watch.done")["data"]["errors"].size() == 2);
  CHECK_FALSE(robin.find("message.new", kSilence));
  CHECK(app.user("robin").get(kRed).code() == "not_found");
  CHECK(app.user("robin").post(kRed + "/messages", {{"text", "x"}}).code() == "not_found");
  CHECK(app.user("robin").post("/v1/search/messages", {{"query", "before"}, {"filter", {{"cid", "messaging:red-room"}}}}).code() == "not_found");
  CHECK(total(app, "robin") == 0);
  CHECK(app.rows("channel_members") == 2);
  CHECK(app.user("rita").get(kRed + "/members").body["members"].size() == 1);
  CHECK(app.server().get(kRed + "/members").body["members"].size() == 2);
  CHECK(app.server().get(kRed + "/messages?user_id=robin").code() == "not_found");
  CHECK(app.server().post(kRed + "/messages", {{"text", "servers are not asked"}, {"user_id", "robin"}}).status == 201);
  teams.put("robin", {"blue", "red"});
  CHECK(robin.wait_closed(std::chrono::milliseconds(1000)) == 4041);
  robin = app.connect("robin");
  app.send("rita", "red-room", "after");
  CHECK(hear(robin, "message.new")["data"]["message"]["text"] == "after");
  CHECK(total(app, "robin") == 1);               // its server-sent message moved the mark behind what was said meanwhile
  CHECK(app.user("robin").get(kRed + "/messages").body["messages"].size() == 4);
}

TEST_CASE("teams: another role in the same teams disturbs nobody", "[api][teams][ws]") {
  TestApp app;
  Teams teams(app);
  auto robin = app.connect("robin");
  app.server().patch("/v1/users/robin", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "lead"}}}}}});
  CHECK(hear(robin, "user.updated")["data"]["user"]["teams_role"]["red"] == "lead");
  CHECK_FALSE(robin.wait_closed(kSilence));
}

TEST_CASE("teams: a channel that changes its team is heard by its members there alone, watchers included", "[api][teams][ws]") {
  TestApp app;
  Teams teams(app);
  app.server().post(kRed + "/members", {{"members", {"both"}}});
  auto rita = app.connect("rita"), both = app.connect("both"), ben = app.connect("ben"), robin = app.connect("robin");
  rita.send({{"type", "watch"}, {"cids", {"livestream:red-stage"}}});
  CHECK(rita.wait_for("watch.done")["data"]["channels"].size() == 1);
  app.send("rita", "red-room", "one");
  for (auto* socket : {&rita, &both, &robin}) CHECK(hear(*socket, "message.new")["data"]["message"]["text"] == "one");
  for (const char* cid : {"messaging/red-room", "livestream/red-stage"})
    REQUIRE(app.server().patch(std::string("/v1/channels/") + cid, {{"set", {{"team", "blue"}}}}).body["channel"]["team"] == "blue");
  app.server().post("/v1/channels/livestream/red-stage/messages", {{"text", "on stage"}, {"user_id", "ben"}});
  app.send("both", "red-room", "two");
  CHECK(hear(both, "message.new")["data"]["message"]["text"] == "two");
  CHECK_FALSE(rita.find("message.new", kSilence));
  CHECK_FALSE(robin.find("message.new", std::chrono::milliseconds(10)));
  CHECK(app.user("rita").get(kRed).code() == "not_found");
  CHECK(app.user("ben").get("/v1/channels/livestream/red-stage").status == 200);
  REQUIRE(app.server().patch(kRed, {{"unset", {"team"}}}).status == 200);
  CHECK(app.user("both").get(kRed).code() == "not_found");
  REQUIRE(app.server().patch(kRed, {{"set", {{"team", "red"}}}}).status == 200);
  app.send("both", "red-room", "three");
  CHECK(hear(robin, "message.new")["data"]["message"]["text"] == "three");
}

TEST_CASE("teams: when the setting changes, sockets connect anew and hear what is in reach now", "[api][teams][ws]") {
  TestApp app;
  Teams teams(app, Json::object());
  app.server().post(kRed + "/members", {{"members", {"bea"}}});
  auto bea = app.connect("bea");
  app.send("rita", "red-room", "together");
  CHECK(hear(bea, "message.new")["data"]["message"]["text"] == "together");
  app.set({{"teams", true}});
  CHECK(bea.wait_closed(std::chrono::milliseconds(1000)) == 4041);
  bea = app.connect("bea");
  app.send("rita", "red-room", "apart");
  CHECK_FALSE(bea.find("message.new", kSilence));
  CHECK(app.user("bea").get(kRed).code() == "not_found");
  app.set({{"teams", true}, {"outbox", false}});   // says the same about teams
  CHECK_FALSE(bea.wait_closed(kSilence));
}

TEST_CASE("teams: a mention reaches no member of another team", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  teams.put("robin", {"blue"});
  app.send("rita", "red-room", "hello @robin @bea", {{"mentions", {"robin", "bea"}}});
  CHECK(app.rows("mentions") == 0);
  teams.put("robin", {"red"});
  app.send("rita", "red-room", "hello @robin", {{"mentions", {"robin"}}});
  CHECK(app.rows("mentions") == 1);
  CHECK(app.user("robin").get("/v1/unread").body["mentions"] == 1);
}

TEST_CASE("teams: what all teams and none have used is what the application has used", "[api][teams][usage]") {
  TestApp app;
  Teams teams(app);
  REQUIRE(app.user("bea").post("/v1/channels/messaging/blue-room", {{"members", {"ben"}}}).status == 201);
  REQUIRE(app.user("nora").post("/v1/channels/messaging/no-room").status == 201);
  std::mt19937 random(7);
  std::map<std::string, std::int64_t> sent;
  const std::vector<std::array<std::string, 3>> places{{"rita", "red-room", "red"}, {"robin", "red-room", "red"}, {"bea", "blue-room", "blue"}, {"nora", "no-room", ""}};
  for (int i = 0; i < 60; ++i) {
    const auto& [user, channel, team] = places[random() % places.size()];
    auto actor = random() % 4 == 0 ? app.server() : app.user(user);
    REQUIRE(actor.post("/v1/channels/messaging/" + channel + "/messages", {{"text", "x"}, {"user_id", user}}).status == 201);
    ++sent[team];
  }
  for (const auto& [team, count] : sent) CHECK(used(app, "?team=" + team, "messages") == count);
  eventually("the flush", [&] { return used(app, "", "active_users") == 4; });
  CHECK(used(app, "?team=red", "active_users") == 2);
  CHECK(used(app, "?team=blue", "active_users") == 1);
  CHECK(used(app, "?team=", "active_users") == 1);
  Service::get().node().run_job("flush_usage");
  CHECK(used(app, "?team=red", "api_calls") > 0);
  for (const char* meter : {"messages", "api_calls", "active_users"}) {
    INFO(meter);
    eventually("the sums", [&] {                 // each question is a call itself: whole when none came between
      const auto before = used(app, "", meter);
      const auto parts = used(app, "?team=red", meter) + used(app, "?team=blue", meter) + used(app, "?team=", meter);
      return parts >= before && parts <= used(app, "", meter);
    });
  }
  const auto days = app.server().get("/v1/usage?team=red").body["days"];
  CHECK(days[0]["messages"] == sent["red"]);
  CHECK(app.server().get("/v1/usage?team=ghosts").body["days"].empty());
  auto operators = Service::get().operators();
  CHECK(operators.get("/operator/v1/applications/" + app.id() + "/usage?team=red").body["team"] == "red");
  CHECK(app.rows("team_usage_metrics", "team_id = 'red' and meter = 'messages' and value > 0") > 0);
}
