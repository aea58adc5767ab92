#include <catch2/catch.hpp>

#include "platform/base/clock.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kBans = kChannel + "/bans";

std::string in(std::chrono::seconds time) { return format_time(system_clock().now() + time); }

std::vector<std::string> texts(Actor actor, const std::string& query = "") {
  std::vector<std::string> out;
  const auto answer = actor.get(kMessages + query);
  for (const auto& message : answer.body["messages"]) out.push_back(message["text"]);
  return out;
}

std::int64_t unread(TestApp& app, const std::string& user) {
  return app.user(user).get(kChannel).body["membership"]["unread"];
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("bans: who is banned neither reads nor writes, until it is lifted", "[api][bans]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.user("alice"), bob = app.user("bob");
  app.send("alice", "general", "secret");
  auto banned = alice.put(kBans + "/bob", {{"reason", "Advertising"}});
  CHECK(banned.body["ban"]["banned_by"] == "alice");
  CHECK(banned.body["ban"]["shadow"] == false);
  CHECK(bob.post(kMessages, {{"text", "x"}}).code() == "forbidden");
  CHECK(bob.get(kMessages).code() == "forbidden");
  CHECK(bob.get(kChannel).code() == "forbidden");
  CHECK(bob.post("/v1/channels/query").body["channels"].empty());
  CHECK(bob.post("/v1/search/messages", {{"query", "secret"}}).body["results"].empty());
  CHECK(app.rows("messages") == 1);
  CHECK(app.server().post(kMessages, {{"text", "from the backend"}, {"user_id", "bob"}}).status == 201);
  CHECK(alice.get(kChannel).body["channel"]["member_count"] == 2);
  CHECK(alice.get(kBans).body["bans"][0]["reason"] == "Advertising");
  CHECK(alice.put(kBans + "/bob", {{"reason", "Again"}}).status == 200);
  CHECK(alice.get(kBans).body["bans"].size() == 1);
  CHECK(alice.del(kBans + "/bob").status == 204);
  CHECK(alice.del(kBans + "/bob").code() == "not_found");
  CHECK(bob.post(kMessages, {{"text", "back"}}).status == 201);
  CHECK(app.rows("channels", "has_bans") == 0);
}

TEST_CASE("bans: the channel hears of one, the banned user for the last time", "[api][bans][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice"), bob = app.connect("bob"), carol = app.connect("carol");
  app.send("alice", "general", "before");
  hear(bob, "message.new");
  app.user("alice").put(kBans + "/bob", Json::object());
  CHECK(hear(alice, "member.banned")["data"]["ban"]["user_id"] == "bob");
  CHECK(hear(bob, "member.banned").contains("seq"));
  app.send("alice", "general", "meanwhile");
  CHECK_FALSE(bob.find("message.new", std::chrono::milliseconds(200)));
  app.user("alice").del(kBans + "/bob");
  CHECK(hear(bob, "member.unbanned")["data"]["user_id"] == "bob");
  app.send("alice", "general", "after");
  CHECK(hear(bob, "message.new")["data"]["message"]["text"] == "after");
  CHECK_FALSE(carol.find("member.banned", std::chrono::milliseconds(10)));
}

TEST_CASE("bans: one ends by the clock, and the job lets the user hear again", "[api][bans][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  app.user("alice").put(kBans + "/bob", {{"expires_at", in(std::chrono::hours(1))}});
  hear(bob, "member.banned");
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}}).code() == "forbidden");
  app.user("alice").put(kBans + "/bob", {{"expires_at", in(std::chrono::seconds(1))}});
  eventually("the ban's end", [&] { return app.user("bob").post(kMessages, {{"text", "x"}}).status == 201; });
  CHECK(app.user("alice").get(kBans).body["bans"].empty());
  Service::get().node().run_job("lift_expired_bans");
  CHECK(hear(bob, "member.unbanned")["data"]["user_id"] == "bob");
  CHECK(app.rows("channel_bans") == 0);
  app.send("alice", "general", "after");
  const auto next = [&] { return hear(bob, "message.new")["data"]["message"]["text"].get<std::string>(); };
  auto heard = next();
  if (heard == "x") heard = next();                   // the job may have run by itself just before
  CHECK(heard == "after");
}

TEST_CASE("bans: a shadow-banned user's messages are seen by itself and moderators alone", "[api][bans]") {
  TestApp app;
  app.add_users({"alice", "bob", "mallory"});
  app.add_channel("general", {"alice", "bob", "mallory"});
  auto alice = app.user("alice"), bob = app.user("bob"), mallory = app.user("mallory");
  app.send("alice", "general", "one");
  REQUIRE(alice.put(kBans + "/mallory", {{"shadow", true}}).status == 200);
  const auto before = alice.get(kChannel).body["channel"];
  auto sent = mallory.post(kMessages, {{"text", "buy"}, {"nonce", "n1"}});
  REQUIRE(sent.status == 201);
  CHECK(mallory.post(kMessages, {{"text", "buy"}, {"nonce", "n1"}}).status == 200);
  const auto shadowed = sent.body["message"]["id"].get<std::string>();
  const auto after = alice.get(kChannel).body["channel"];
  CHECK(after["last_seq"] == before["last_seq"]);
  CHECK(after["last_message_at"] == before["last_message_at"]);
  app.send("alice", "general", "two");
  CHECK(texts(mallory) == Texts{"one", "buy", "two"});
  CHECK(texts(alice) == Texts{"one", "buy", "two"});
  CHECK(texts(app.server()) == Texts{"one", "buy", "two"});
  CHECK(texts(bob) == Texts{"one", "two"});
  CHECK(texts(bob, "?limit=1&before=" + shadowed) == Texts{"one"});
  CHECK(texts(bob, "?after=" + shadowed) == Texts{"two"});
  CHECK(bob.get(kMessages + "/" + shadowed).code() == "not_found");
  CHECK(bob.get(kMessages + "?around=" + shadowed).code() == "not_found");
  CHECK(bob.post(kMessages, {{"text", "?"}, {"quoted_message_id", shadowed}}).pointer() == "#/quoted_message_id");
  CHECK(bob.patch(kMessages + "/" + shadowed, {{"set", {{"text", "x"}}}}).code() == "not_found");
  CHECK(unread(app, "bob") == 2);
  CHECK(unread(app, "alice") == 0);
  CHECK(mallory.post(kMessages, {{"text", "re"}, {"parent_id", shadowed}}).status == 201);
  CHECK(mallory.patch(kMessages + "/" + shadowed, {{"set", {{"text", "sell"}}}}).status == 200);
  CHECK(mallory.del(kMessages + "/" + shadowed).status == 200);
  CHECK(app.rows("channel_events", "message_id is not null") == 0);
  REQUIRE(alice.del(kBans + "/mallory").status == 204);
  app.send("mallory", "general", "honest");
  CHECK(texts(bob) == Texts{"one", "two", "honest"});
}

TEST_CASE("bans: what is said in the shadow is told to its author's devices and nobody else, also after a resume", "[api][bans][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "mallory"});
  app.add_channel("general", {"alice", "bob", "mallory"});
  app.user("alice").put(kBans + "/mallory", {{"shadow", true}});
  auto bob = app.connect("bob"), device = app.connect("mallory");
  auto first = app.send("alice", "general", "one");
  hear(bob, "message.new");
  hear(device, "message.new");
  app.send("mallory", "general", "buy");
  auto own = hear(device, "message.new");
  CHECK(own["data"]["message"]["text"] == "buy");
  CHECK_FALSE(own.contains("seq"));
  app.send("alice", "general", "two");
  CHECK(hear(bob, "message.new")["data"]["message"]["text"] == "two");
  CHECK_FALSE(bob.find("member.banned", std::chrono::milliseconds(100)));
  auto late = app.connect("bob");
  const auto epoch = app.user("bob").get(kChannel).body["channel"]["epoch"];
  late.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", epoch}, {"seq", first["seq"]}}}}}});
  CHECK(hear(late, "message.new")["data"]["message"]["text"] == "two");
}

TEST_CASE("bans: from the application, tokens and sockets are refused, in the shadow all channels are shadowed", "[api][bans][ws]") {
  TestApp app;
  app.add_users({"alice", "mallory"});
  app.add_channel("general", {"alice", "mallory"});
  auto server = app.server();
  auto socket = app.connect("mallory");
  REQUIRE(server.put("/v1/bans/mallory", {{"expires_at", in(std::chrono::hours(1))}}).status == 200);
  CHECK(socket.wait_closed(std::chrono::milliseconds(1000)) == 4508);
  CHECK(app.user("mallory").get("/v1/users/mallory").code() == "forbidden");
  CHECK(app.user("mallory").post(kMessages, {{"text", "x"}}).code() == "forbidden");
  CHECK(server.get("/v1/bans").body["bans"][0]["user_id"] == "mallory");
  REQUIRE(server.put("/v1/bans/mallory", {{"expires_at", in(std::chrono::seconds(1))}}).status == 200);
  eventually("the ban's end", [&] { return app.user("mallory").post(kMessages, {{"text", "back"}}).status == 201; });
  Service::get().node().run_job("lift_expired_bans");
  CHECK(app.rows("application_bans") == 0);
  REQUIRE(server.put("/v1/bans/mallory", {{"shadow", true}}).status == 200);
  CHECK(app.user("mallory").post(kMessages, {{"text", "buy"}}).status == 201);
  CHECK(texts(app.user("alice")) == Texts{"back", "buy"});
  CHECK(unread(app, "alice") == 1);
  CHECK(server.del("/v1/bans/mallory").status == 204);
  CHECK(server.del("/v1/bans/mallory").code() == "not_found");
  CHECK(app.rows("users", "banned") == 0);
}

TEST_CASE("bans: a shadow ban of a channel ends by its time; what was said in the shadow stays there", "[api][bans]") {
  TestApp app;
  app.add_users({"alice", "bob", "mallory"});
  app.add_channel("general", {"alice", "bob", "mallory"});
  auto mallory = app.user("mallory");
  REQUIRE(app.user("alice").put(kBans + "/mallory", {{"shadow", true}, {"expires_at", in(std::chrono::hours(1))}}).status == 200);
  REQUIRE(mallory.post(kMessages, {{"text", "buy"}}).status == 201);
  CHECK(texts(app.user("bob")).empty());
  REQUIRE(app.user("alice").put(kBans + "/mallory", {{"shadow", true}, {"expires_at", in(std::chrono::seconds(1))}}).status == 200);
  int sent = 0;
  eventually("what it says is seen again", [&] {
    mallory.post(kMessages, {{"text", "sorry"}});
    ++sent;
    return !texts(app.user("bob")).empty();
  });
  const auto seen = texts(app.user("bob"));
  CHECK(seen == Texts{"sorry"});
  CHECK(unread(app, "bob") == 1);
  CHECK(app.rows("messages") == sent + 1);
  Service::get().node().run_job("lift_expired_bans");
  eventually("the ban is gone", [&] { return app.rows("channel_bans") == 0; });
  CHECK(texts(app.user("bob")) == seen);
}

TEST_CASE("bans: a shadow ban from the application ends by its time, in every channel", "[api][bans]") {
  TestApp app;
  app.add_users({"alice", "mallory"});
  for (const char* channel : {"general", "second"}) app.add_channel(channel, {"alice", "mallory"});
  auto mallory = app.user("mallory");
  REQUIRE(app.server().put("/v1/bans/mallory", {{"shadow", true}, {"expires_at", in(std::chrono::hours(1))}}).status == 200);
  for (const char* channel : {"general", "second"}) {
    REQUIRE(mallory.post(std::string("/v1/channels/messaging/") + channel + "/messages", {{"text", "buy"}}).status == 201);
    CHECK(app.user("alice").get(std::string("/v1/channels/messaging/") + channel).body["membership"]["unread"] == 0);
  }
  REQUIRE(app.server().put("/v1/bans/mallory", {{"shadow", true}, {"expires_at", in(std::chrono::seconds(1))}}).status == 200);
  for (const char* channel : {"general", "second"}) {
    INFO(channel);
    eventually("what it says counts again", [&] {
      mallory.post(std::string("/v1/channels/messaging/") + channel + "/messages", {{"text", "sorry"}});
      return app.user("alice").get(std::string("/v1/channels/messaging/") + channel).body["membership"]["unread"] == 1;
    });
  }
  Service::get().node().run_job("lift_expired_bans");
  eventually("the ban is gone", [&] { return app.rows("application_bans") == 0; });
  CHECK(app.rows("users", "banned") == 0);
}

TEST_CASE("bans: only moderators ban, nobody above itself, nobody elsewhere", "[api][bans][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "mod", "carol"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice", "bob"});
  app.user("alice").post(kChannel + "/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}});
  CHECK(app.user("bob").put(kBans + "/carol", Json::object()).code() == "forbidden");
  CHECK(app.user("bob").get(kBans).code() == "forbidden");
  CHECK(app.user("mod").put(kBans + "/alice", Json::object()).code() == "forbidden");
  CHECK(app.user("mod").put(kBans + "/mod", Json::object()).code() == "forbidden");
  CHECK(app.user("mod").put(kBans + "/ghost", Json::object()).code() == "not_found");
  CHECK(app.user("mod").put(kBans + "/bob", {{"expires_at", "2020-01-01T00:00:00Z"}}).pointer() == "#/expires_at");
  CHECK(other.server().put(kBans + "/bob", Json::object()).code() == "not_found");
  CHECK(other.server().put("/v1/bans/bob", Json::object()).code() == "not_found");
  CHECK(app.user("alice").put("/v1/bans/bob", Json::object()).code() == "forbidden");
  CHECK(app.user("alice").get("/v1/bans").code() == "forbidden");
  CHECK(app.rows("channel_bans") == 0);
  for (const auto* user : {"bob", "carol"}) CHECK(app.user("mod").put(kBans + "/" + user, Json::object()).status == 200);
  auto page = app.user("mod").get(kBans + "?limit=1").body;
  REQUIRE(page["bans"].size() == 1);
  auto rest = app.user("mod").get(kBans + "?limit=1&next=" + page["next"].get<std::string>()).body;
  CHECK(rest["bans"].size() == 1);
  CHECK_FALSE(rest.contains("next"));
}
