#include <catch2/catch.hpp>

#include "tests/support/teams.h"

using namespace chat;
using namespace chat::test;

namespace {

bool has_channel(Actor actor, const std::string& id, const Json& more = Json::object()) {
  const auto found = actor.post("/v1/channels/query", more);
  for (const auto& item : found.body["channels"])
    if (item["channel"]["id"] == id) return true;
  return false;
}

std::vector<std::string> user_ids(const Answer& answer) {
  std::vector<std::string> ids;
  for (const auto& user : answer.body["users"]) ids.push_back(user["user_id"]);
  std::sort(ids.begin(), ids.end());
  return ids;
}

using Ids = std::vector<std::string>;
const std::string kRed = "/v1/channels/messaging/red-room";

}  // namespace

TEST_CASE("teams: created, changed, listed and deleted by servers alone", "[api][teams]") {
  TestApp app, other;
  auto server = app.server();
  auto made = server.post("/v1/teams", {{"team_id", "red"}, {"name", "Red Ltd"}, {"custom", {{"a", 1}}}});
  CHECK(made.status == 201);
  CHECK(made.body["team"]["name"] == "Red Ltd");
  CHECK(server.post("/v1/teams", {{"team_id", "red"}}).code() == "already_exists");
  CHECK(server.post("/v1/teams", {{"team_id", "not this"}}).pointer() == "#/team_id");
  CHECK(server.post("/v1/teams", Json::object()).pointer() == "#/team_id");
  auto changed = server.patch("/v1/teams/red", {{"set", {{"custom", {{"b", 2}}}}}, {"unset", {"name", "custom.a"}}});
  CHECK_FALSE(changed.body["team"].contains("name"));
  CHECK(changed.body["team"]["custom"] == Json({{"b", 2}}));
  CHECK(server.patch("/v1/teams/red", {{"unset", {"team_id"}}}).pointer() == "#/unset/0");
  for (const char* id : {"blue", "green"}) server.post("/v1/teams", {{"team_id", id}});
  auto page = server.get("/v1/teams?limit=2").body;
  CHECK(page["teams"][0]["team_id"] == "blue");
  CHECK(server.get("/v1/teams?limit=2&next=" + page["next"].get<std::string>()).body["teams"][0]["team_id"] == "red");
  app.add_users({"alice"});
  CHECK(server.get("/v1/teams/red").body["team"]["team_id"] == "red");
  CHECK(app.user("alice").get("/v1/teams/red").code() == "forbidden");
  CHECK(app.user("alice").post("/v1/teams", {{"team_id", "x"}}).code() == "forbidden");
  CHECK(other.server().get("/v1/teams/red").code() == "not_found");
  CHECK(other.server().patch("/v1/teams/red", {{"set", {{"name", "x"}}}}).code() == "not_found");
  CHECK(other.server().del("/v1/teams/red").code() == "not_found");
  CHECK(other.server().get("/v1/teams").body["teams"].empty());
  CHECK(server.del("/v1/teams/red").status == 204);
  CHECK(server.del("/v1/teams/red").code() == "not_found");
  CHECK(app.rows("teams") == 2);
}

TEST_CASE("teams: one that users or channels belong to stays, until they are out", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  auto server = app.server();
  CHECK(server.del("/v1/teams/red").code() == "conflict");
  for (const char* user : {"rita", "robin", "both"}) teams.put(user, Json::array());
  CHECK(server.del("/v1/teams/red").code() == "conflict");
  REQUIRE(server.del(kRed).status == 204);
  REQUIRE(server.del("/v1/channels/livestream/red-stage").status == 204);
  CHECK(server.del("/v1/teams/red").status == 204);
  REQUIRE(server.del("/v1/users/bea?mode=hard").status == 204);
  CHECK(app.rows("user_teams", "team_id = 'blue'") == 1);
}

TEST_CASE("teams: users are put into those that there are, by servers; a refused one refuses no other", "[api][teams]") {
  TestApp app;
  auto server = app.server();
  server.post("/v1/teams", {{"team_id", "red"}});
  server.post("/v1/teams", {{"team_id", "blue"}});
  auto put = server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"teams", {"red", "blue"}}, {"teams_role", {{"red", "lead"}}}},
                                                  {{"user_id", "bob"}, {"teams", {"ghosts"}}},
                                                  {{"user_id", "carol"}}}}});
  CHECK(put.body["results"][0]["user"]["teams"] == Json({"blue", "red"}));
  CHECK(put.body["results"][0]["user"]["teams_role"] == Json({{"red", "lead"}}));
  CHECK(put.body["results"][1]["error"]["code"] == "not_found");
  CHECK_FALSE(put.body["results"][2]["user"].contains("teams"));
  CHECK(app.rows("users") == 2);
  CHECK(app.rows("user_teams") == 2);
  CHECK(app.user("alice").get("/v1/users/alice").body["user"]["teams"].size() == 2);
  CHECK_FALSE(app.user("carol").get("/v1/users/alice").body["user"].contains("teams"));   // teams are not kept apart here
  CHECK(app.user("alice").patch("/v1/users/alice", {{"set", {{"teams", Json::array()}}}}).code() == "forbidden");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams", {"ghosts"}}}}}).pointer() == "#/set/teams");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams_role", {{"red", "x"}}}}}}).pointer() == "#/set/teams_role");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams", {"red", "red"}}}}}).pointer() == "#/set/teams");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams", {"red"}}, {"teams_role", {{"blue", "x"}}}}}}).pointer() == "#/set/teams_role/blue");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "No!"}}}}}}).pointer() == "#/set/teams_role/red");
  CHECK(server.patch("/v1/users/alice", {{"set", {{"name", "A"}}}}).body["user"]["teams"].size() == 2);
  CHECK(server.patch("/v1/users/alice", {{"set", {{"teams", {"blue"}}}}}).body["user"]["teams"] == Json({"blue"}));
  CHECK(user_ids(server.post("/v1/users/query", {{"filter", {{"teams", "blue"}}}})) == Ids{"alice"});
  CHECK(app.user("alice").post("/v1/users/query", {{"filter", {{"teams", "blue"}}}}).pointer() == "#/filter/teams");
  CHECK(app.rows("user_teams") == 1);
}

TEST_CASE("teams: without the setting nothing is apart, and a team is a word", "[api][teams]") {
  TestApp app;
  Teams teams(app, Json::object());
  CHECK(app.user("bea").get("/v1/users/rita").status == 200);
  CHECK(app.user("bea").post("/v1/channels/messaging/mixed", {{"members", {"rita", "nora"}}}).status == 201);
  CHECK(app.user("rita").get(kRed).body["channel"]["team"] == "red");
  CHECK(app.server().post(kRed + "/members", {{"members", {"bea"}}}).body["results"][0]["status"] == "added");
  CHECK(app.user("bea").get(kRed).status == 200);
  CHECK(has_channel(app.server(), "red-room", {{"filter", {{"team", "red"}}}}));
}

TEST_CASE("teams: a user finds and meets users of its own teams alone", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  auto bea = app.user("bea");
  CHECK(bea.get("/v1/users/rita").code() == "not_found");
  CHECK(bea.get("/v1/users/nora").code() == "not_found");
  CHECK(bea.get("/v1/users/ben").status == 200);
  CHECK(app.user("nora").get("/v1/users/rita").code() == "not_found");
  CHECK(app.user("both").get("/v1/users/rita").status == 200);
  CHECK(user_ids(bea.post("/v1/users/query")) == Ids{"bea", "ben", "both"});
  CHECK(user_ids(app.user("nora").post("/v1/users/query")) == Ids{"nora"});
  CHECK(user_ids(app.user("ghost").post("/v1/users/query")) == Ids{"nora"});   // a token for nobody is in no team
  CHECK(user_ids(bea.post("/v1/users/search", {{"q", "r"}})).empty());
  CHECK(user_ids(app.user("ghost").post("/v1/users/search", {{"q", "r"}})).empty());
  CHECK(user_ids(app.user("robin").post("/v1/users/search", {{"q", "r"}})) == Ids{"rita", "robin"});
  CHECK(user_ids(app.server().post("/v1/users/search", {{"q", "r"}})) == Ids{"rita", "robin"});
  CHECK(user_ids(app.server().post("/v1/users/search", {{"q", "r"}, {"user_id", "bea"}})).empty());
  CHECK(bea.post("/v1/users/bea/blocks", {{"target_id", "rita"}}).code() == "not_found");
  CHECK(bea.post("/v1/users/bea/mutes", {{"target_id", "rita"}}).code() == "not_found");
  CHECK(bea.post("/v1/users/bea/blocks", {{"target_id", "ben"}}).status == 200);
  CHECK(bea.post("/v1/channels/messaging", {{"members", {"rita"}}}).code() == "not_found");
  CHECK(bea.post("/v1/channels/messaging/x", {{"members", {"rita"}}}).code() == "not_found");
  CHECK(app.rows("user_blocks") == 1);
  CHECK(app.rows("channels", "channel_id = 'x'") == 0);
}

TEST_CASE("teams: lists and searches of teammates go page by page, each user once", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  for (int i = 0; i < 5; ++i) teams.put("mate" + std::to_string(i), {"red", "blue"});   // shares two teams with `both`
  auto both = app.user("both");
  const auto pages = [&](const std::string& path, Json body, std::size_t limit) {
    Ids ids;
    body["limit"] = limit;
    while (true) {
      const auto page = both.post(path, body);
      REQUIRE(page.status == 200);
      CHECK(page.body["users"].size() <= limit);
      for (const auto& user : page.body["users"]) ids.push_back(user["user_id"]);
      if (!page.body.contains("next")) return ids;
      body["next"] = page.body["next"];
    }
  };
  const Ids mates{"mate0", "mate1", "mate2", "mate3", "mate4"};
  CHECK(pages("/v1/users/search", {{"q", "mate"}}, 2) == mates);
  const Json by_id = {{"sort", {{{"field", "user_id"}, {"order", "asc"}}}}};
  CHECK(pages("/v1/users/query", by_id, 3) == Ids{"bea", "ben", "both", "mate0", "mate1", "mate2", "mate3", "mate4", "rita", "robin"});
  CHECK(both.post("/v1/users/query", {{"filter", {{"user_id", "nora"}}}}).body["users"].empty());
  REQUIRE(app.server().del("/v1/users/mate0").status == 204);
  CHECK(pages("/v1/users/search", {{"q", "mate"}}, 2).size() == 4);
  CHECK(app.server().get("/v1/users/mate0").body["user"]["teams"].size() == 2);
  REQUIRE(app.server().del("/v1/users/mate1?mode=hard").status == 204);
  CHECK_FALSE(app.server().get("/v1/users/mate1").body["user"].contains("teams"));
}

TEST_CASE("teams: a channel is made in a team of its creator, and takes only those who are in it", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  auto server = app.server();
  CHECK(app.user("bea").post("/v1/channels/messaging/a", {{"members", {"ben"}}}).body["channel"]["team"] == "blue");
  CHECK(app.user("bea").post("/v1/channels/messaging/b", {{"team", "red"}}).pointer() == "#/team");
  CHECK(app.user("bea").post("/v1/channels/messaging/b", {{"team", "ghosts"}}).pointer() == "#/team");
  CHECK(app.user("bea").post("/v1/channels/messaging/b", {{"cross_team", true}}).code() == "forbidden");
  CHECK(app.user("both").post("/v1/channels/messaging/b").pointer() == "#/team");
  CHECK(app.user("both").post("/v1/channels/messaging/b", {{"team", "red"}, {"members", {"ben"}}}).code() == "not_found");
  CHECK(app.user("both").post("/v1/channels/messaging/b", {{"team", "red"}, {"members", {"rita"}}}).body["channel"]["team"] == "red");
  CHECK_FALSE(app.user("nora").post("/v1/channels/messaging/c").body["channel"].contains("team"));
  CHECK(server.post("/v1/channels/messaging/d", {{"members", {"rita"}}}).code() == "not_found");   // of no team
  CHECK(server.post("/v1/channels/messaging/d", {{"team", "ghosts"}}).pointer() == "#/team");
  auto added = app.user("rita").post(kRed + "/members", {{"members", {"bea", "nora", "both"}}}).body["results"];
  CHECK(added[0]["status"] == "refused");
  CHECK(added[1]["status"] == "refused");
  CHECK(added[2]["status"] == "added");
  CHECK(server.post(kRed + "/members", {{"members", {"bea"}}}).body["results"][0]["error"]["code"] == "not_found");
  const auto one = app.user("both").post("/v1/channels/messaging", {{"members", {"robin"}}, {"team", "red"}});
  CHECK(one.status == 201);
  CHECK(app.user("both").post("/v1/channels/messaging", {{"members", {"robin"}}, {"team", "blue"}}).code() == "not_found");
  CHECK(app.user("both").post("/v1/channels/messaging", {{"members", {"robin"}}, {"team", "red"}}).status == 200);
  CHECK(app.user("robin").post("/v1/channels/messaging", {{"members", {"both"}}}).body["channel"]["id"] == one.body["channel"]["id"]);
}

TEST_CASE("teams: what an application lets across is in reach again", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  const auto can = [&] {
    return std::pair(app.user("bea").get("/v1/users/rita").status == 200, app.user("bea").get("/v1/channels/livestream/red-stage").status == 200);
  };
  CHECK(can() == std::pair(false, false));
  app.set({{"teams", true}, {"cross_team", "users"}});
  CHECK(can() == std::pair(true, false));
  CHECK(app.user("bea").post("/v1/channels/livestream/red-stage/messages", {{"text", "x"}}).code() == "not_found");
  app.set({{"teams", true}, {"cross_team", "channels"}});
  CHECK(can() == std::pair(false, true));
  CHECK(app.user("bea").post("/v1/channels/livestream/red-stage/messages", {{"text", "x"}}).status == 201);
  app.set({{"teams", true}, {"cross_team", "all"}});
  CHECK(can() == std::pair(true, true));
  app.set({{"teams", true}, {"cross_team", "off"}});
  CHECK(can() == std::pair(false, false));
  auto opened = app.server().patch("/v1/channels/livestream/red-stage", {{"set", {{"cross_team", true}}}});
  CHECK(opened.body["channel"]["cross_team"] == true);
  CHECK(can() == std::pair(false, true));
  CHECK(has_channel(app.user("bea"), "red-stage"));
  CHECK(app.user("bea").post("/v1/channels/livestream/red-stage/messages", {{"text", "x"}}).status == 201);
  CHECK(app.user("rita").patch(kRed, {{"set", {{"cross_team", true}}}}).code() == "forbidden");
  CHECK(app.user("rita").patch(kRed, {{"set", {{"team", "blue"}}}}).code() == "forbidden");
  CHECK(app.server().patch(kRed, {{"set", {{"team", "ghosts"}}}}).pointer() == "#/set/team");
}

TEST_CASE("teams: the role in the channel's team counts where the type's grants name it", "[api][teams]") {
  TestApp app;
  Teams teams(app);
  auto server = app.server();
  CHECK(app.user("robin").patch(kRed, {{"set", {{"frozen", true}}}}).code() == "forbidden");
  REQUIRE(server.patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"lead", {"chat:channel:freeze", "chat:message:send_frozen"}}}}}}}).status == 200);
  CHECK(app.user("robin").patch(kRed, {{"set", {{"frozen", true}}}}).code() == "forbidden");
  REQUIRE(server.patch("/v1/users/robin", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "lead"}}}}}}).status == 200);
  CHECK(app.user("robin").patch(kRed, {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(app.user("robin").post(kRed + "/messages", {{"text", "frozen, but a lead"}}).status == 201);
  CHECK(app.user("robin").patch(kRed, {{"set", {{"name", "x"}}}}).code() == "forbidden");
  const auto own = app.user("robin").post("/v1/channels/query", {{"filter", {{"id", "red-room"}}}}).body["channels"][0]["own_capabilities"];
  CHECK(std::find(own.begin(), own.end(), "chat:channel:freeze") != own.end());
  REQUIRE(server.patch("/v1/users/robin", {{"set", {{"teams", {"blue", "red"}}, {"teams_role", {{"blue", "lead"}}}}}}).status == 200);
  CHECK(app.user("robin").post(kRed + "/messages", {{"text", "x"}}).code() == "channel_frozen");
  REQUIRE(server.patch("/v1/users/both", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "lead"}}}}}}).status == 200);
  CHECK(app.user("both").get(kRed).code() == "not_found");   // it opens no closed channel
}
