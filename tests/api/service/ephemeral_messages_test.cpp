#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kEphemeral = "/v1/channels/messaging/general/ephemeral_messages";

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol", "mallory"});
    add_channel("general", {"alice", "bob", "carol"});
  }
  Answer tell(const std::vector<std::string>& who, Json more = Json::object()) {
    more["user_ids"] = who;
    if (!more.contains("text")) more["text"] = "psst";
    return server().post(kEphemeral, more);
  }
};

}  // namespace

TEST_CASE("ephemeral_messages: only the named users hear it, on all their devices, and nobody keeps it", "[api][ephemeral_messages][ws]") {
  Room room;
  auto first = room.connect("bob"), second = room.connect("bob"), carol = room.connect("carol"), backend = room.connect("");
  auto parent = room.send("alice", "general", "visible");
  auto answer = room.tell({"bob"}, {{"user_id", "alice"}, {"custom", {{"k", 1}}}, {"parent_id", parent["id"]}});
  REQUIRE(answer.status == 201);
  for (auto* device : {&first, &second}) {
    auto heard = hear(*device, "message.ephemeral");
    CHECK(heard["data"]["message"] == answer.body["message"]);
    CHECK(heard["cid"] == "messaging:general");
    CHECK_FALSE(heard.contains("seq"));
  }
  CHECK_FALSE(carol.find("message.ephemeral", std::chrono::milliseconds(150)));
  CHECK_FALSE(backend.find("message.ephemeral", std::chrono::milliseconds(50)));
  CHECK(room.rows("messages") == 1);
  CHECK(room.rows("channel_events", "type <> 'channel.created'") == 0);
  CHECK(room.user("bob").get(kMessages).body["messages"].size() == 1);
  CHECK(room.user("bob").get(kMessages + "/" + answer.body["message"]["id"].get<std::string>()).code() == "not_found");
  CHECK(room.user("bob").get("/v1/channels/messaging/general").body["membership"]["unread"] == 1);
}

TEST_CASE("ephemeral_messages: a repeat under its key tells nobody again", "[api][ephemeral_messages][ws]") {
  Room room;
  auto bob = room.connect("bob");
  const Json body = {{"user_ids", {"bob"}}, {"text", "once"}};
  auto answer = room.server().post(kEphemeral, body, {{"Idempotency-Key", "k1"}});
  hear(bob, "message.ephemeral");
  CHECK(room.server().post(kEphemeral, body, {{"Idempotency-Key", "k1"}}).body == answer.body);
  CHECK_FALSE(bob.find("message.ephemeral", std::chrono::milliseconds(150)));
}

TEST_CASE("ephemeral_messages: refused, it is told to nobody", "[api][ephemeral_messages][ws][permissions][limits][tenancy]") {
  Room room;
  TestApp other;
  auto bob = room.connect("bob");
  CHECK(room.user("alice").post(kEphemeral, {{"user_ids", {"bob"}}, {"text", "x"}}).code() == "forbidden");
  auto stranger = room.tell({"bob", "mallory"});
  CHECK(stranger.code() == "not_found");
  CHECK(stranger.pointer() == "#/user_ids/1");
  CHECK(room.tell({"bob", "nobody"}).pointer() == "#/user_ids/1");
  CHECK(room.tell({"bob", "bob"}).pointer() == "#/user_ids/1");
  CHECK(room.tell({"b b"}).pointer() == "#/user_ids/0");
  CHECK(room.tell({}).pointer() == "#/user_ids");
  CHECK(room.tell(std::vector<std::string>(51, "bob")).pointer() == "#/user_ids");
  CHECK(room.tell({"bob"}, {{"text", ""}}).pointer() == "#/text");
  CHECK(room.tell({"bob"}, {{"text", std::string(20'001, 'x')}}).code() == "too_large");
  CHECK(room.tell({"bob"}, {{"user_id", "nobody"}}).pointer() == "#/user_id");
  CHECK(room.tell({"bob"}, {{"parent_id", "msg_01h455vb4pex5vsknk084sn02q"}}).code() == "not_found");
  CHECK(room.tell({"bob"}, {{"parent_id", "x"}}).pointer() == "#/parent_id");
  CHECK(other.server().post(kEphemeral, {{"user_ids", {"bob"}}, {"text", "x"}}).code() == "not_found");
  REQUIRE(room.server().put("/v1/channels/messaging/general/bans/carol", Json::object()).status < 300);
  CHECK(room.tell({"carol"}).code() == "not_found");
  CHECK_FALSE(bob.find("message.ephemeral", std::chrono::milliseconds(150)));
}
