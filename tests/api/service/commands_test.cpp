#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    REQUIRE(define("giphy").status == 201);
    REQUIRE(define("secret", {{"visible", false}}).status == 201);
    allow({"giphy", "secret", "undefined"});
  }
  Answer define(const std::string& name, Json more = Json::object()) {
    if (!more.contains("description")) more["description"] = "Does something";
    return server().put("/v1/commands/" + name, more);
  }
  void allow(const Json& names) {
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", names}}}}).status == 200);
  }
  Answer say(const std::string& who, const std::string& text, Json more = Json::object()) {
    more["text"] = text;
    return user(who).post(kMessages, more);
  }
};

}  // namespace

TEST_CASE("commands: a visible one is sent with its words, and the backend hears of it once", "[api][commands][ws]") {
  Room room;
  auto backend = room.connect(""), bob = room.connect("bob");
  auto answer = room.say("alice", "/giphy  two cats ", {{"nonce", "n1"}});
  REQUIRE(answer.status == 201);
  CHECK(answer.body["message"]["text"] == "/giphy  two cats ");
  CHECK(answer.body["message"]["command"] == Json({{"name", "giphy"}, {"args", "two cats"}}));
  CHECK(hear(bob, "message.new")["data"]["message"]["command"]["name"] == "giphy");
  auto heard = hear(backend, "command.invoked");
  CHECK(heard["cid"] == "messaging:general");
  CHECK(heard["data"]["command"]["args"] == "two cats");
  CHECK(heard["data"]["user_id"] == "alice");
  CHECK(heard["data"]["message"]["id"] == answer.body["message"]["id"]);
  CHECK(room.say("alice", "/giphy  two cats ", {{"nonce", "n1"}}).status == 200);
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(150)));
  CHECK_FALSE(bob.find("command.invoked", std::chrono::milliseconds(50)));
  CHECK(room.user("bob").get(kMessages).body["messages"][0]["command"]["args"] == "two cats");
}

TEST_CASE("commands: of one that is not visible only the backend hears, a repeat with the same event id", "[api][commands][ws]") {
  Room room;
  auto backend = room.connect(""), bob = room.connect("bob");
  auto answer = room.say("alice", "/secret", {{"nonce", "n1"}});
  CHECK(answer.status == 202);
  CHECK(answer.body["command"] == Json({{"name", "secret"}, {"args", ""}}));
  auto heard = hear(backend, "command.invoked");
  CHECK_FALSE(heard["data"].contains("message"));
  CHECK(room.say("alice", "/secret", {{"nonce", "n1"}}).status == 202);
  CHECK(hear(backend, "command.invoked")["id"] == heard["id"]);
  CHECK(room.say("alice", "/secret").status == 202);
  CHECK(hear(backend, "command.invoked")["id"] != heard["id"]);
  CHECK_FALSE(bob.find("message.new", std::chrono::milliseconds(150)));
  CHECK(room.rows("messages") == 0);
  CHECK(room.rows("message_nonces") == 1);
  CHECK(room.say("alice", "/secret of mine", {{"nonce", "n1"}}).code() == "idempotency_mismatch");
}

TEST_CASE("commands: what is none is ordinary text, and two slashes say so", "[api][commands][ws]") {
  Room room;
  auto backend = room.connect("");
  for (const char* text : {"/unknown x", "/undefined x", "/", "//", "/Giphy x", "/giphy/x", "// giphy", "a /giphy", "//unknown x"}) {
    auto answer = room.say("alice", text);
    REQUIRE(answer.status == 201);
    CHECK(answer.body["message"]["text"] == text);
    CHECK_FALSE(answer.body["message"].contains("command"));
  }
  auto escaped = room.say("alice", "//giphy x");
  CHECK(escaped.body["message"]["text"] == "/giphy x");
  CHECK_FALSE(escaped.body["message"].contains("command"));
  CHECK(room.say("alice", "//secret").body["message"]["text"] == "/secret");
  room.allow({"secret"});
  CHECK_FALSE(room.say("alice", "/giphy x").body["message"].contains("command"));
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(150)));
}

TEST_CASE("commands: who may not send may not invoke", "[api][commands][permissions][ws]") {
  Room room;
  room.add_users({"mallory"});
  auto backend = room.connect("");
  CHECK(room.say("mallory", "/secret").code() == "not_found");
  CHECK(room.say("mallory", "/giphy x").code() == "not_found");
  REQUIRE(room.server().patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(room.say("bob", "/secret").code() == "channel_frozen");
  CHECK(room.say("bob", "/giphy").code() == "channel_frozen");
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(150)));
  CHECK(room.server().post(kMessages, {{"text", "/secret"}, {"user_id", "bob"}}).status == 202);
  hear(backend, "command.invoked");
}

TEST_CASE("commands: defined, changed, listed and deleted by the backend", "[api][commands][permissions][limits][tenancy]") {
  Room room;
  TestApp other;
  auto changed = room.define("giphy", {{"description", "Posts a picture"}, {"args", "[what]"}, {"visible", false}});
  CHECK(changed.status == 200);
  CHECK(changed.body["command"]["visible"] == false);
  auto list = room.user("alice").get("/v1/commands").body["commands"];
  REQUIRE(list.size() == 2);
  CHECK(list[0]["args"] == "[what]");
  CHECK(list[1]["name"] == "secret");
  CHECK(other.server().get("/v1/commands").body["commands"].empty());
  CHECK(other.server().del("/v1/commands/giphy").code() == "not_found");
  CHECK(room.user("alice").put("/v1/commands/x", {{"description", "x"}}).code() == "forbidden");
  CHECK(room.define("Big").pointer() == "path:name");
  CHECK(room.define("1st").pointer() == "path:name");
  CHECK(room.define("x", {{"description", ""}}).pointer() == "#/description");
  CHECK(room.define("x", {{"args", std::string(256, 'x')}}).pointer() == "#/args");
  CHECK(room.server().del("/v1/commands/giphy").status == 204);
  CHECK(room.server().del("/v1/commands/giphy").code() == "not_found");
  CHECK_FALSE(room.say("alice", "/giphy x").body["message"].contains("command"));
  for (int i = 0; i < 98; ++i) REQUIRE(room.define("c" + std::to_string(i)).status == 201);
  std::vector<Answer> answers(2);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2; ++i)
    threads.emplace_back([&, i] { answers[i] = room.server().put("/v1/commands/last" + std::to_string(i), {{"description", "x"}}); });
  for (auto& thread : threads) thread.join();
  CHECK(room.rows("commands") == 100);
  CHECK((answers[0].code() == "limit_reached") != (answers[1].code() == "limit_reached"));
}

TEST_CASE("commands: /ban, /unban, /mute and /unmute do what they say, with the rights of who says it", "[api][commands][bans][permissions][ws]") {
  Room room;
  room.add_users({"carol"});
  REQUIRE(room.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"carol"}}}).status == 200);
  CHECK(room.say("alice", "/ban @bob").body.contains("message"));       // no command until the type names it
  room.allow({"ban", "unban", "mute", "unmute"});
  auto backend = room.connect(""), carol = room.connect("carol");
  CHECK(room.say("bob", "/ban @carol").code() == "forbidden");
  CHECK(room.say("alice", "/ban").pointer() == "#/text");
  CHECK(room.say("alice", "/ban @nobody").code() == "not_found");
  CHECK(room.rows("channel_bans") == 0);
  const auto banned = room.say("alice", "/ban @bob  spams ");
  CHECK(banned.status == 202);
  CHECK(banned.body["command"] == Json({{"name", "ban"}, {"args", "@bob  spams"}}));
  CHECK(hear(carol, "member.banned")["data"]["ban"]["reason"] == "spams");
  CHECK(room.say("bob", "am I?").code() == "forbidden");
  CHECK(room.say("alice", "/unban bob").status == 202);
  CHECK(room.say("bob", "back").status == 201);
  CHECK(room.say("alice", "/unban bob").code() == "not_found");
  CHECK(room.say("bob", "/mute @carol").status == 202);
  CHECK(room.user("bob").get("/v1/users/bob/mutes").body["mutes"][0]["target_id"] == "carol");
  CHECK(room.say("bob", "/unmute @carol").status == 202);
  CHECK(room.user("bob").get("/v1/users/bob/mutes").body["mutes"].empty());
  CHECK(room.rows("messages", "text like '/%'") == 1);                    // what was text, no more
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(150)));
  REQUIRE(room.define("ban", {{"visible", true}}).status == 201);         // the application's own takes its place
  CHECK(room.say("alice", "/ban @bob").body["message"]["command"]["name"] == "ban");
  CHECK(room.rows("channel_bans") == 0);
}
