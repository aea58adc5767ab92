#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

constexpr std::chrono::milliseconds kSilence{300};
const std::string kTyping = "/v1/channels/messaging/general/typing";

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol", "dave"});
    add_channel("general", {"alice", "bob", "carol"});
  }
};

void say(WsClient& client, const std::string& type, Json more = Json::object()) {
  more["type"] = type;
  more["cid"] = "messaging:general";
  more["ref"] = "t";
  client.send(more);
}

}  // namespace

TEST_CASE("typing: the others hear of it, once in a while, and of its end; one's own devices don't", "[api][typing][ws]") {
  Room room;
  auto phone = room.connect("alice"), laptop = room.connect("alice"), bob = room.connect("bob"), dave = room.connect("dave");
  for (int i = 0; i < 3; ++i) {
    say(phone, "typing.start");
    CHECK(phone.wait_for("typing.done")["ref"] == "t");
  }
  auto heard = hear(bob, "typing.start");
  CHECK(heard["data"] == Json{{"user_id", "alice"}});
  CHECK_FALSE(heard.contains("seq"));
  CHECK_FALSE(bob.find("typing.start", kSilence));
  say(phone, "typing.stop");
  CHECK(hear(bob, "typing.stop")["data"]["user_id"] == "alice");
  say(phone, "typing.stop");
  CHECK_FALSE(bob.find("typing.stop", kSilence));
  CHECK(room.rows("channel_events", "type like 'typing%'") == 0);
  for (auto* nobody : {&phone, &laptop, &dave})
    for (const auto& frame : nobody->drain(std::chrono::milliseconds(10)))
      CHECK((frame["type"] != "typing.start" && frame["type"] != "typing.stop"));
}

TEST_CASE("typing: a client that vanishes types no longer after a few seconds", "[api][typing][ws]") {
  Room room;
  auto bob = room.connect("bob");
  {
    auto alice = room.connect("alice");
    say(alice, "typing.start");
    hear(bob, "typing.start");
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(bob.wait_for("typing.stop", std::chrono::milliseconds(9'000))["data"]["user_id"] == "alice");
  CHECK(std::chrono::steady_clock::now() - begin > std::chrono::seconds(3));
}

TEST_CASE("typing: a thread is a place of its own, and clients without a socket say it over REST", "[api][typing][ws]") {
  Room room;
  auto bob = room.connect("bob");
  const auto parent = room.send("alice", "general", "thread")["id"];
  CHECK(room.user("alice").post(kTyping).status == 204);
  CHECK_FALSE(hear(bob, "typing.start")["data"].contains("parent_id"));
  CHECK(room.server().post(kTyping, {{"user_id", "alice"}, {"parent_id", parent}}).status == 204);
  CHECK(hear(bob, "typing.start")["data"]["parent_id"] == parent);
  CHECK(room.user("alice").post(kTyping, {{"typing", false}, {"parent_id", parent}}).status == 204);
  CHECK(hear(bob, "typing.stop")["data"]["parent_id"] == parent);
  CHECK(room.user("alice").post(kTyping, {{"parent_id", "nonsense"}}).pointer() == "#/parent_id");
  CHECK(room.server().post(kTyping).pointer() == "#/user_id");
}

TEST_CASE("typing: outsiders, the banned, another application and types without it are refused, and nobody hears", "[api][typing][ws][permissions]") {
  Room room, other;
  auto bob = room.connect("bob"), dave = room.connect("dave");
  for (int i = 0; i < 2; ++i) CHECK(room.user("dave").post(kTyping).code() == "not_found");
  say(dave, "typing.start");
  CHECK(dave.wait_for("error")["data"]["code"] == "not_found");
  CHECK(other.user("alice").post("/v1/channels/messaging/elsewhere/typing").code() == "not_found");
  CHECK(other.user("bob").post(kTyping).status == 204);     // its own "general"
  room.user("alice").put("/v1/channels/messaging/general/bans/carol", Json::object());
  CHECK(room.user("carol").post(kTyping).code() == "forbidden");
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"member", {"chat:channel:read"}}}}}}}).status == 200);
  CHECK(room.user("bob").post(kTyping).code() == "forbidden");
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"member", nullptr}}}, {"typing_events", false}}}}).status == 200);
  CHECK(room.user("alice").post(kTyping).code() == "forbidden");
  CHECK_FALSE(bob.find("typing.start", kSilence));
}

TEST_CASE("typing: not told across a block, and of a shadow-banned user to nobody", "[api][typing][ws][blocks]") {
  Room room;
  auto alice = room.connect("alice"), bob = room.connect("bob"), carol = room.connect("carol");
  REQUIRE(room.user("bob").post("/v1/users/bob/blocks", {{"target_id", "carol"}}).status == 200);
  say(carol, "typing.start");
  hear(alice, "typing.start");
  say(bob, "typing.start");
  CHECK(hear(alice, "typing.start")["data"]["user_id"] == "bob");
  CHECK_FALSE(carol.find("typing.start", kSilence));
  for (const auto& frame : bob.drain(std::chrono::milliseconds(10))) CHECK(frame["type"] != "typing.start");
  say(carol, "typing.stop");
  hear(alice, "typing.stop");
  REQUIRE(room.user("alice").put("/v1/channels/messaging/general/bans/carol", {{"shadow", true}}).status == 200);
  say(carol, "typing.start");
  CHECK_FALSE(carol.find("error", kSilence));
  CHECK_FALSE(alice.find("typing.start", std::chrono::milliseconds(10)));
}
