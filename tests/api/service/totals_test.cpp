#include <catch2/catch.hpp>

#include "tests/support/teams.h"

// Unread by team and by thread, asked for and pushed; and what is out of sight counts nowhere.
using namespace chat;
using namespace chat::test;

namespace {

Json unread_of(TestApp& app, const std::string& user) { return app.user(user).get("/v1/unread").body; }

/// What is pushed, up to the one that fits.
void hear_until(WsClient& client, const std::function<bool(const Json&)>& fits) {
  eventually("the numbers", [&] { return fits(hear(client, "notification.unread_changed")["data"]); });
}

}  // namespace

TEST_CASE("reads: totals come by team, asked for and pushed", "[api][reads][ws]") {
  TestApp app;
  Teams teams(app, Json::object());
  auto server = app.server();
  for (const auto& [id, team] : std::vector<std::pair<std::string, std::string>>{{"a", "red"}, {"b", "blue"}, {"c", ""}}) {
    Json body{{"members", {"both", "rita"}}};
    if (!team.empty()) body["team"] = team;
    REQUIRE(server.post("/v1/channels/messaging/" + id, body).status == 201);
  }
  auto socket = app.connect("both");
  app.send("rita", "c", "one");
  hear_until(socket, [](const Json& data) { return data["total"] == 1 && !data.contains("teams"); });
  CHECK_FALSE(unread_of(app, "both").contains("teams"));
  app.send("rita", "a", "two");
  app.send("rita", "a", "hello @both", {{"mentions", {"both"}}});
  app.send("rita", "b", "three");
  const Json expected = {{{"unread", 1}, {"mentions", 0}, {"channels", 1}},
                         {{"team", "blue"}, {"unread", 1}, {"mentions", 0}, {"channels", 1}},
                         {{"team", "red"}, {"unread", 2}, {"mentions", 1}, {"channels", 1}}};
  hear_until(socket, [&](const Json& data) { return data["total"] == 4 && data["teams"] == expected; });
  CHECK(unread_of(app, "both")["teams"] == expected);
  CHECK(unread_of(app, "both")["types"].size() == 1);
  REQUIRE(app.user("both").post("/v1/channels/messaging/a/read").status == 200);
  hear_until(socket, [](const Json& data) { return data["total"] == 2 && data["teams"].size() == 2; });
}

TEST_CASE("reads: threads with unread replies are counted, asked for and pushed", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  auto alice = app.connect("alice");
  const std::string first = app.send("alice", "general", "question")["id"], second = app.send("bob", "general", "other")["id"];
  app.send("bob", "general", "answer", {{"parent_id", first}});
  hear_until(alice, [](const Json& data) { return data["unread_threads"] == 1; });
  app.send("carol", "general", "more", {{"parent_id", first}});
  app.send("carol", "general", "not followed", {{"parent_id", second}});
  auto unread = unread_of(app, "alice");
  CHECK(unread["unread_threads"] == 1);
  CHECK(unread["threads"] == Json::array({{{"cid", "messaging:general"}, {"parent_id", first}, {"unread", 2}, {"mentions", 0}}}));
  CHECK(unread_of(app, "bob")["threads"].size() == 2);     // carol answered in both
  CHECK(unread_of(app, "carol")["unread_threads"] == 0);   // its own answers
  const auto thread = "/v1/channels/messaging/general/messages/" + first + "/thread";
  REQUIRE(app.user("alice").post(thread + "/read").status == 200);
  hear_until(alice, [](const Json& data) { return data["unread_threads"] == 0; });
  CHECK(unread_of(app, "alice")["threads"].empty());
  app.send("carol", "general", "again", {{"parent_id", first}});
  hear_until(alice, [](const Json& data) { return data["unread_threads"] == 1; });
  REQUIRE(app.user("alice").del(thread + "/follow").status < 300);
  hear_until(alice, [](const Json& data) { return data["unread_threads"] == 0; });
}

TEST_CASE("reads: what is out of sight counts nowhere, neither asked for nor pushed", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto bob = app.user("bob");
  const std::string two = bob.post("/v1/channels/messaging", {{"members", {"alice"}}}).body["channel"]["id"];
  const std::string three = bob.post("/v1/channels/messaging", {{"members", {"alice", "carol"}}}).body["channel"]["id"];
  app.send("bob", two, "direct");
  app.send("bob", three, "among three");
  CHECK(unread_of(app, "alice")["total"] == 2);
  auto socket = app.connect("alice");
  REQUIRE(app.user("alice").post("/v1/users/alice/blocks", {{"target_id", "bob"}}).status == 200);
  CHECK(unread_of(app, "alice")["total"] == 1);           // in a group they still meet
  app.send("carol", three, "so it is");
  hear_until(socket, [](const Json& data) { return data["total"] == 2 && data["unread_channels"] == 1; });
  CHECK(unread_of(app, "alice")["total"] == 2);
  CHECK(unread_of(app, "alice")["channels"].size() == 1);
}

TEST_CASE("reads: a cleared history, and a block that comes and goes, are pushed without anything else happening", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  const std::string id = app.user("bob").post("/v1/channels/messaging", {{"members", {"alice"}}}).body["channel"]["id"];
  app.send("bob", id, "direct");
  auto socket = app.connect("alice");
  REQUIRE(app.user("bob").post("/v1/users/bob/blocks", {{"target_id", "alice"}}).status == 200);
  hear_until(socket, [](const Json& data) { return data["total"] == 0 && data["more"] == true; });
  REQUIRE(app.user("bob").del("/v1/users/bob/blocks/alice").status == 204);
  hear_until(socket, [](const Json& data) { return data["total"] == 1 && data["more"] == true; });
  REQUIRE(app.user("alice").patch("/v1/channels/messaging/" + id + "/membership", {{"clear_history", true}}).status == 200);
  hear_until(socket, [](const Json& data) { return data["total"] == 0 && data["channels"].size() == 1; });
}
