#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "tests/support/teams.h"

// Who may do what: the defaults, written out; what a type gives instead; and who may make a channel.
using namespace chat;
using namespace chat::test;

namespace {

const std::string kType = "/v1/channel_types/messaging";
constexpr const char* kNo = "";

/// By hand, not by the table of the code: which of member, moderator, admin, owner has the action, and `anyone` in an open channel.
const std::map<std::string, std::string> kDefaults{
    {"chat:channel:read", "member moderator admin owner anyone"},
    {"chat:channel:update", "admin owner"},
    {"chat:channel:freeze", "moderator admin owner"},
    {"chat:channel:delete", "owner"},
    {"chat:channel:slow_mode", "moderator admin owner"},
    {"chat:channel:truncate", "admin owner"},
    {"chat:channel:join", "member moderator admin owner anyone"},
    {"chat:channel:transfer", "owner"},
    {"chat:channel:create", kNo},
    {"chat:member:add", "admin owner"},
    {"chat:member:remove", "moderator admin owner"},
    {"chat:member:update", "admin owner"},
    {"chat:member:leave", "member moderator admin owner"},
    {"chat:member:update_own", "member moderator admin owner"},
    {"chat:member:ban", "moderator admin owner"},
    {"chat:member:invite", "moderator admin owner"},
    {"chat:message:send", "member moderator admin owner anyone"},
    {"chat:message:reply", "member moderator admin owner anyone"},
    {"chat:message:send_frozen", "moderator admin owner"},
    {"chat:message:skip_slow_mode", "moderator admin owner"},
    {"chat:message:see_shadowed", "moderator admin owner"},
    {"chat:message:update_own", "member moderator admin owner anyone"},
    {"chat:message:update_any", "admin owner"},
    {"chat:message:delete_own", "member moderator admin owner anyone"},
    {"chat:message:delete_any", "moderator admin owner"},
    {"chat:message:pin", "member moderator admin owner"},
    {"chat:message:read_edits", "moderator admin owner"},
    {"chat:message:mention_all", "moderator admin owner"},
    {"chat:message:mention_roles", "member moderator admin owner anyone"},
    {"chat:message:approve", "moderator admin owner"},
    {"chat:read:mark", "member moderator admin owner"},
    {"chat:receipt:list", "member moderator admin owner"},
    {"chat:reaction:add", "member moderator admin owner anyone"},
    {"chat:thread:follow", "member moderator admin owner anyone"},
    {"chat:poll:create", "member moderator admin owner anyone"},
    {"chat:poll:vote", "member moderator admin owner anyone"},
    {"chat:poll:close", "moderator admin owner"},
    {"chat:typing:send", "member moderator admin owner anyone"},
    {"chat:upload:create", "member moderator admin owner"},
    {"chat:moderation:flag", "member moderator admin owner anyone"},
    {"chat:moderation:review", "moderator admin owner"},
    {"chat:moderation:decide", "moderator admin owner"},
};

std::set<std::string> actions_for(const std::string& role) {
  std::set<std::string> actions;
  for (const auto& [action, roles] : kDefaults)
    if ((" " + roles + " ").find(" " + role + " ") != std::string::npos) actions.insert(action);
  return actions;
}

std::set<std::string> own(Actor actor, const std::string& path) { return actor.get(path).body["own_capabilities"].get<std::set<std::string>>(); }

Answer grant(TestApp& app, const Json& grants) { return app.server().patch(kType, {{"settings", {{"grants", grants}}}}); }

}  // namespace

TEST_CASE("permissions: each role has by default what is written here, each action of the catalogue", "[api][permissions]") {
  TestApp app;
  app.add_users({"owner", "admin", "moderator", "member", "anyone"});
  const Json members{{{"user_id", "admin"}, {"role", "admin"}}, {{"user_id", "moderator"}, {"role", "moderator"}}, "member"};
  for (const char* type : {"messaging", "livestream"})
    REQUIRE(app.user("owner").post(std::string("/v1/channels/") + type + "/general", {{"members", members}}).status == 201);
  for (const std::string role : {"member", "moderator", "admin", "owner"}) {
    INFO(role);
    CHECK(own(app.user(role), "/v1/channels/messaging/general") == actions_for(role));
    CHECK(own(app.user(role), "/v1/channels/livestream/general") == actions_for(role));
  }
  CHECK(own(app.user("anyone"), "/v1/channels/livestream/general") == actions_for("anyone"));
  CHECK(app.user("anyone").get("/v1/channels/messaging/general").code() == "not_found");
  const auto shown = app.server().get("/v1/channel_types/livestream").body["channel_type"]["settings"]["grants"];
  for (const std::string role : {"member", "moderator", "admin", "owner", "anyone"}) CHECK(shown[role].get<std::set<std::string>>() == actions_for(role));
}

TEST_CASE("permissions: a role in the channel's team adds exactly what the type grants it, for every action", "[api][permissions][teams]") {
  TestApp app;
  Teams teams(app);
  const std::string red = "/v1/channels/messaging/red-room";
  REQUIRE(app.server().patch("/v1/users/robin", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "lead"}}}}}}).status == 200);
  for (const auto& [action, roles] : kDefaults) {
    INFO(action);
    const auto answer = grant(app, {{"lead", {action}}});
    if (action == "chat:channel:create") {
      CHECK(answer.pointer() == "#/settings/grants/lead/0");
      continue;
    }
    REQUIRE(answer.status == 200);
    auto expected = actions_for("member");
    expected.insert(action);
    CHECK(own(app.user("robin"), red) == expected);
    CHECK(own(app.user("rita"), red) == actions_for("owner"));
  }
  REQUIRE(grant(app, {{"lead", Json::array()}}).status == 200);
  CHECK(own(app.user("robin"), red) == actions_for("member"));
}

TEST_CASE("permissions: a type says by the type of the user who makes its channels", "[api][permissions][guests]") {
  TestApp app;
  app.set({{"guests", true}});
  app.add_users({"alice"});
  const auto become = [&](const char* type) {
    return app.with_token(Actor(Service::get().port(), {{"X-API-Key", app.key()}}).post("/v1/guests", {{"type", type}}).body["token"]);
  };
  auto alice = app.user("alice"), guest = become("guest"), anonymous = become("anonymous");
  auto shown = app.server().get(kType).body["channel_type"]["settings"]["grants"];
  CHECK(shown["user:regular"] == Json({"chat:channel:create"}));
  CHECK(shown["user:guest"].empty());
  CHECK(shown["user:anonymous"].empty());
  CHECK(alice.post("/v1/channels/messaging/a1").status == 201);
  for (auto* nobody : {&guest, &anonymous}) CHECK(nobody->post("/v1/channels/messaging/g1").code() == "forbidden");
  REQUIRE(grant(app, {{"user:regular", Json::array()}, {"user:guest", {"chat:channel:create"}}}).status == 200);
  CHECK(alice.post("/v1/channels/messaging/a2").code() == "forbidden");
  CHECK(alice.post("/v1/channels/messaging/a1").status == 200);            // it was made before
  CHECK(guest.post("/v1/channels/messaging/g2").status == 201);
  CHECK(anonymous.post("/v1/channels/messaging/g3").code() == "forbidden");
  CHECK(alice.post("/v1/channels/team/a3").status == 201);                 // another type
  CHECK(app.server().post("/v1/channels/messaging/a4", {{"created_by", "alice"}}).status == 201);
  CHECK(app.rows("channels") == 4);
  CHECK(grant(app, {{"user:regular", nullptr}}).body["channel_type"]["settings"]["grants"]["user:regular"] == Json({"chat:channel:create"}));
  CHECK(alice.post("/v1/channels/messaging/a5").status == 201);
  CHECK(grant(app, {{"user:guest", {"chat:message:send"}}}).pointer() == "#/settings/grants/user:guest/0");
  CHECK(grant(app, {{"member", {"chat:channel:create"}}}).pointer() == "#/settings/grants/member/0");
  CHECK(grant(app, {{"user:admin", Json::array()}}).pointer() == "#/settings/grants/user:admin");
  CHECK(alice.post("/v1/channels/messaging/a6", {{"members", {{{"user_id", "alice"}, {"role", "user:guest"}}}}}).pointer() == "#/members/0/role");
}

TEST_CASE("permissions: mentioning a role takes its action, which a type may take away", "[api][permissions][send]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  const Json mention{{"text", "help"}, {"mention_roles", {"owner"}}};
  CHECK(app.user("bob").post(kMessages, mention).status == 201);
  REQUIRE(grant(app, {{"member", {"chat:channel:read", "chat:message:send"}}}).status == 200);
  CHECK(app.user("bob").post(kMessages, mention).code() == "forbidden");
  CHECK(app.rows("messages") == 1);
  CHECK(app.user("bob").post(kMessages, {{"text", "help"}}).status == 201);
  CHECK(app.server().post(kMessages, {{"text", "help"}, {"mention_roles", {"owner"}}, {"user_id", "bob"}}).status == 201);
  REQUIRE(grant(app, {{"member", {"chat:channel:read", "chat:message:send", "chat:message:mention_roles"}}}).status == 200);
  CHECK(app.user("bob").post(kMessages, mention).status == 201);
}
