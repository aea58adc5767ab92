#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("send: a stored message is answered with its numbers", "[api][send]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto first = app.send("alice", "general", "hello", {{"custom", {{"mood", "good"}}}, {"attachments", {{{"type", "image"}, {"url", "x"}}}}});
  auto second = app.send("bob", "general", "héllo 👋");
  CHECK(first["seq"] == 2);                    // channel.created was 1
  CHECK(first["message_seq"] == 1);
  CHECK(second["seq"] == 3);
  CHECK(second["message_seq"] == 2);
  CHECK(second["id"] > first["id"]);
  auto stored = app.user("bob").get(kMessages).body["messages"];
  REQUIRE(stored.size() == 2);
  CHECK(stored[0] == first);
  CHECK(stored[1] == second);
}

TEST_CASE("send: the same nonce gives the stored message, never a twin", "[api][send]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto alice = app.user("alice");
  auto first = alice.post(kMessages, {{"text", "once"}, {"nonce", "n1"}});
  auto again = alice.post(kMessages, {{"text", "once"}, {"nonce", "n1"}});
  CHECK(first.status == 201);
  CHECK(again.status == 200);
  CHECK(again.body == first.body);
  CHECK(again.http.header("idempotency-replayed") == "true");
  auto other = alice.post(kMessages, {{"text", "something else"}, {"nonce", "n1"}});
  CHECK(other.status == 422);
  CHECK(other.code() == "idempotency_mismatch");
  auto by_key = alice.post(kMessages, {{"text", "keyed"}}, {{"Idempotency-Key", "\"k1\""}});
  auto by_key_again = alice.post(kMessages, {{"text", "keyed"}}, {{"Idempotency-Key", "k1"}});
  CHECK(by_key_again.status == 200);
  CHECK(by_key_again.body == by_key.body);
  CHECK(app.rows("messages") == 2);
  CHECK(app.rows("usage_metrics", "meter = 'messages' and value = 2") + app.rows("usage_metrics", "meter = 'messages'") >= 1);
}

TEST_CASE("send: many at once under one nonce store one message and count once", "[api][send]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  std::vector<std::thread> senders;
  std::vector<Answer> answers(16);
  for (std::size_t i = 0; i < answers.size(); ++i)
    senders.emplace_back([&, i, alice = app.user("alice")]() mutable { answers[i] = alice.post(kMessages, {{"text", "storm"}, {"nonce", "same"}}); });
  for (auto& sender : senders) sender.join();
  int created = 0;
  std::set<std::string> ids;
  for (auto& answer : answers) {
    created += answer.status == 201;
    ids.insert(answer.body["message"]["id"]);
  }
  CHECK(created == 1);
  CHECK(ids.size() == 1);
  CHECK(app.rows("messages") == 1);
  CHECK(app.server().get("/v1/usage").body["meters"][0]["value"] == 1);
}

TEST_CASE("send: concurrent senders get numbers without gaps, and ids in their order", "[api][send][order]") {
  TestApp app;
  std::vector<std::string> users;
  for (int i = 0; i < 8; ++i) users.push_back("u" + std::to_string(i));
  app.add_users(users);
  app.add_channel("general", users);
  std::vector<std::thread> senders;
  for (const auto& user : users)
    senders.emplace_back([&, actor = app.user(user)]() mutable {
      for (int i = 0; i < 20; ++i) CHECK(actor.post(kMessages, {{"text", std::to_string(i)}}).status == 201);
    });
  for (auto& sender : senders) sender.join();
  std::vector<Json> all;
  std::string before;
  for (bool more = true; more;) {
    auto page = app.user("u0").get(kMessages + "?limit=50" + before).body;
    all.insert(all.begin(), page["messages"].begin(), page["messages"].end());
    more = page["has_older"];
    before = "&before=" + page["messages"][0]["id"].get<std::string>();
  }
  REQUIRE(all.size() == 160);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i]["message_seq"] == i + 1);
    CHECK(all[i]["seq"] == i + 2);
    if (i > 0) CHECK(all[i]["id"] > all[i - 1]["id"]);
  }
}

TEST_CASE("send: who is no member gets the answer of a missing channel", "[api][send][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "carol"});
  app.add_channel("general", {"alice"});
  other.add_users({"alice"});
  auto refused = app.user("carol").post(kMessages, {{"text", "let me in"}});
  auto missing = app.user("carol").post("/v1/channels/messaging/nowhere/messages", {{"text", "let me in"}});
  auto foreign = other.user("alice").post(kMessages, {{"text", "let me in"}});
  for (auto* answer : {&refused, &missing, &foreign}) {
    CHECK(answer->status == 404);
    answer->body.erase("request_id");
  }
  CHECK(refused.body == missing.body);
  CHECK(foreign.body == missing.body);
  CHECK(app.rows("messages") == 0);
  CHECK(app.rows("usage_metrics", "meter = 'messages'") == 0);
}

TEST_CASE("send: a refused one refuses only itself", "[api][send]") {
  TestApp app;
  app.add_users({"alice", "eve"});
  app.add_channel("general", {"alice"});
  std::vector<std::thread> senders;
  std::atomic<int> stored{0}, refused{0};
  for (int i = 0; i < 12; ++i)
    senders.emplace_back([&, actor = app.user(i % 2 ? "alice" : "eve")]() mutable {
      for (int n = 0; n < 5; ++n) (actor.post(kMessages, {{"text", "x"}}).status == 201 ? stored : refused)++;
    });
  for (auto& sender : senders) sender.join();
  CHECK(stored == 30);
  CHECK(refused == 30);
  CHECK(app.rows("messages") == 30);
}

TEST_CASE("send: frozen channels take messages of moderators and servers only", "[api][send]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  REQUIRE(app.user("alice").patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}}).code() == "channel_frozen");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).status == 201);
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "bob"}}).status == 201);
}

TEST_CASE("send: a server names the author, a user can name only itself", "[api][send]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto nobody = app.server().post(kMessages, {{"text", "x"}});
  CHECK(nobody.code() == "invalid_field");
  CHECK(nobody.pointer() == "#/user_id");
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "ghost"}}).code() == "not_found");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}, {"user_id", "bob"}}).code() == "forbidden");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}, {"type", "system"}}).pointer() == "#/type");
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "bob"}, {"type", "system"}}).body["message"]["type"] == "system");
}

TEST_CASE("send: the plan's and the type's lengths are limits", "[api][send][limits]") {
  TestApp app(Json{{"message_bytes", {{"hard", 30}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto alice = app.user("alice");
  CHECK(alice.post(kMessages, {{"text", std::string(30, 'x')}}).status == 201);
  auto refused = alice.post(kMessages, {{"text", std::string(31, 'x')}});
  CHECK(refused.status == 413);
  CHECK(refused.pointer() == "#/text");
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"max_message_bytes", 10}}}}).status == 200);
  CHECK(alice.post(kMessages, {{"text", std::string(11, 'x')}}).status == 413);
  CHECK(app.rows("messages") == 1);
}

TEST_CASE("send: replies count at their parent and stay out of the channel", "[api][send][threads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto parent = app.send("alice", "general", "parent");
  auto quiet = app.send("bob", "general", "in the thread", {{"parent_id", parent["id"]}});
  auto shown = app.send("bob", "general", "also here", {{"parent_id", parent["id"]}, {"show_in_channel", true}});
  CHECK_FALSE(quiet.contains("message_seq"));
  CHECK(shown["message_seq"] == 2);
  auto bob = app.user("bob");
  CHECK(bob.get(kMessages + "/" + parent["id"].get<std::string>()).body["message"]["reply_count"] == 2);
  CHECK(bob.get(kMessages).body["messages"].size() == 2);
  auto replies = bob.get(kMessages + "/" + parent["id"].get<std::string>() + "/replies").body["messages"];
  REQUIRE(replies.size() == 2);
  CHECK(replies[0]["id"] == quiet["id"]);
  auto nested = bob.post(kMessages, {{"text", "x"}, {"parent_id", quiet["id"]}});
  CHECK(nested.code() == "not_found");
  CHECK(nested.pointer() == "#/parent_id");
  CHECK(bob.post(kMessages, {{"text", "x"}, {"quoted_message_id", "msg_01h455vb4pex5vsknk084sn02q"}}).pointer() == "#/quoted_message_id");
}

TEST_CASE("send: a quoted message stands inside the answer of a read", "[api][send]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto quoted = app.send("alice", "general", "the first");
  auto quoting = app.send("alice", "general", "this", {{"quoted_message_id", quoted["id"]}});
  auto read = app.user("alice").get(kMessages + "/" + quoting["id"].get<std::string>()).body["message"];
  CHECK(read["quoted_message"]["text"] == "the first");
}

TEST_CASE("send: mentions keep a row for each mentioned member, nobody else", "[api][send]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto sent = app.send("alice", "general", "@bob @carol", {{"mentions", {"bob", "carol"}}});
  CHECK(sent["mentions"] == Json({"bob", "carol"}));
  CHECK(app.rows("mentions") == 1);
}

TEST_CASE("send: every member hears it once, in order, and nobody else does", "[api][send][ws]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "carol"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  auto carol = app.connect("carol");
  auto backend = app.connect("");
  auto stranger = other.connect("alice");
  std::vector<Json> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(app.send(i % 2 ? "alice" : "bob", "general", std::to_string(i)));
  for (auto* hearing : {&alice, &bob, &backend})
    for (const auto& message : sent) {
      auto event = hear(*hearing, "message.new");
      CHECK(event["data"]["message"] == message);
      CHECK(event["seq"] == message["seq"]);
      CHECK(event["cid"] == "messaging:general");
    }
  CHECK_FALSE(carol.find("message.new", std::chrono::milliseconds(150)));
  CHECK_FALSE(stranger.find("message.new", std::chrono::milliseconds(50)));
  CHECK_FALSE(bob.find("message.new", std::chrono::milliseconds(50)));
}
