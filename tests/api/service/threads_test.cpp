#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob", "carol"});
    parent = send("alice", "general", "question");
  }
  [[nodiscard]] std::string path(const std::string& more = "") const {
    return kMessages + "/" + parent["id"].get<std::string>() + "/thread" + more;
  }
  Json reply(const std::string& who, const std::string& text = "reply") { return send(who, "general", text, {{"parent_id", parent["id"]}}); }
  Json thread(const std::string& who) { return user(who).get(path()).body["thread"]; }
  Json parent;
};

}  // namespace

TEST_CASE("threads: who writes takes part and follows, others do not", "[api][threads]") {
  Room room;
  CHECK(room.thread("bob")["participants"].empty());
  room.reply("bob");
  room.reply("bob");
  auto seen = room.thread("alice");
  CHECK(seen["participants"] == Json({"alice", "bob"}));
  CHECK(seen["participant_count"] == 2);
  CHECK(seen["following"] == true);
  CHECK(seen["unread"] == 2);
  CHECK_FALSE(seen.contains("read_id"));
  CHECK(room.thread("bob")["unread"] == 0);
  CHECK(room.thread("carol")["following"] == false);
  CHECK(room.thread("carol")["unread"] == 0);
  CHECK(room.rows("thread_members") == 2);
}

TEST_CASE("threads: following begins at the newest reply", "[api][threads][ws]") {
  Room room;
  room.reply("bob");
  auto carol = room.user("carol");
  auto device = room.connect("carol");
  auto bystander = room.connect("alice");
  auto followed = carol.post(room.path("/follow"));
  CHECK(followed.body["thread"]["following"] == true);
  CHECK(followed.body["thread"]["unread"] == 0);
  CHECK(hear(device, "thread.updated")["data"]["thread"]["following"] == true);
  CHECK_FALSE(bystander.find("thread.updated", std::chrono::milliseconds(150)));
  CHECK(carol.post(room.path("/follow")).body == followed.body);
  room.reply("alice");
  CHECK(room.thread("carol")["unread"] == 1);
  CHECK(room.thread("carol")["participant_count"] == 2);
  CHECK(carol.del(room.path("/follow")).body["thread"]["following"] == false);
  CHECK(carol.del(room.path("/follow")).status == 200);
  CHECK(carol.get("/v1/threads").body["threads"].empty());
  room.reply("carol");
  CHECK(room.thread("carol")["following"] == true);
}

TEST_CASE("threads: unread counts the replies of others that still exist", "[api][threads][ws]") {
  Room room;
  auto first = room.reply("bob"), second = room.reply("bob");
  room.reply("bob");
  CHECK(room.thread("alice")["unread"] == 3);
  room.user("bob").del(kMessages + "/" + second["id"].get<std::string>());
  CHECK(room.thread("alice")["unread"] == 2);
  auto alice = room.user("alice");
  auto device = room.connect("alice");
  auto marked = alice.post(room.path("/read"), {{"reply_id", first["id"]}});
  CHECK(marked.body["thread"]["read_id"] == first["id"]);
  CHECK(marked.body["thread"]["unread"] == 1);
  CHECK(hear(device, "thread.updated")["data"]["thread"]["unread"] == 1);
  CHECK(alice.post(room.path("/read")).body["thread"]["unread"] == 0);
  CHECK(alice.post(room.path("/read"), {{"reply_id", first["id"]}}).body["thread"]["unread"] == 0);   // never back
  CHECK(alice.post(room.path("/read"), {{"reply_id", room.parent["id"]}}).code() == "not_found");
  CHECK(alice.post(room.path("/read"), {{"reply_id", "x"}}).pointer() == "#/reply_id");
  room.reply("alice");
  room.reply("bob");
  CHECK(room.thread("alice")["unread"] == 1);
}

TEST_CASE("threads: who is mentioned in a reply follows from that reply on, and what mentions one is counted", "[api][threads][ws]") {
  Room room;
  room.reply("bob", "before");
  CHECK(room.thread("carol")["following"] == false);
  auto device = room.connect("carol");
  auto reply = [&](const std::string& who, Json more) {
    more["parent_id"] = room.parent["id"];
    return room.send(who, "general", "look", std::move(more));
  };
  reply("bob", {{"mentions", {"carol", "bob"}}});
  CHECK(room.thread("carol")["following"] == true);
  CHECK(room.thread("carol")["unread"] == 1);
  CHECK(room.thread("carol")["mentions"] == 1);
  CHECK(room.thread("carol")["participants"] == Json({"alice", "bob"}));
  CHECK(room.thread("bob")["unread"] == 0);
  room.reply("bob");
  reply("alice", {{"mention_channel", true}, {"mentions", {"carol"}}});
  reply("alice", {{"mention_roles", {"owner"}}});
  const auto unread = room.user("carol").get("/v1/unread").body;
  CHECK(unread["mentions"] == 0);              // of the channels; a thread's stay in the thread
  CHECK(unread["threads"] == Json::array({{{"cid", "messaging:general"}, {"parent_id", room.parent["id"]}, {"unread", 4}, {"mentions", 2}}}));
  CHECK(room.user("carol").get("/v1/threads").body["threads"][0]["mentions"] == 2);
  eventually("the same is pushed", [&] { return hear(device, "notification.unread_changed")["data"]["threads"] == unread["threads"]; });

  REQUIRE(room.user("carol").post(room.path("/read")).status == 200);
  eventually("and that it was read", [&] {
    const auto told = hear(device, "notification.unread_changed")["data"];
    return told["unread_threads"] == 0 && told["threads"].empty() && told["channels"][0]["cid"] == "messaging:general";
  });
  REQUIRE(room.user("carol").del(room.path("/follow")).status < 300);
  room.reply("bob");
  CHECK(room.thread("carol")["following"] == false);
  reply("bob", {{"mentions", {"carol"}}});
  CHECK(room.thread("carol")["following"] == true);
  CHECK(room.thread("carol")["unread"] == 1);
}

TEST_CASE("threads: the list holds what one follows and may read, newest reply first", "[api][threads]") {
  Room room;
  auto other = room.send("alice", "general", "another");
  room.reply("bob", "one");
  room.send("carol", "general", "two", {{"parent_id", other["id"]}});
  auto alice = room.user("alice");
  auto list = alice.get("/v1/threads").body["threads"];
  REQUIRE(list.size() == 2);
  CHECK(list[0]["message"]["text"] == "another");
  CHECK(list[0]["unread"] == 1);
  CHECK(list[1]["message"]["reply_count"] == 1);
  auto page = alice.get("/v1/threads?limit=1");
  auto rest = alice.get("/v1/threads?limit=1&next=" + page.body["next"].get<std::string>());
  CHECK(rest.body["threads"][0]["parent_id"] == room.parent["id"]);
  CHECK_FALSE(rest.body.contains("next"));
  alice.post(room.path("/read"));
  auto unread = alice.get("/v1/threads?unread=true").body["threads"];
  REQUIRE(unread.size() == 1);
  CHECK(unread[0]["parent_id"] == other["id"]);
  CHECK(room.server().get("/v1/threads").pointer() == "query:user_id");
  CHECK(room.server().get("/v1/threads?user_id=bob").body["threads"].size() == 1);
  CHECK(room.server().get("/v1/threads?user_id=nobody").code() == "not_found");
  REQUIRE(alice.del("/v1/channels/messaging/general/members/bob").status == 204);
  CHECK(room.user("bob").get("/v1/threads").body["threads"].empty());
}

TEST_CASE("threads: a reply, a stranger's message and another application's have none", "[api][threads][tenancy][permissions]") {
  Room room, other;
  room.add_users({"mallory"});
  auto reply = room.reply("bob");
  const auto of_reply = kMessages + "/" + reply["id"].get<std::string>() + "/thread";
  CHECK(room.user("bob").get(of_reply).code() == "not_found");
  for (const auto& path : {room.path(), room.path("/follow"), room.path("/read")}) {
    CHECK(room.user("mallory").post(path + (path == room.path() ? "/follow" : "")).code() == "not_found");
    CHECK(other.user("alice").post(path + (path == room.path() ? "/follow" : "")).code() == "not_found");
  }
  CHECK(other.user("alice").get(room.path()).code() == "not_found");
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"replies", false}}}}).status == 200);
  CHECK(room.user("carol").post(room.path("/follow")).code() == "forbidden");
  CHECK(room.rows("thread_members") == 2);
  CHECK(other.rows("thread_members") == 0);
}

TEST_CASE("threads: replies at once leave one row for each who wrote", "[api][threads][concurrency]") {
  Room room;
  std::vector<std::thread> threads;
  for (const char* who : {"alice", "bob", "carol", "bob"})
    threads.emplace_back([&room, who] {
      auto actor = room.user(who);
      for (int i = 0; i < 8; ++i) actor.post(kMessages, {{"text", "x"}, {"parent_id", room.parent["id"]}});
    });
  for (auto& thread : threads) thread.join();
  CHECK(room.rows("thread_members") == 3);
  CHECK(room.thread("alice")["participant_count"] == 3);
  auto alice = room.user("alice");
  CHECK(alice.post(room.path("/read")).body["thread"]["unread"] == 0);
  CHECK(alice.get(kMessages + "/" + room.parent["id"].get<std::string>()).body["message"]["reply_count"] == 32);
  alice.del(kMessages + "/" + room.parent["id"].get<std::string>() + "?mode=hard");
  CHECK(room.rows("thread_members") == 0);
}
