#include <catch2/catch.hpp>

#include <set>

#include "tests/support/teams.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kGeneral = "/v1/channels/messaging/general";

Answer ask(TestApp& app, const std::string& channel, const std::string& user, const std::string& action) {
  return app.server().get(channel + "/explain?user_id=" + user + "&action=" + action);
}

std::string rule(TestApp& app, const std::string& channel, const std::string& user, const std::string& action, bool allowed) {
  const auto answer = ask(app, channel, user, action);
  INFO(answer.http.body);
  REQUIRE(answer.status == 200);
  CHECK(answer.body["explanation"]["allowed"] == allowed);
  return answer.body["explanation"]["rule"];
}

void set(TestApp& app, const Json& settings) { REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", settings}}).status == 200); }

}  // namespace

TEST_CASE("explain: says the same as own_capabilities, for every action and role", "[api][explain][permissions]") {
  TestApp app;
  app.add_users({"owner", "moderator", "member", "janitor", "stranger"});
  set(app, {{"grants", {{"janitor", {"chat:channel:read", "chat:message:delete_any"}}, {"moderator", {"chat:channel:read", "chat:channel:delete"}}}}});
  const Json members{{{"user_id", "moderator"}, {"role", "moderator"}}, {{"user_id", "janitor"}, {"role", "janitor"}}, "member"};
  REQUIRE(app.user("owner").post(kGeneral, {{"members", members}}).status == 201);
  std::set<std::string> all;
  const auto grants = app.server().get("/v1/channel_types/messaging").body["channel_type"]["settings"]["grants"];
  for (const auto& [role, actions] : grants.items()) all.insert(actions.begin(), actions.end());
  REQUIRE(all.size() > 30);
  for (const auto* user : {"owner", "moderator", "member", "janitor"}) {
    const auto own = app.user(user).get(kGeneral).body["own_capabilities"].get<std::set<std::string>>();
    for (const auto& action : all) {
      if (action == "chat:channel:create") continue;       // no role's
      INFO(user << " " << action);
      const auto said = ask(app, kGeneral, user, action).body["explanation"];
      CHECK(said["allowed"] == own.contains(action));
      CHECK(said["rule"] == (std::string(user) == "janitor" || std::string(user) == "moderator" ? "type_grants" : "default_of_role"));
      CHECK(said["role"] == user);
    }
    CHECK(rule(app, kGeneral, user, "chat:channel:create", true) == "default_of_user_type");
  }
  CHECK(rule(app, kGeneral, "stranger", "chat:message:send", false) == "not_a_member");
}

TEST_CASE("explain: names each rule that decides, and the call it explains is refused or goes", "[api][explain][permissions]") {
  TestApp app;
  app.set({{"guests", true}});
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  const auto send = [&](const std::string& user) { return app.user(user).post(kMessages, {{"text", "x"}}).status == 201; };
  CHECK(rule(app, kGeneral, "bob", "chat:message:send", true) == "default_of_role");
  CHECK(send("bob"));
  set(app, {{"grants", {{"member", {"chat:channel:read"}}}}});
  CHECK(rule(app, kGeneral, "bob", "chat:message:send", false) == "type_grants");
  CHECK_FALSE(send("bob"));
  set(app, {{"grants", {{"member", {"chat:message:send"}}}}});
  CHECK(rule(app, kGeneral, "bob", "chat:message:send", false) == "may_not_read");
  set(app, {{"grants", {{"member", {"chat:channel:read", "chat:message:send"}}, {"user:regular", Json::array()}}}});
  CHECK(rule(app, kGeneral, "bob", "chat:channel:create", false) == "type_grants");
  CHECK(app.user("bob").post("/v1/channels/messaging/own").code() == "forbidden");
  set(app, {{"grants", {{"member", nullptr}, {"user:regular", nullptr}}}});
  REQUIRE(app.user("alice").patch(kGeneral, {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(rule(app, kGeneral, "bob", "chat:message:send", false) == "channel_frozen");
  CHECK(rule(app, kGeneral, "alice", "chat:message:send", true) == "default_of_role");
  CHECK_FALSE(send("bob"));
  REQUIRE(app.user("alice").patch(kGeneral, {{"set", {{"frozen", false}}}}).status == 200);
  set(app, {{"polls", false}});
  CHECK(rule(app, kGeneral, "bob", "chat:poll:create", false) == "setting_off");
  REQUIRE(app.user("alice").put(kGeneral + "/bans/bob", Json::object()).status == 200);
  CHECK(rule(app, kGeneral, "bob", "chat:channel:read", false) == "banned");
  REQUIRE(app.user("alice").put(kGeneral + "/bans/carol", {{"shadow", true}}).status == 200);
  CHECK(rule(app, kGeneral, "carol", "chat:message:send", true) == "default_of_role");
  REQUIRE(app.server().post("/v1/users/bob/deactivate").status == 200);
  CHECK(rule(app, kGeneral, "bob", "chat:channel:read", false) == "user_deactivated");
  const auto direct = app.user("alice").post("/v1/channels/messaging", {{"members", {"carol"}}}).body["channel"]["id"].get<std::string>();
  REQUIRE(app.user("carol").post("/v1/users/carol/blocks", {{"target_id", "alice"}}).status < 300);
  CHECK(rule(app, "/v1/channels/messaging/" + direct, "alice", "chat:message:send", false) == "direct_channel_blocked");
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  const auto made = Actor(Service::get().port(), {{"X-API-Key", app.key()}}).post("/v1/guests", {{"type", "anonymous"}}).body["user"]["user_id"].get<std::string>();
  CHECK(rule(app, "/v1/channels/livestream/show", made, "chat:message:send", false) == "anonymous_user");
  CHECK(rule(app, "/v1/channels/livestream/show", made, "chat:channel:read", true) == "default_of_anyone");
}

TEST_CASE("explain: a team keeps out, and its role gives", "[api][explain][teams]") {
  TestApp app;
  Teams teams(app);
  const std::string red = "/v1/channels/messaging/red-room";
  CHECK(rule(app, red, "bea", "chat:channel:read", false) == "team");
  set(app, {{"grants", {{"lead", {"chat:channel:freeze"}}}}});
  CHECK(rule(app, red, "robin", "chat:channel:freeze", false) == "default_of_role");
  REQUIRE(app.server().patch("/v1/users/robin", {{"set", {{"teams", {"red"}}, {"teams_role", {{"red", "lead"}}}}}}).status == 200);
  CHECK(rule(app, red, "robin", "chat:channel:freeze", true) == "team_role");
  CHECK(ask(app, red, "robin", "chat:channel:freeze").body["explanation"]["team_role"] == "lead");
}

TEST_CASE("explain: for servers and operators, of what there is", "[api][explain][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  other.add_users({"alice"});
  CHECK(app.user("alice").get(kGeneral + "/explain?user_id=alice&action=chat:message:send").code() == "forbidden");
  CHECK(other.server().get(kGeneral + "/explain?user_id=alice&action=chat:message:send").code() == "not_found");
  CHECK(ask(app, kGeneral, "ghost", "chat:message:send").pointer() == "query:user_id");
  CHECK(ask(app, kGeneral, "alice", "chat:message:shout").pointer() == "query:action");
  CHECK(app.server().get(kGeneral + "/explain?action=chat:message:send").pointer() == "query:user_id");
  const auto operators = [](TestApp& of) {
    return Service::get().operators().get("/operator/v1/applications/" + of.id() + "/channels/messaging/general/explain?user_id=alice&action=chat:message:send");
  };
  CHECK(operators(app).body == ask(app, kGeneral, "alice", "chat:message:send").body);
  CHECK(operators(other).code() == "not_found");
}
