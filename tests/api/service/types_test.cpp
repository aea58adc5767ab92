#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

#include "platform/storage/migrator.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kType = "/v1/channel_types/messaging";

Json grants(TestApp& app, const Json& given) {
  auto answer = app.server().patch(kType, {{"settings", {{"grants", given}}}});
  REQUIRE(answer.status == 200);
  return answer.body["channel_type"]["settings"]["grants"];
}

bool has(const Json& words, const std::string& word) { return std::count(words.begin(), words.end(), word) > 0; }

}  // namespace

TEST_CASE("types: what a role may do is the type's, also for the send", "[api][types]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.user("bob");
  auto first = app.send("bob", "general", "x");
  auto shown = grants(app, {{"member", {"chat:channel:read", "chat:message:reply", "chat:channel:update"}}});
  CHECK(shown["member"].size() == 3);
  CHECK(has(shown["owner"], "chat:message:send"));
  CHECK(bob.post(kMessages, {{"text", "x"}}).code() == "forbidden");
  CHECK(bob.post(kMessages, {{"text", "x"}, {"parent_id", first["id"]}}).status == 201);
  CHECK(bob.patch(kChannel, {{"set", {{"name", "Bob's"}}}}).status == 200);
  CHECK_FALSE(has(bob.get(kChannel).body["own_capabilities"], "chat:message:send"));
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).status == 201);
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "bob"}}).status == 201);
  grants(app, {{"member", nullptr}});
  CHECK(bob.post(kMessages, {{"text", "x"}}).status == 201);
  CHECK(bob.patch(kChannel, {{"set", {{"name", "x"}}}}).code() == "forbidden");
}

TEST_CASE("types: grants name what exists, and a mistake changes nothing", "[api][types]") {
  TestApp app;
  auto patch = [&](const Json& given) { return app.server().patch(kType, {{"settings", {{"grants", given}}}}); };
  CHECK(patch({{"member", {"chat:message:shout"}}}).pointer() == "#/settings/grants/member/0");
  CHECK(patch({{"Big Boss", Json::array()}}).pointer() == "#/settings/grants/Big Boss");
  CHECK(patch({{"member", "all"}}).pointer() == "#/settings/grants/member");
  Json many = Json::object();
  for (int i = 0; i < 26; ++i) many["r" + std::to_string(i)] = Json::array();
  CHECK(patch(many).pointer() == "#/settings/grants");
  CHECK(has(app.server().get(kType).body["channel_type"]["settings"]["grants"]["member"], "chat:message:send"));
  auto named = app.server().patch(kType, {{"settings", {{"commands", {"giphy"}}, {"block_lists", Json::array()}}}});
  CHECK(named.body["channel_type"]["settings"]["commands"] == Json({"giphy"}));
}

TEST_CASE("types: there are no block lists yet, so that any name is refused and nothing kept", "[api][types]") {
  TestApp app;
  const auto refused = app.server().patch(kType, {{"settings", {{"block_lists", {"profanity"}}, {"polls", false}}}});
  CHECK(refused.code() == "invalid_field");
  CHECK(refused.pointer() == "#/settings/block_lists/0");
  CHECK(app.server().post("/v1/channel_types", {{"type", "own"}, {"settings", {{"block_lists", {"", "x"}}}}}).pointer() == "#/settings/block_lists/0");
  const auto kept = app.server().get(kType).body["channel_type"]["settings"];
  CHECK(kept["block_lists"].empty());
  CHECK(kept["polls"] == true);
  CHECK(app.server().get("/v1/channel_types/own").code() == "not_found");
}

TEST_CASE("types: a role of one's own has what the type grants it", "[api][types]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.user("alice");
  CHECK(alice.patch(kChannel + "/members/bob", {{"role", "janitor"}}).pointer() == "#/role");
  CHECK(alice.post(kChannel + "/members", {{"members", {{{"user_id", "carol"}, {"role", "janitor"}}}}}).pointer() == "#/members/0/role");
  CHECK(app.server().post("/v1/channels/messaging/new", {{"members", {{{"user_id", "bob"}, {"role", "anyone"}}}}}).pointer() == "#/members/0/role");
  grants(app, {{"janitor", {"chat:channel:read", "chat:message:delete_any"}}});
  auto message = app.send("alice", "general", "x");
  CHECK(alice.patch(kChannel + "/members/bob", {{"role", "janitor"}}).body["member"]["role"] == "janitor");
  auto bob = app.user("bob");
  CHECK(bob.post(kMessages, {{"text", "x"}}).code() == "forbidden");
  CHECK(bob.del(kMessages + "/" + message["id"].get<std::string>()).status == 200);
  CHECK(bob.get(kChannel).body["membership"]["role"] == "janitor");
  CHECK(alice.post(kChannel + "/members", {{"members", {{{"user_id", "carol"}, {"role", "janitor"}}}}}).body["results"][0]["status"] == "added");
  grants(app, {{"janitor", nullptr}});                     // then it is as good as a member
  CHECK(bob.post(kMessages, {{"text", "x"}}).status == 201);
}

TEST_CASE("types: anyone in an open channel has what the type grants anyone", "[api][types]") {
  TestApp app;
  app.add_users({"alice", "carol"});
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  const std::string messages = "/v1/channels/livestream/show/messages";
  auto carol = app.user("carol");
  CHECK(carol.post(messages, {{"text", "x"}}).status == 201);
  REQUIRE(app.server().patch("/v1/channel_types/livestream", {{"settings", {{"grants", {{"anyone", {"chat:channel:read"}}}}}}}).status == 200);
  CHECK(carol.post(messages, {{"text", "x"}}).code() == "forbidden");
  CHECK(carol.get(messages).body["messages"].size() == 1);
  CHECK(app.user("alice").post(messages, {{"text", "x"}}).status == 201);
}

TEST_CASE("slow mode: one message of a user in its time, told how long to wait", "[api][slow_mode]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol", "mod"});
  app.add_channel("general", {"alice", "bob", "carol"});
  app.user("alice").post(kChannel + "/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}});
  CHECK(app.user("bob").patch(kChannel, {{"set", {{"slow_mode", 2}}}}).code() == "forbidden");
  CHECK(app.user("mod").patch(kChannel, {{"set", {{"slow_mode", 99999}}}}).pointer() == "#/set/slow_mode");
  CHECK(app.user("mod").patch(kChannel, {{"set", {{"slow_mode", 2}}}}).body["channel"]["slow_mode"] == 2);
  auto bob = app.user("bob");
  CHECK(bob.post(kMessages, {{"text", "1"}, {"nonce", "n"}}).status == 201);
  auto refused = bob.post(kMessages, {{"text", "2"}});
  CHECK(refused.code() == "rate_limited");
  const auto wait = refused.http.header("retry-after");
  REQUIRE(wait);
  CHECK((*wait == "1" || *wait == "2"));
  CHECK(bob.post(kMessages, {{"text", "1"}, {"nonce", "n"}}).status == 200);   // a repeat is no second message
  CHECK(app.user("carol").post(kMessages, {{"text", "hers"}}).status == 201);
  for (int i = 0; i < 2; ++i) CHECK(app.user("mod").post(kMessages, {{"text", "exempt"}}).status == 201);
  for (int i = 0; i < 2; ++i) CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "bob"}}).status == 201);
  CHECK(app.rows("messages") == 6);
  CHECK(app.rows("send_paces") == 2);
  eventually("the end of the wait", [&] { return bob.post(kMessages, {{"text", "later"}}).status == 201; });
  grants(app, {{"member", {"chat:channel:read", "chat:message:send", "chat:message:skip_slow_mode"}}});
  CHECK(bob.post(kMessages, {{"text", "exempt now"}}).status == 201);
}

TEST_CASE("slow mode: several at once are one and refusals", "[api][slow_mode]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.user("alice").patch(kChannel, {{"set", {{"slow_mode", 600}}}});
  std::atomic<int> sent = 0, refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, bob = app.user("bob")]() mutable {
        auto answer = bob.post(kMessages, {{"text", "x"}});
        if (answer.status == 201) ++sent;
        if (answer.code() == "rate_limited") ++refused;
      });
  }
  CHECK(sent == 1);
  CHECK(refused == 7);
  CHECK(app.rows("messages") == 1);
}

TEST_CASE("slow mode: a cooldown holds for all together, and a type gives it to its new channels", "[api][slow_mode]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  REQUIRE(app.server().patch(kType, {{"settings", {{"cooldown", 600}, {"slow_mode", 5}}}}).status == 200);
  app.add_channel("general", {"alice", "bob", "carol"});
  const auto channel = app.user("bob").get(kChannel).body["channel"];
  CHECK(channel["cooldown"] == 600);
  CHECK(channel["slow_mode"] == 5);
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}}).status == 201);
  CHECK(app.user("carol").post(kMessages, {{"text", "x"}}).code() == "rate_limited");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).status == 201);
  CHECK(app.user("alice").patch(kChannel, {{"set", {{"cooldown", 0}, {"slow_mode", 0}}}}).status == 200);
  CHECK(app.user("carol").post(kMessages, {{"text", "x"}}).status == 201);
}

TEST_CASE("types: a large one has no events of its members' doings, and livestream is large", "[api][types]") {
  TestApp app;
  auto server = app.server();
  const auto livestream = server.get("/v1/channel_types/livestream").body["channel_type"]["settings"];
  CHECK(livestream["large"] == true);
  for (const char* flag : {"typing_events", "read_events", "delivery_events"}) {
    CHECK(livestream[flag] == false);
    CHECK(server.patch("/v1/channel_types/livestream", {{"settings", {{flag, true}}}}).pointer() == std::string("#/settings/") + flag);
  }
  CHECK(server.get("/v1/channel_types/messaging").body["channel_type"]["settings"]["large"] == false);
  auto small = server.patch("/v1/channel_types/livestream", {{"settings", {{"large", false}, {"typing_events", true}}}});
  CHECK(small.body["channel_type"]["settings"]["typing_events"] == true);
  CHECK(small.body["channel_type"]["settings"]["read_events"] == false);
}

TEST_CASE("types: the livestream of an older application becomes large, unless it was changed or has channels", "[api][types][migrations]") {
  ScratchDatabase database;
  const auto known = storage::migrations();
  const auto wanted = std::ranges::find(known, std::string_view("livestream_large"), &storage::Migration::name);
  REQUIRE(wanted != known.end());
  storage::Migrator migrator(database.owner());
  migrator.up(wanted->number - 1);
  Probe probe(database.superuser().dsn);
  const auto app = [](int i) { return "'01900000-0000-7000-8000-00000000000" + std::to_string(i) + "'"; };
  probe.run("insert into plans values ('p', '{}', now(), now())");
  const std::vector<std::string> settings{R"({"open": true})", R"({"open": true, "push": false})", R"({"open": true, "large": false})", R"({"open": true})"};
  for (int i = 0; i < 4; ++i)
    probe.run("insert into applications (app_id, name, plan_id, created_at, updated_at) values (" + app(i) + ", 'a', 'p', now(), now());"
              "insert into channel_types (app_id, type, settings, created_at, updated_at) values (" + app(i) + ", 'livestream', '" +
              settings[static_cast<std::size_t>(i)] + "', now(), now())");
  probe.run("insert into channels (app_id, id, type, channel_id, created_at, updated_at) values (" + app(3) + ", gen_random_uuid(), 'livestream', 'show', now(), now())");
  migrator.up(wanted->number);
  std::vector<std::string> large;
  for (const auto& row : probe.rows("select settings ->> 'large' from channel_types order by app_id")) large.push_back(row.at(0));
  CHECK(large == std::vector<std::string>{"true", "true", "false", ""});
}
