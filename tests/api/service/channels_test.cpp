#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("channels: made once, found afterwards as they are", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.user("alice");
  auto made = alice.post("/v1/channels/messaging/general", {{"name", "General"}, {"members", {"bob"}}});
  CHECK(made.status == 201);
  CHECK(made.body["channel"]["member_count"] == 2);
  CHECK(made.body["membership"]["role"] == "owner");
  auto found = alice.post("/v1/channels/messaging/general", {{"name", "Another name"}});
  CHECK(found.status == 200);
  CHECK(found.body["channel"] == made.body["channel"]);
  CHECK(app.rows("channel_events") == 1);
}

TEST_CASE("channels: of two creators at once, one makes it and both have it", "[api][channels]") {
  TestApp app;
  app.add_users({"alice"});
  std::vector<Answer> answers(6);
  {
    std::vector<std::jthread> creators;
    for (auto& answer : answers)
      creators.emplace_back([&answer, alice = app.user("alice")]() mutable { answer = alice.post("/v1/channels/messaging/race"); });
  }
  int created = 0;
  for (const auto& answer : answers) created += answer.status == 201;
  CHECK(created == 1);
  for (const auto& answer : answers) CHECK(answer.body["channel"]["epoch"] == answers[0].body["channel"]["epoch"]);
  CHECK(app.rows("channels") == 1);
}

TEST_CASE("channels: one for the same people, in whatever order they are named", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto first = app.user("alice").post("/v1/channels/messaging", {{"members", {"bob", "alice"}}});
  auto second = app.user("bob").post("/v1/channels/messaging", {{"members", {"alice"}}});
  CHECK(first.status == 201);
  CHECK(second.status == 200);
  CHECK(first.body["channel"]["cid"] == second.body["channel"]["cid"]);
  CHECK(first.body["channel"]["distinct"] == true);
  CHECK(app.user("alice").post("/v1/channels/messaging", {{"members", {"bob", "carol"}}}).body["channel"]["cid"] != first.body["channel"]["cid"]);
  CHECK(app.user("alice").post("/v1/channels/messaging", {{"members", {"alice"}}}).pointer() == "#/members");
  CHECK(app.user("alice").post("/v1/channels/messaging/!forged").pointer() == "path:id");
}

TEST_CASE("channels: unknown types and users make none", "[api][channels]") {
  TestApp app;
  app.add_users({"alice"});
  CHECK(app.user("alice").post("/v1/channels/no_such_type/x").code() == "not_found");
  auto refused = app.user("alice").post("/v1/channels/messaging/x", {{"members", {"ghost", "phantom"}}});
  CHECK(refused.code() == "not_found");
  CHECK(refused.body["errors"].size() == 2);
  CHECK(app.rows("channels") == 0);
}

TEST_CASE("channels: hidden from who is no member, and from every other application", "[api][channels][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "carol"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (auto caller : {app.user("carol"), other.user("alice"), other.server()}) {
    CHECK(caller.get("/v1/channels/messaging/general").code() == "not_found");
    CHECK(caller.patch("/v1/channels/messaging/general", {{"set", {{"name", "x"}}}}).code() == "not_found");
    CHECK(caller.del("/v1/channels/messaging/general").code() == "not_found");
    CHECK(caller.get("/v1/channels/messaging/general/members").code() == "not_found");
    CHECK(caller.post("/v1/channels/query", Json::object()).body["channels"].empty());
  }
  CHECK(app.user("carol").post("/v1/channels/messaging/general").code() == "forbidden");
}

TEST_CASE("channels: changed by admins, frozen by moderators too", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "bob", "mod"});
  app.add_channel("general", {"alice", "bob"});
  app.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}});
  CHECK(app.user("bob").patch("/v1/channels/messaging/general", {{"set", {{"name", "x"}}}}).code() == "forbidden");
  CHECK(app.user("mod").patch("/v1/channels/messaging/general", {{"set", {{"name", "x"}}}}).code() == "forbidden");
  CHECK(app.user("mod").patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).body["channel"]["frozen"] == true);
  auto changed = app.user("alice").patch("/v1/channels/messaging/general", {{"set", {{"name", "N"}, {"custom", {{"a", 1}, {"b", 2}}}}}, {"unset", {"custom.a"}}});
  CHECK(changed.body["channel"]["custom"] == Json({{"b", 2}}));
  CHECK(app.user("alice").get("/v1/channels/messaging/general").body["channel"] == changed.body["channel"]);
}

TEST_CASE("channels: a deleted one is gone, and its cid free for a new one", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("alice", "general", "old");
  auto epoch = app.user("alice").get("/v1/channels/messaging/general").body["channel"]["epoch"];
  CHECK(app.user("bob").del("/v1/channels/messaging/general").code() == "forbidden");
  REQUIRE(app.user("alice").del("/v1/channels/messaging/general").status == 204);
  CHECK(app.user("alice").get("/v1/channels/messaging/general").code() == "not_found");
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).code() == "not_found");
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
  app.add_channel("general", {"alice"});
  auto anew = app.user("alice").get("/v1/channels/messaging/general").body["channel"];
  CHECK(anew["epoch"] != epoch);
  CHECK(app.user("alice").get(kMessages).body["messages"].empty());
  eventually("the purge", [&] {
    Service::get().node().run_job("purge_deleted");
    return app.rows("messages") == 0;
  });
}

TEST_CASE("channels: queried by filter and sort, one's own and open ones only", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (int i = 0; i < 5; ++i) app.add_channel("c" + std::to_string(i), i % 2 ? std::vector<std::string>{"alice"} : std::vector<std::string>{"alice", "bob"});
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  auto cids = [](const Answer& answer) {
    std::vector<std::string> out;
    for (const auto& item : answer.body["channels"]) out.push_back(item["channel"]["id"]);
    return out;
  };
  app.send("alice", "c0", "newest");
  auto bobs = app.user("bob").post("/v1/channels/query", {{"limit", 10}});
  CHECK(cids(bobs).front() == "c0");
  CHECK(cids(bobs).size() == 4);
  CHECK(cids(app.server().post("/v1/channels/query", {{"filter", {{"members", {{"$in", {"bob"}}}}}}})).size() == 3);
  CHECK(cids(app.server().post("/v1/channels/query", {{"filter", {{"type", "livestream"}}}})) == std::vector<std::string>{"show"});
  CHECK(cids(app.server().post("/v1/channels/query", {{"filter", {{"member_count", {{"$gt", 1}}}}}})).size() == 3);
  CHECK(cids(app.server().post("/v1/channels/query", {{"user_id", "bob"}})).size() == 4);
  std::set<std::string> seen;
  Json query{{"sort", {{{"field", "member_count"}, {"order", "desc"}}}}, {"limit", 2}};
  for (int pages = 0; pages < 10; ++pages) {
    auto page = app.server().post("/v1/channels/query", query);
    for (const auto& id : cids(page)) CHECK(seen.insert(id).second);
    if (!page.body.contains("next")) break;
    query["next"] = page.body["next"];
  }
  CHECK(seen.size() == 6);
  CHECK(app.user("bob").post("/v1/channels/query", {{"user_id", "alice"}}).code() == "forbidden");
  CHECK(app.server().post("/v1/channels/query", {{"filter", {{"members", {{"$gt", "a"}}}}}}).pointer() == "#/filter/members/$gt");
}

TEST_CASE("channels: anybody may read and write in an open one", "[api][channels]") {
  TestApp app;
  app.add_users({"alice", "carol"});
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  auto carol = app.user("carol");
  CHECK(carol.post("/v1/channels/livestream/show/messages", {{"text", "hi"}}).status == 201);
  auto state = carol.get("/v1/channels/livestream/show").body;
  CHECK_FALSE(state.contains("membership"));
  CHECK(std::count(state["own_capabilities"].begin(), state["own_capabilities"].end(), "chat:channel:update") == 0);
  CHECK(carol.patch("/v1/channels/livestream/show", {{"set", {{"name", "x"}}}}).code() == "forbidden");
}

TEST_CASE("channels: types are made, changed and deleted while unused", "[api][channels]") {
  TestApp app, other;
  auto server = app.server();
  CHECK(server.post("/v1/channel_types", {{"type", "support"}, {"settings", {{"replies", false}}}}).status == 201);
  CHECK(server.post("/v1/channel_types", {{"type", "support"}}).code() == "already_exists");
  CHECK(server.post("/v1/channel_types", {{"type", "Not Good"}}).pointer() == "#/type");
  CHECK(other.server().get("/v1/channel_types/support").code() == "not_found");
  CHECK(server.get("/v1/channel_types/support").body["channel_type"]["settings"]["replies"] == false);
  CHECK(server.patch("/v1/channel_types/support", {{"settings", {{"max_message_bytes", 10}}}}).body["channel_type"]["settings"]["replies"] == false);
  CHECK(server.patch("/v1/channel_types/support", {{"settings", {{"max_message_bytes", 0}}}}).pointer() == "#/settings/max_message_bytes");
  auto shown = server.patch("/v1/channel_types/support", {{"settings", {{"typing_events", false}, {"unique_reactions", true}}}});
  CHECK(shown.body["channel_type"]["settings"]["typing_events"] == false);
  CHECK(shown.body["channel_type"]["settings"]["unique_reactions"] == true);
  CHECK(shown.body["channel_type"]["settings"]["reactions"] == true);
  CHECK(server.patch("/v1/channel_types/support", {{"settings", {{"reaction", true}}}}).pointer() == "#/settings/reaction");
  app.add_users({"alice"});
  REQUIRE(app.user("alice").post("/v1/channels/support/1").status == 201);
  CHECK(server.del("/v1/channel_types/support").code() == "conflict");
  CHECK(server.del("/v1/channel_types/team").status == 204);
  CHECK(server.get("/v1/channel_types/team").code() == "not_found");
}

TEST_CASE("channels: their changes reach the members, and nobody else", "[api][channels][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto bob = app.connect("bob");
  auto carol = app.connect("carol");
  app.add_channel("general", {"alice", "bob"});
  CHECK(hear(bob, "channel.created")["data"]["channel"]["id"] == "general");
  app.user("alice").patch("/v1/channels/messaging/general", {{"set", {{"name", "N"}}}});
  CHECK(hear(bob, "channel.updated")["data"]["channel"]["name"] == "N");
  app.user("alice").del("/v1/channels/messaging/general");
  CHECK(hear(bob, "channel.deleted")["cid"] == "messaging:general");
  CHECK_FALSE(carol.find("channel.created", std::chrono::milliseconds(150)));
}
