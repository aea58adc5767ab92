#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  Json whisper(const std::string& text, Json more = Json::object()) {
    more["silent"] = true;
    return send("alice", "general", text, std::move(more));
  }
};

}  // namespace

TEST_CASE("silent: such a message stands in the channel and its history, live and later, and counts for nobody", "[api][silent][ws]") {
  Room room;
  auto bob = room.connect("bob");
  const auto message = room.whisper("psst");
  CHECK(message["silent"] == true);
  CHECK_FALSE(message.contains("message_seq"));
  const auto heard = hear(bob, "message.new");
  CHECK(heard["data"]["message"]["silent"] == true);
  CHECK(heard["seq"] == message["seq"]);
  CHECK(room.user("bob").get(kMessages).body["messages"][0]["text"] == "psst");
  CHECK(room.user("bob").get("/v1/unread").body["total"] == 0);
  CHECK(room.user("bob").get("/v1/channels/messaging/general").body["membership"]["unread"] == 0);
  CHECK(room.send("alice", "general", "loud")["message_seq"] == 1);
  CHECK(room.user("bob").get("/v1/unread").body["total"] == 1);
}

TEST_CASE("silent: a mention in one is no unread mention, a reply is one of its thread all the same", "[api][silent]") {
  Room room;
  room.whisper("psst @bob", {{"mentions", {"bob"}}});
  CHECK(room.user("bob").get("/v1/unread").body["mentions"] == 0);
  const auto parent = room.send("bob", "general", "a question");
  room.whisper("an answer", {{"parent_id", parent["id"]}});
  CHECK(room.user("bob").get(kMessages + "/" + parent["id"].get<std::string>()).body["message"]["reply_count"] == 1);
}

TEST_CASE("silent: the mark is a boolean, stays through edits, and leaves a hidden channel hidden", "[api][silent]") {
  Room room;
  CHECK(room.user("alice").post(kMessages, {{"text", "x"}, {"silent", "yes"}}).pointer() == "#/silent");
  CHECK(room.rows("messages") == 0);
  REQUIRE(room.user("bob").patch("/v1/channels/messaging/general/membership", {{"set", {{"hidden", true}}}}).status == 200);
  const auto message = room.whisper("psst");
  CHECK(room.user("bob").get("/v1/channels/messaging/general").body["membership"]["hidden"] == true);
  const auto edited = room.user("alice").patch(kMessages + "/" + message["id"].get<std::string>(), {{"set", {{"text", "pssst"}}}});
  CHECK(edited.body["message"]["silent"] == true);
  room.send("alice", "general", "loud");
  CHECK_FALSE(room.user("bob").get("/v1/channels/messaging/general").body["membership"].value("hidden", false));
}
