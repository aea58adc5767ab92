#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kOwner = kChannel + "/owner";

std::map<std::string, std::string> roles(TestApp& app, const std::string& path = kChannel) {
  std::map<std::string, std::string> found;
  const auto members = app.server().get(path + "/members").body["members"];
  for (const auto& member : members) found[member["user_id"]] = member["role"];
  return found;
}

struct Stage {
  TestApp app;
  Stage() {
    app.add_users({"alice", "bob", "carol", "dave", "zed"});
    app.add_channel("general", {"alice", "bob", "carol", "dave"});
  }
};

void pass_on() { Service::get().node().run_job("pass_on_channels"); }

}  // namespace

TEST_CASE("ownership: an owner hands the channel over and stays as admin", "[api][ownership][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto carol = app.connect("carol");
  auto handed = app.user("alice").post(kOwner, {{"owner", "bob"}});
  REQUIRE(handed.status == 200);
  CHECK(handed.body["member"]["role"] == "owner");
  CHECK(roles(app) == std::map<std::string, std::string>{{"alice", "admin"}, {"bob", "owner"}, {"carol", "member"}, {"dave", "member"}});
  CHECK(hear(carol, "member.updated")["data"]["member"]["role"] == "admin");
  CHECK(hear(carol, "member.updated")["data"]["member"]["role"] == "owner");
  CHECK(app.user("alice").post(kOwner, {{"owner", "alice"}}).code() == "forbidden");
  const int seq = app.server().get(kChannel).body["channel"]["last_seq"];
  CHECK(app.user("bob").post(kOwner, {{"owner", "bob"}}).status == 200);
  CHECK(app.server().get(kChannel).body["channel"]["last_seq"] == seq);
}

TEST_CASE("ownership: of several owners a transfer leaves one", "[api][ownership]") {
  Stage stage;
  auto& app = stage.app;
  CHECK(app.user("alice").patch(kChannel + "/members/bob", {{"role", "owner"}}).status == 200);
  CHECK(app.server().post(kOwner, {{"owner", "dave"}}).status == 200);
  CHECK(roles(app) == std::map<std::string, std::string>{{"alice", "admin"}, {"bob", "admin"}, {"carol", "member"}, {"dave", "owner"}});
}

TEST_CASE("ownership: takes an owner, and a member", "[api][ownership][tenancy]") {
  Stage stage;
  auto& app = stage.app;
  CHECK(app.user("bob").post(kOwner, {{"owner", "bob"}}).code() == "forbidden");
  CHECK(app.user("zed").post(kOwner, {{"owner", "zed"}}).status == 404);
  CHECK(app.user("alice").post(kOwner, {{"owner", "zed"}}).status == 404);
  CHECK(app.user("alice").post(kOwner).pointer() == "#/owner");
  TestApp other;
  CHECK(other.server().post(kOwner, {{"owner", "bob"}}).status == 404);
  auto kept = app.user("alice").patch(kChannel + "/members/alice", {{"role", "member"}});
  CHECK(kept.code() == "conflict");
  CHECK(kept.pointer() == "#/role");
  CHECK(roles(app)["alice"] == "owner");
  CHECK(app.rows("channel_events", "type = 'member.updated'") == 0);
}

TEST_CASE("ownership: when the last owner leaves, the strongest and then oldest member owns the channel", "[api][ownership][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto dave = app.connect("dave");
  app.user("alice").patch(kChannel + "/members/dave", {{"role", "moderator"}});
  hear(dave, "member.updated");
  CHECK(app.user("alice").del(kChannel + "/members/alice").status == 204);
  CHECK(hear(dave, "member.removed")["data"]["member"]["user_id"] == "alice");
  auto event = hear(dave, "member.updated");
  CHECK(event["data"]["member"]["user_id"] == "dave");
  CHECK(event["data"]["member"]["role"] == "owner");
  app.server().post("/v1/users/bob/deactivate");
  CHECK(app.server().del(kChannel + "/members/dave").status == 204);
  CHECK(roles(app) == std::map<std::string, std::string>{{"bob", "member"}, {"carol", "owner"}});
  CHECK(app.user("carol").del(kChannel + "/members/carol").status == 204);
  CHECK(roles(app) == std::map<std::string, std::string>{{"bob", "member"}});   // nobody can own it
  CHECK(app.server().post(kOwner, {{"owner", "bob"}}).status == 200);
}

TEST_CASE("ownership: with another owner left nothing passes on", "[api][ownership]") {
  Stage stage;
  auto& app = stage.app;
  app.user("alice").patch(kChannel + "/members/carol", {{"role", "owner"}});
  CHECK(app.user("alice").patch(kChannel + "/members/alice", {{"role", "member"}}).status == 200);
  CHECK(app.user("carol").del(kChannel + "/members/alice").status == 204);
  CHECK(roles(app) == std::map<std::string, std::string>{{"bob", "member"}, {"carol", "owner"}, {"dave", "member"}});
}

TEST_CASE("ownership: a deleted user's channels pass on, by the rule or to a named user", "[api][ownership][ws]") {
  Stage stage;
  auto& app = stage.app;
  app.add_channel("second", {"alice", "dave", "zed"});
  app.add_channel("alone", {"alice"});
  auto carol = app.connect("carol");
  auto zed = app.connect("zed");
  CHECK(app.server().del("/v1/users/alice?new_owner=nobody").pointer() == "query:new_owner");
  CHECK(app.server().del("/v1/users/alice?new_owner=alice").pointer() == "query:new_owner");
  CHECK(app.rows("ownership_handovers") == 0);
  CHECK(app.server().del("/v1/users/alice?mode=hard&new_owner=zed").status == 204);
  eventually("the handover", [&] { return pass_on(), app.rows("ownership_handovers") == 0; });
  CHECK(roles(app)["bob"] == "owner");         // the oldest member; zed is not one
  CHECK(roles(app)["alice"] == "member");
  CHECK(roles(app, "/v1/channels/messaging/second")["zed"] == "owner");
  CHECK(roles(app, "/v1/channels/messaging/alone")["alice"] == "member");
  CHECK(hear(carol, "member.updated")["data"]["member"]["user_id"] == "alice");
  CHECK(hear(carol, "member.updated")["data"]["member"]["user_id"] == "bob");
  CHECK(hear(zed, "member.updated")["data"]["member"]["user_id"] == "alice");
  CHECK(hear(zed, "member.updated")["data"]["member"]["user_id"] == "zed");
}

TEST_CASE("joins: a user joins an open channel, once", "[api][joins][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.server().post("/v1/channels/livestream/show", {{"members", {"alice"}}});
  const std::string show = "/v1/channels/livestream/show";
  auto alice = app.connect("alice");
  auto joined = app.user("bob").post(show + "/join");
  CHECK(joined.status == 201);
  CHECK(joined.body["member"]["role"] == "member");
  CHECK(hear(alice, "member.added")["data"]["member"]["user_id"] == "bob");
  CHECK(app.user("bob").post(show + "/join").status == 200);
  CHECK(app.server().get(show).body["channel"]["member_count"] == 2);
  CHECK(app.server().post(show + "/join", {{"user_id", "carol"}}).status == 201);
  CHECK(app.server().post(show + "/join").pointer() == "#/user_id");
  CHECK(app.user("bob").del(show + "/members/bob").status == 204);
  CHECK(app.user("bob").post(show + "/join").status == 201);
}

TEST_CASE("joins: not a closed channel, not a banned or anonymous user, not without the right", "[api][joins][tenancy]") {
  TestApp app;
  app.add_users({"alice", "bob", "eve"});
  app.add_channel("general", {"alice"});
  CHECK(app.user("bob").post(kChannel + "/join").status == 404);
  app.server().post("/v1/channels/livestream/show", {{"members", {"alice"}}});
  const std::string show = "/v1/channels/livestream/show";
  app.server().put(show + "/bans/eve", Json::object());
  CHECK(app.user("eve").post(show + "/join").code() == "forbidden");
  app.server().post("/v1/users", {{"users", {{{"user_id", "nobody"}, {"type", "anonymous"}}}}});
  CHECK(app.user("nobody").post(show + "/join").code() == "forbidden");
  app.server().patch("/v1/channel_types/livestream", {{"settings", {{"grants", {{"anyone", {"chat:channel:read"}}}}}}});
  CHECK(app.user("bob").post(show + "/join").code() == "forbidden");
  TestApp other;
  other.add_users({"bob"});
  CHECK(other.user("bob").post(show + "/join").status == 404);
  CHECK(app.server().get(show).body["channel"]["member_count"] == 1);
}

TEST_CASE("joins: the plan's members of a channel hold exactly when many join at once", "[api][joins][limits]") {
  TestApp app(Json{{"channel_members", {{"hard", 4}}}});
  app.add_users({"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"});
  app.server().post("/v1/channels/livestream/show");
  std::atomic<int> joined{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      auto answer = app.user("u" + std::to_string(i)).post("/v1/channels/livestream/show/join");
      ++(answer.status == 201 ? joined : refused);
      if (answer.status != 201) CHECK(answer.code() == "limit_reached");
    });
  for (auto& thread : threads) thread.join();
  CHECK(joined == 4);
  CHECK(refused == 4);
  CHECK(app.server().get("/v1/channels/livestream/show").body["channel"]["member_count"] == 4);
}
