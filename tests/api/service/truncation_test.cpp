#include <catch2/catch.hpp>
#include <thread>

#include "platform/base/clock.h"
#include "tests/support/aging.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kTruncate = kChannel + "/truncate";

std::vector<std::string> texts(const Answer& answer) {
  std::vector<std::string> shown;
  for (const auto& message : answer.body["messages"]) shown.push_back(message["text"]);
  return shown;
}

std::vector<std::string> found(Actor actor, const std::string& text) {
  std::vector<std::string> ids;
  const auto answer = actor.post("/v1/search/messages", {{"query", text}});
  for (const auto& hit : answer.body["results"]) ids.push_back(hit["message"]["id"]);
  return ids;
}

std::string path_of(const Json& message) { return kMessages + "/" + message["id"].get<std::string>(); }

void finish() { Service::get().node().run_job("finish_truncations"); }

/// Everything up to resume.done.
std::vector<Json> resume(WsClient& client, const Json& epoch, const Json& seq) {
  client.send({{"type", "resume"}, {"ref", "r1"}, {"channels", {{"messaging:general", {{"epoch", epoch}, {"seq", seq}}}}}});
  std::vector<Json> frames;
  while (true) {
    auto frame = client.next();
    REQUIRE(frame);
    if ((*frame)["type"] == "resume.done") return frames;
    if (frame->contains("seq") || (*frame)["type"] == "resync") frames.push_back(*frame);
  }
}

struct Stage {
  TestApp app;
  Stage() {
    app.add_users({"alice", "bob", "carol"});
    app.add_channel("general", {"alice", "bob"});
  }
};

}  // namespace

TEST_CASE("truncation: a channel is emptied for everybody at once, and numbers go on", "[api][truncation][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto bob = app.connect("bob");
  auto carol = app.connect("carol");
  auto old = app.send("alice", "general", "old");
  auto last = app.send("alice", "general", "older news");
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 2);
  auto truncated = app.user("alice").post(kTruncate);
  REQUIRE(truncated.status == 200);
  CHECK(truncated.body["up_to_message_id"] == last["id"]);
  CHECK(truncated.body["channel"].contains("truncated_at"));
  auto event = hear(bob, "channel.truncated");
  CHECK(event["seq"] == last["seq"].get<int>() + 1);
  CHECK(event["data"]["up_to_message_id"] == last["id"]);
  CHECK(event["data"]["hard"] == false);
  CHECK(event["data"]["user_id"] == "alice");
  CHECK_FALSE(carol.find("channel.truncated", std::chrono::milliseconds(150)));
  eventually("the unread of bob's devices", [&] { return hear(bob, "notification.unread_changed")["data"]["total"] == 0; });

  for (const auto* user : {"alice", "bob"}) CHECK(texts(app.user(user).get(kMessages)).empty());
  CHECK(texts(app.server().get(kMessages)).empty());
  CHECK(app.user("bob").get(path_of(old)).status == 404);
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
  auto next = app.send("alice", "general", "new");
  CHECK(next["seq"] == event["seq"].get<int>() + 1);
  CHECK(next["message_seq"] == last["message_seq"].get<int>() + 1);
  CHECK(texts(app.user("bob").get(kMessages)) == std::vector<std::string>{"new"});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 1);
}

TEST_CASE("truncation: who was away is not told what went, and hears resync for what is removed", "[api][truncation][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto alice = app.connect("alice");           // keeps the channel's last events in memory
  const auto before = app.server().get(kChannel).body["channel"];
  app.send("alice", "general", "secret");
  hear(alice, "message.new");
  CHECK(app.user("alice").post(kTruncate, {{"hard", true}}).status == 200);
  hear(alice, "channel.truncated");
  auto bob = app.connect("bob");
  auto frames = resume(bob, before["epoch"], before["last_seq"]);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0]["data"]["message"]["text"] == "");
  CHECK(frames[1]["type"] == "channel.truncated");
  eventually("the removal", [&] { return finish(), app.rows("truncations") == 0; });
  frames = resume(bob, before["epoch"], 0);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0]["type"] == "resync");
}

TEST_CASE("truncation: a single message that was removed for good is not told again from memory", "[api][truncation][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto alice = app.connect("alice");           // keeps the channel's last events in memory
  const auto before = app.server().get(kChannel).body["channel"];
  const auto secret = app.send("alice", "general", "secret");
  app.send("alice", "general", "harmless");
  for (int i = 0; i < 2; ++i) hear(alice, "message.new");
  REQUIRE(app.user("alice").del(path_of(secret) + "?mode=hard").status == 200);
  hear(alice, "message.deleted");
  auto bob = app.connect("bob");
  const auto frames = resume(bob, before["epoch"], before["last_seq"]);
  CHECK(Json(frames).dump().find("secret") == std::string::npos);
  REQUIRE(frames.size() >= 2);
  CHECK(frames[frames.size() - 2]["data"]["message"]["text"] == "harmless");
  CHECK(frames.back()["data"]["hard"] == true);
}

TEST_CASE("truncation: up to a message, or up to a moment, what came later stays", "[api][truncation]") {
  Stage stage;
  auto& app = stage.app;
  auto first = app.send("alice", "general", "first");
  auto second = app.send("alice", "general", "second");
  app.send("alice", "general", "third");
  CHECK(app.user("alice").post(kTruncate, {{"message_id", second["id"]}}).body["up_to_message_id"] == second["id"]);
  CHECK(texts(app.user("bob").get(kMessages)) == std::vector<std::string>{"third"});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 1);
  const auto moment = format_time(system_clock().now() + std::chrono::milliseconds(5));
  eventually("a later moment", [&] { return format_time(system_clock().now()) > moment; });
  app.send("alice", "general", "fourth");
  CHECK(app.user("alice").post(kTruncate, {{"before", moment}}).status == 200);
  CHECK(texts(app.user("bob").get(kMessages)) == std::vector<std::string>{"fourth"});
  // The point never goes back.
  auto again = app.user("alice").post(kTruncate, {{"message_id", first["id"]}});
  CHECK(again.status == 200);
  CHECK_FALSE(again.body.contains("up_to_message_id"));
  CHECK(texts(app.user("bob").get(kMessages)) == std::vector<std::string>{"fourth"});
}

TEST_CASE("truncation: twice changes nothing, hard after soft removes", "[api][truncation][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto old = app.send("alice", "general", "old");
  auto bob = app.connect("bob");
  app.server().post(kTruncate);
  hear(bob, "channel.truncated");
  const int seq = app.server().get(kChannel).body["channel"]["last_seq"];
  CHECK_FALSE(app.server().post(kTruncate, {{"message", {{"text", "Emptied."}, {"user_id", "alice"}}}}).body.contains("message"));
  CHECK(app.server().get(kChannel).body["channel"]["last_seq"] == seq);
  finish();
  CHECK(app.rows("messages", "text = 'old'") == 1);
  CHECK(app.server().post(kTruncate, {{"message_id", old["id"]}, {"hard", true}}).body["up_to_message_id"] == old["id"]);
  CHECK(hear(bob, "channel.truncated")["data"]["hard"] == true);
  eventually("the removal", [&] { return finish(), app.rows("messages", "text = 'old'") == 0; });
  CHECK_FALSE(app.server().post(kTruncate, {{"hard", true}}).body.contains("up_to_message_id"));
}

TEST_CASE("truncation: the system message stands after it, numbered and counted", "[api][truncation][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto bob = app.connect("bob");
  auto old = app.send("alice", "general", "old");
  auto truncated = app.user("alice").post(kTruncate, {{"message", {{"text", "Alice emptied the channel."}, {"custom", {{"why", "spring"}}}}}});
  REQUIRE(truncated.status == 200);
  const auto& message = truncated.body["message"];
  CHECK(message["type"] == "system");
  CHECK(message["user_id"] == "alice");
  CHECK_FALSE(message.contains("message_seq"));
  CHECK(message["seq"] == old["seq"].get<int>() + 2);
  CHECK(truncated.body["channel"]["last_seq"] == message["seq"]);
  CHECK(hear(bob, "channel.truncated")["seq"] == old["seq"].get<int>() + 1);
  eventually("the system message", [&] { return hear(bob, "message.new")["data"]["message"]["id"] == message["id"]; });
  CHECK(texts(app.user("bob").get(kMessages)) == std::vector<std::string>{"Alice emptied the channel."});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
  CHECK(app.rows("usage_metrics", "meter = 'messages' and value = 1") == 2);   // of a lane, and of a worker
  CHECK(app.send("alice", "general", "new")["seq"] == message["seq"].get<int>() + 1);
}

TEST_CASE("truncation: the system message is within the month's limit, or nothing happens", "[api][truncation][limits]") {
  TestApp app(Json{{"messages", {{"hard", 2}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "one");
  const Json with_message = {{"message", {{"text", "Emptied."}}}};
  // A refused one gives its place back.
  CHECK(app.user("alice").post(kTruncate, {{"message_id", "msg_01m7yzmjq2e60tak362xesvjfr"}, {"message", {{"text", "x"}}}}).status == 404);
  app.send("alice", "general", "two");
  auto refused = app.user("alice").post(kTruncate, with_message);
  CHECK(refused.code() == "quota_exceeded");
  CHECK(texts(app.user("alice").get(kMessages)).size() == 2);
  CHECK(app.user("alice").post(kTruncate).status == 200);
}

TEST_CASE("truncation: hard removes content everywhere, soft keeps the rows", "[api][truncation]") {
  Stage stage;
  auto& app = stage.app;
  auto secret = app.send("alice", "general", "secret words", {{"mentions", {"bob"}}});
  app.user("alice").patch(path_of(secret), {{"set", {{"text", "secret words, edited"}}}});
  app.user("bob").post(path_of(secret) + "/reactions", {{"type", "like"}});
  app.user("bob").post(path_of(secret) + "/bookmark");
  app.user("bob").post(path_of(secret) + "/pin");
  app.send("bob", "general", "a secret reply", {{"parent_id", secret["id"]}});
  eventually("the index", [&] {
    Service::get().node().run_job("index_messages");
    return found(app.user("bob"), "secret").size() == 2;
  }, std::chrono::seconds(30));
  auto later = app.send("alice", "general", "what it said", {{"quoted_message_id", secret["id"]}});
  CHECK(app.user("bob").get("/v1/bookmarks").body["bookmarks"].size() == 1);
  CHECK(app.user("bob").get("/v1/threads").body["threads"].size() == 1);

  auto before = app.user("bob").get(kMessages).body["messages"].back();
  CHECK(before.contains("quoted_message"));
  const Json up_to = {{"before", later["created_at"]}};
  CHECK(app.user("alice").post(kTruncate, up_to).status == 200);
  for (const auto* user : {"alice", "bob"}) {
    CHECK(found(app.user(user), "secret").empty());
    CHECK_FALSE(app.user(user).get(kMessages).body["messages"].back().contains("quoted_message"));
    CHECK(app.user(user).get(kChannel + "/pinned").body["messages"].empty());
  }
  CHECK(found(app.server(), "secret").empty());
  CHECK(app.user("bob").get("/v1/bookmarks").body["bookmarks"].empty());
  CHECK(app.user("bob").get("/v1/threads").body["threads"].empty());
  CHECK(app.user("bob").get("/v1/unread").body["mentions"] == 0);
  // Nothing is done to what is gone.
  CHECK(app.user("alice").patch(path_of(secret), {{"set", {{"text", "back"}}}}).status == 404);
  CHECK(app.user("bob").post(path_of(secret) + "/reactions", {{"type", "wow"}}).status == 404);
  CHECK(app.user("alice").del(path_of(secret)).status == 404);
  CHECK(app.user("bob").post(kChannel + "/read", {{"message_id", secret["id"]}}).status == 404);
  CHECK(app.user("bob").post("/v1/read", {{"channels", {{{"cid", "messaging:general"}, {"message_id", secret["id"]}}}}})
            .body["results"][0]["status"] == "refused");
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}, {"parent_id", secret["id"]}}).status == 404);
  finish();
  CHECK(app.rows("messages", "text like '%secret%'") == 2);
  CHECK(app.rows("message_edits") == 1);

  CHECK(app.user("alice").post(kTruncate, {{"before", later["created_at"]}, {"hard", true}}).status == 200);
  eventually("the removal", [&] { return finish(), app.rows("truncations") == 0; });
  CHECK(app.rows("messages", "text like '%secret%'") == 0);
  CHECK(app.rows("messages", "text = 'what it said'") == 1);
  for (const auto* table : {"message_edits", "message_reactions", "bookmarks", "mentions", "thread_members"}) {
    INFO(table);
    CHECK(app.rows(table) == 0);
  }
  CHECK(app.rows("messages", "pinned_at is not null") == 0);
  CHECK(app.rows("search_index", "words @@ 'secret'") == 0);
  CHECK(app.rows("channel_events", "type like 'reaction.%'") == 0);
}

TEST_CASE("truncation: rows that no nonce can name any more go, and the numbers stay", "[api][truncation]") {
  Stage stage;
  auto& app = stage.app;
  app.send("alice", "general", "one");
  auto two = app.send("alice", "general", "two");
  age(app, 15);
  app.send("alice", "general", "three");
  CHECK(app.user("alice").post(kTruncate, {{"hard", true}}).status == 200);
  eventually("the removal", [&] { return finish(), app.rows("truncations") == 0; });
  CHECK(app.rows("messages") == 1);            // what was sent today, without its content
  CHECK(app.rows("messages", "erased and text = ''") == 1);
  auto next = app.send("bob", "general", "four");
  CHECK(next["message_seq"] == 4);
  CHECK(texts(app.user("alice").get(kMessages)) == std::vector<std::string>{"four"});
  CHECK(app.user("alice").get("/v1/unread").body["total"] == 1);
  CHECK(app.user("alice").post(kChannel + "/read", {{"message_id", next["id"]}}).body["unread"] == 0);
  CHECK(app.user("alice").post(kChannel + "/unread", {{"message_id", next["id"]}}).body["unread"] == 1);
}

TEST_CASE("truncation: takes a right, and the channel", "[api][truncation][tenancy]") {
  Stage stage;
  auto& app = stage.app;
  app.send("alice", "general", "kept");
  CHECK(app.user("bob").post(kTruncate).code() == "forbidden");
  CHECK(app.user("carol").post(kTruncate).status == 404);
  CHECK(app.server().post(kTruncate, {{"user_id", "bob"}}).code() == "forbidden");
  TestApp other;
  CHECK(other.server().post(kTruncate).status == 404);
  CHECK(app.user("alice").post(kTruncate, {{"message_id", "x"}}).pointer() == "#/message_id");
  CHECK(app.user("alice").post(kTruncate, {{"message_id", "msg_01m7yzmjq2e60tak362xesvjfr"}}).status == 404);
  CHECK(app.server().post(kTruncate, {{"message", {{"text", "x"}}}}).pointer() == "#/message/user_id");
  CHECK(app.server().post(kTruncate, {{"message", {{"text", "x"}, {"user_id", "nobody"}}}}).pointer() == "#/message/user_id");
  CHECK(app.user("alice").post(kTruncate, {{"message", {{"text", "x"}, {"user_id", "bob"}}}}).pointer() == "#/message/user_id");
  CHECK(texts(app.user("alice").get(kMessages)).size() == 1);
  CHECK(app.rows("truncations") == 0);
  CHECK(app.rows("channel_events", "type = 'channel.truncated'") == 0);
  auto own = app.user("alice").get(kChannel).body["own_capabilities"];
  CHECK(std::find(own.begin(), own.end(), "chat:channel:truncate") != own.end());
}

TEST_CASE("truncation: of two at once one is told", "[api][truncation]") {
  Stage stage;
  auto& app = stage.app;
  app.send("alice", "general", "old");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { CHECK(app.user("alice").post(kTruncate).status == 200); });
  for (auto& thread : threads) thread.join();
  CHECK(app.rows("channel_events", "type = 'channel.truncated'") == 1);
  CHECK(texts(app.user("alice").get(kMessages)).empty());
}
