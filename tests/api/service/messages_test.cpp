#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string path_of(const Json& message, const std::string& more = "") { return kMessages + "/" + message["id"].get<std::string>() + more; }

std::vector<std::string> texts(const Answer& answer) {
  std::vector<std::string> out;
  for (const auto& message : answer.body["messages"]) out.push_back(message["text"]);
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("messages: history goes both ways and around a message", "[api][messages]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  std::vector<Json> sent;
  for (int i = 0; i < 7; ++i) sent.push_back(app.send("alice", "general", std::to_string(i)));
  auto alice = app.user("alice");
  auto id = [&](std::size_t i) { return sent[i]["id"].get<std::string>(); };
  auto newest = alice.get(kMessages + "?limit=3");
  CHECK(texts(newest) == Texts{"4", "5", "6"});
  CHECK(newest.body["has_older"] == true);
  CHECK(newest.body["has_newer"] == false);
  CHECK(texts(alice.get(kMessages + "?limit=3&before=" + id(4))) == Texts{"1", "2", "3"});
  auto oldest = alice.get(kMessages + "?limit=3&before=" + id(2));
  CHECK(texts(oldest) == Texts{"0", "1"});
  CHECK(oldest.body["has_older"] == false);
  CHECK(texts(alice.get(kMessages + "?limit=3&after=" + id(4))) == Texts{"5", "6"});
  auto around = alice.get(kMessages + "?limit=5&around=" + id(3));
  CHECK(texts(around) == Texts{"1", "2", "3", "4", "5"});
  CHECK(around.body["has_older"] == true);
  CHECK(around.body["has_newer"] == true);
  CHECK(alice.get(kMessages + "?before=" + id(1) + "&after=" + id(2)).pointer() == "query:before");
  CHECK(alice.get(kMessages + "?around=msg_01h455vb4pex5vsknk084sn02q").code() == "not_found");
  CHECK(alice.get(kMessages + "?before=nonsense").pointer() == "query:before");
  CHECK(alice.get(kMessages + "?limit=101").pointer() == "query:limit");
  CHECK(alice.get(kMessages + "?colour=red").code() == "unknown_field");
}

TEST_CASE("messages: an empty channel has an empty history", "[api][messages]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  CHECK(app.user("alice").get(kMessages).body == Json({{"messages", Json::array()}, {"has_older", false}, {"has_newer", false}}));
}

TEST_CASE("messages: the author edits, an admin may, another member may not", "[api][messages]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  auto message = app.send("bob", "general", "first", {{"custom", {{"a", 1}}}});
  auto edited = app.user("bob").patch(path_of(message), {{"set", {{"text", "second"}}}, {"unset", {"custom"}}});
  CHECK(edited.status == 200);
  CHECK(edited.body["message"]["text"] == "second");
  CHECK(edited.body["message"]["custom"] == Json::object());
  CHECK(edited.body["message"].contains("updated_at"));
  CHECK(app.user("carol").patch(path_of(message), {{"set", {{"text", "mine"}}}}).code() == "forbidden");
  CHECK(app.user("alice").patch(path_of(message), {{"set", {{"text", "by the owner"}}}}).status == 200);
  CHECK(app.user("bob").patch(path_of(message), {{"unset", {"seq"}}}).pointer() == "#/unset/0");
  CHECK(app.user("bob").get(path_of(message)).body["message"]["text"] == "by the owner");
}

TEST_CASE("messages: another application's message is a missing one", "[api][messages][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice"});
  other.add_channel("general", {"alice"});
  auto message = app.send("alice", "general", "secret");
  auto thief = other.user("alice");
  CHECK(thief.get(path_of(message)).code() == "not_found");
  CHECK(thief.patch(path_of(message), {{"set", {{"text", "x"}}}}).code() == "not_found");
  CHECK(thief.del(path_of(message) + "?mode=hard").code() == "not_found");
  CHECK(other.server().get(path_of(message)).code() == "not_found");
  CHECK(thief.post(kMessages, {{"text", "x"}, {"parent_id", message["id"]}}).pointer() == "#/parent_id");
  CHECK(thief.post(kMessages, {{"text", "x"}, {"quoted_message_id", message["id"]}}).pointer() == "#/quoted_message_id");
  CHECK(app.user("alice").get(path_of(message)).body["message"]["text"] == "secret");
}

TEST_CASE("messages: a soft deletion hides the content and keeps the place", "[api][messages]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  auto message = app.send("bob", "general", "oops", {{"custom", {{"a", 1}}}});
  CHECK(app.user("carol").del(path_of(message)).code() == "forbidden");
  auto deleted = app.user("bob").del(path_of(message));
  CHECK(deleted.body["message"]["text"] == "");
  CHECK(deleted.body["message"]["custom"] == Json::object());
  CHECK(deleted.body["message"].contains("deleted_at"));
  auto again = app.user("bob").del(path_of(message));
  CHECK(again.status == 200);
  CHECK(app.rows("channel_events", "type = 'message.deleted'") == 1);
  CHECK(app.user("bob").patch(path_of(message), {{"set", {{"text", "back"}}}}).code() == "not_found");
  CHECK(app.user("carol").get(kMessages).body["messages"].size() == 1);
  CHECK(app.rows("messages", "text = 'oops'") == 1);
}

TEST_CASE("messages: a hard deletion leaves nothing of the content anywhere", "[api][messages]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto message = app.send("alice", "general", "gone @bob", {{"mentions", {"bob"}}, {"custom", {{"a", 1}}}});
  REQUIRE(app.user("alice").patch(path_of(message), {{"set", {{"text", "gone too"}}}}).status == 200);
  auto deleted = app.user("alice").del(path_of(message) + "?mode=hard");
  CHECK(deleted.status == 200);
  CHECK_FALSE(deleted.body["message"].contains("user_id"));
  CHECK(app.user("bob").get(path_of(message)).code() == "not_found");
  CHECK(app.user("bob").get(kMessages).body["messages"].empty());
  CHECK(app.rows("messages", "text = '' and custom is null and mentions is null and attachments is null and erased") == 1);
  CHECK(app.rows("mentions") == 0);
  CHECK(app.rows("channel_events", "data::text like '%gone%'") == 0);
}

TEST_CASE("messages: edits and deletions reach the members, numbered", "[api][messages][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  auto message = app.send("alice", "general", "one");
  hear(bob, "message.new");
  app.user("alice").patch(path_of(message), {{"set", {{"text", "two"}}}});
  auto updated = hear(bob, "message.updated");
  CHECK(updated["seq"] == 3);
  CHECK(updated["data"]["message"]["text"] == "two");
  app.user("alice").del(path_of(message));
  auto deleted = hear(bob, "message.deleted");
  CHECK(deleted["seq"] == 4);
  CHECK(deleted["data"]["hard"] == false);
  app.user("bob").del(path_of(message));
  CHECK_FALSE(bob.find("message.deleted", std::chrono::milliseconds(150)));
}

TEST_CASE("messages: replies page both ways", "[api][messages][threads]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto parent = app.send("alice", "general", "parent");
  std::vector<Json> replies;
  for (int i = 0; i < 5; ++i) replies.push_back(app.send("alice", "general", std::to_string(i), {{"parent_id", parent["id"]}}));
  auto alice = app.user("alice");
  CHECK(texts(alice.get(path_of(parent, "/replies?limit=2"))) == Texts{"3", "4"});
  CHECK(texts(alice.get(path_of(parent, "/replies?limit=2&before=" + replies[3]["id"].get<std::string>()))) == Texts{"1", "2"});
  CHECK(texts(alice.get(path_of(parent, "/replies?after=" + replies[1]["id"].get<std::string>()))) == Texts{"2", "3", "4"});
  alice.del(path_of(replies[0]));
  CHECK(alice.get(path_of(parent)).body["message"]["reply_count"] == 4);
}
