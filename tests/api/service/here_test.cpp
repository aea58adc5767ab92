#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

/// general: alice (owner), bob, carol, dave, erin.
struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol", "dave", "erin"});
    add_channel("general", {"alice", "bob", "carol", "dave", "erin"});
  }
  /// Until every node knows where these users stand.
  void await(const std::map<std::string, std::string>& statuses) {
    eventually("all standings", [&] {
      for (int node = 0; node < 2; ++node) {
        const auto answer = server().post("/v1/users/presence", {{"user_ids", {"alice", "bob", "carol", "dave", "erin"}}});
        for (const auto& user : answer.body["users"])
          if (const auto wanted = statuses.find(user["user_id"]); wanted != statuses.end() && user["status"] != wanted->second) return false;
      }
      return true;
    });
  }
  std::int64_t mentions_of(const std::string& who) { return user(who).get("/v1/unread").body["mentions"]; }
};

void hear_mentions(WsClient& client, int mentions) {
  eventually("the mention", [&] { return hear(client, "notification.unread_changed")["data"]["mentions"] == mentions; }, std::chrono::seconds(30));
}

}  // namespace

TEST_CASE("here: who is online is mentioned, who is away or not connected is not", "[api][here][ws]") {
  Room room;
  auto alice = room.connect("alice"), bob = room.connect("bob"), carol = room.connect("carol"), erin = room.connect("erin");
  carol.send({{"type", "status"}, {"status", "away"}});
  carol.wait_for("status.done");
  room.await({{"alice", "online"}, {"bob", "online"}, {"carol", "away"}, {"dave", "offline"}, {"erin", "online"}});
  const auto message = room.send("alice", "general", "Who is here?", {{"mention_here", true}});
  CHECK(message["mention_here"] == true);
  hear_mentions(bob, 1);
  hear_mentions(erin, 1);
  CHECK(room.mentions_of("bob") == 1);
  CHECK(room.mentions_of("erin") == 1);
  CHECK(room.mentions_of("carol") == 0);
  CHECK(room.mentions_of("dave") == 0);
  CHECK(room.mentions_of("alice") == 0);
  CHECK(room.rows("mentions") == 2);
  REQUIRE(room.user("bob").post("/v1/channels/messaging/general/read").status == 200);
  hear_mentions(bob, 0);
  REQUIRE(room.user("alice").del(kMessages + "/" + message["id"].get<std::string>()).status == 200);
  hear_mentions(erin, 0);
}

TEST_CASE("here: not whoever blocked the author, nor who is banned, and nobody of a large channel", "[api][here][ws][permissions]") {
  Room room;
  REQUIRE(room.server().post("/v1/channels/livestream/show", {{"members", {"bob"}}}).status == 201);
  REQUIRE(room.user("erin").post("/v1/users/erin/blocks", {{"target_id", "alice"}}).status == 200);
  REQUIRE(room.server().put("/v1/channels/messaging/general/bans/dave", Json::object()).status == 200);
  auto bob = room.connect("bob"), dave = room.connect("dave"), erin = room.connect("erin");
  room.await({{"bob", "online"}, {"dave", "online"}, {"erin", "online"}});
  REQUIRE(room.server().post("/v1/channels/livestream/show/messages", {{"text", "x"}, {"user_id", "alice"}, {"mention_here", true}}).status == 201);
  room.send("alice", "general", "in a thread, too", {{"mention_here", true}});
  hear_mentions(bob, 1);
  CHECK(room.rows("mentions") == 1);
  CHECK(room.mentions_of("erin") == 0);
  const auto parent = room.send("bob", "general", "a question");
  room.send("alice", "general", "an answer", {{"parent_id", parent["id"]}, {"mention_here", true}});
  eventually("the mention in the thread", [&] {
    const auto threads = room.user("bob").get("/v1/unread").body["threads"];
    return threads.size() == 1 && threads[0]["mentions"] == 1;
  });
}

TEST_CASE("here: refused, or written in the shadow of a ban, it mentions nobody", "[api][here][ws][permissions]") {
  Room room;
  auto bob = room.connect("bob");
  room.await({{"bob", "online"}});
  CHECK(room.user("carol").post(kMessages, {{"text", "x"}, {"mention_here", true}}).code() == "forbidden");
  REQUIRE(room.server().patch("/v1/channels/messaging/general/members/carol", {{"role", "moderator"}}).status == 200);
  REQUIRE(room.server().put("/v1/channels/messaging/general/bans/carol", {{"shadow", true}}).status == 200);
  REQUIRE(room.user("carol").post(kMessages, {{"text", "psst"}, {"mention_here", true}}).status == 201);
  room.send("alice", "general", "hello", {{"mention_here", true}});
  hear_mentions(bob, 1);
  CHECK(room.rows("mentions") == 1);
}
