#include <catch2/catch.hpp>

#include <set>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

/// What a client has: cid to {epoch, seq, read_seq}.
Json known(TestApp& app, const std::string& user) {
  Json out = Json::object();
  const auto listed = app.user(user).post("/v1/channels/query", {{"limit", 100}});
  for (const auto& one : listed.body["channels"])
    out[one["channel"]["cid"].get<std::string>()] = {{"epoch", one["channel"]["epoch"]}, {"seq", one["channel"]["last_seq"]},
                                                     {"read_seq", one["membership"].value("read_seq", 0)}};
  return out;
}

Json change_of(const Json& answer, const std::string& cid) {
  for (const auto& one : answer["channels"])
    if (one["cid"] == cid) return one;
  return nullptr;
}

Json ask(TestApp& app, const std::string& user, const Json& channels) {
  auto answer = app.user(user).post("/v1/sync", {{"channels", channels}});
  REQUIRE(answer.status == 200);
  return answer.body;
}

}  // namespace

TEST_CASE("sync: nothing is said of what is as the client has it, all of what is not", "[api][sync]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (const char* id : {"same", "events", "read", "left", "deleted", "banned"}) app.add_channel(id, {"alice", "bob"});
  for (const char* id : {"read", "same"}) app.send("alice", id, "hello");
  const auto had = known(app, "bob");
  REQUIRE(had.size() == 6);
  const auto nothing = ask(app, "bob", had);
  CHECK(nothing["channels"].empty());
  CHECK(nothing["gone"].empty());
  CHECK_FALSE(nothing.contains("next"));

  app.send("alice", "events", "@bob you missed this", {{"mentions", {"bob"}}});
  app.user("bob").post("/v1/channels/messaging/read/read");
  app.user("alice").del("/v1/channels/messaging/left/members/bob");
  app.user("alice").del("/v1/channels/messaging/deleted");
  app.user("alice").put("/v1/channels/messaging/banned/bans/bob", Json::object());
  app.add_channel("added", {"alice", "bob"});
  const auto answer = ask(app, "bob", had);
  REQUIRE(answer["channels"].size() == 3);
  const auto events = change_of(answer, "messaging:events");
  CHECK(events["change"] == "events");
  CHECK(events["last_seq"] == had["messaging:events"]["seq"].get<int>() + 1);
  CHECK(events["unread"] == 1);
  CHECK(events["mentions"] == 1);
  CHECK(events["member"] == true);
  CHECK(change_of(answer, "messaging:read")["change"] == "read");
  CHECK(change_of(answer, "messaging:read")["read_seq"] == 1);
  CHECK(change_of(answer, "messaging:added")["change"] == "added");
  CHECK(answer["gone"] == Json{"messaging:banned", "messaging:deleted", "messaging:left"});
}

TEST_CASE("sync: another epoch and a client ahead of the server begin anew", "[api][sync]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("old", {"alice"});
  app.add_channel("ahead", {"alice"});
  auto had = known(app, "alice");
  app.user("alice").del("/v1/channels/messaging/old");
  app.add_channel("old", {"alice"});
  had["messaging:ahead"]["seq"] = 1'000;
  const auto answer = ask(app, "alice", had);
  CHECK(change_of(answer, "messaging:old")["change"] == "renumbered");
  CHECK(change_of(answer, "messaging:ahead")["change"] == "renumbered");
  CHECK(answer["gone"].empty());
}

TEST_CASE("sync: pages are bounded, complete, and only for the one who began", "[api][sync]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (int i = 0; i < 7; ++i) app.add_channel("c" + std::to_string(i), {"alice", "bob"});
  std::set<std::string> seen;
  Json body = {{"limit", 3}, {"channels", {{"messaging:c3", known(app, "alice")["messaging:c3"]}, {"nonsense", {{"epoch", "e"}, {"seq", 0}}}}}};
  int pages = 0;
  while (true) {
    const auto page = app.user("alice").post("/v1/sync", body);
    REQUIRE(page.status == 200);
    CHECK(page.body["channels"].size() <= 3);
    CHECK(page.body["gone"].size() == (pages == 0 ? 1 : 0));
    for (const auto& one : page.body["channels"]) CHECK(seen.insert(one["cid"]).second);
    ++pages;
    if (!page.body.contains("next")) break;
    body["next"] = page.body["next"];
    CHECK(app.user("bob").post("/v1/sync", body).pointer() == "#/next");
  }
  CHECK(pages == 2);
  CHECK(seen.size() == 6);
  CHECK_FALSE(seen.contains("messaging:c3"));
  CHECK(app.user("alice").post("/v1/sync", {{"limit", 101}}).pointer() == "#/limit");
  CHECK(app.user("alice").post("/v1/sync", {{"channels", {{"messaging:c3", {{"seq", 1}}}}}}).code() == "invalid_field");
  CHECK(app.user("alice").post("/v1/sync", {{"user_id", "bob"}}).code() == "forbidden");
  CHECK(app.server().post("/v1/sync", {{"user_id", "bob"}}).body["channels"].size() == 7);
  CHECK(app.server().post("/v1/sync").pointer() == "#/user_id");
  CHECK(app.user("nobody").post("/v1/sync").code() == "not_found");
}

TEST_CASE("sync: more channels than may be named are asked for part by part, each change once", "[api][sync][limits]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (const char* id : {"a", "B", "c", "d", "e"}) app.add_channel(id, {"alice", "bob"});
  const auto had = known(app, "bob");
  app.send("alice", "c", "missed");
  app.add_channel("b", {"alice", "bob"});
  app.add_channel("f", {"alice", "bob"});
  const auto part = [&](Json body, std::initializer_list<std::string> ids) {
    for (const auto& id : ids) body["channels"]["messaging:" + id] = had["messaging:" + id];
    return app.user("bob").post("/v1/sync", body);
  };
  const auto first = part({{"until", "messaging:b"}}, {"B", "a"}).body, second = part({{"after", "messaging:b"}}, {"c", "d", "e"}).body;
  REQUIRE(first["channels"].size() == 1);
  CHECK(change_of(first, "messaging:b")["change"] == "added");
  REQUIRE(second["channels"].size() == 2);
  CHECK(change_of(second, "messaging:c")["change"] == "events");
  CHECK(change_of(second, "messaging:f")["change"] == "added");
  CHECK(part({{"until", "messaging:b"}}, {"c"}).pointer() == "#/channels");
  CHECK(part({{"after", "messaging:b"}}, {"a"}).pointer() == "#/channels");
  CHECK(part({{"after", "a"}}, {}).pointer() == "#/after");
  Json many = Json::object();
  for (int i = 0; i < 1'001; ++i) many["messaging:n" + std::to_string(i)] = {{"epoch", "e"}, {"seq", 0}};
  CHECK(app.user("bob").post("/v1/sync", {{"channels", many}}).pointer() == "#/channels");
}

TEST_CASE("sync: open channels that one looks on at are compared, foreign ones are gone", "[api][sync][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "carol"});
  other.add_users({"carol"});
  app.add_channel("secret", {"alice"});
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  const auto show = app.user("carol").get("/v1/channels/livestream/show").body["channel"];
  const auto secret = app.user("alice").get("/v1/channels/messaging/secret").body["channel"];
  const Json had = {{"livestream:show", {{"epoch", show["epoch"]}, {"seq", show["last_seq"]}}},
                    {"messaging:secret", {{"epoch", secret["epoch"]}, {"seq", secret["last_seq"]}}}};
  const auto before = ask(app, "carol", had);
  CHECK(before["channels"].empty());
  CHECK(before["gone"] == Json{"messaging:secret"});
  app.user("alice").post("/v1/channels/livestream/show/messages", {{"text", "on air"}});
  const auto after = ask(app, "carol", had);
  REQUIRE(after["channels"].size() == 1);
  CHECK(after["channels"][0]["change"] == "events");
  CHECK(after["channels"][0]["member"] == false);
  CHECK_FALSE(after["channels"][0].contains("unread"));
  CHECK(ask(other, "carol", had)["gone"].size() == 2);
}

TEST_CASE("sync: on the socket, then one resume, and a client with many channels is right again", "[api][sync][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (int i = 0; i < 30; ++i) app.add_channel("c" + std::to_string(i), {"alice", "bob"});
  const auto had = known(app, "bob");
  std::set<std::string> missed;
  for (int i = 0; i < 30; i += 3) missed.insert(app.send("alice", "c" + std::to_string(i), "missed")["cid"]);
  WsClient bob({.port = Service::get().port(), .api_key = app.key(), .token = app.token("bob"), .target = "/v1/connect?resume=1"});
  bob.wait_for("connection.ready");
  bob.send({{"type", "sync"}, {"ref", "s"}, {"channels", had}});
  const auto done = bob.wait_for("sync.done");
  CHECK(done["ref"] == "s");
  Json behind = Json::object();
  for (const auto& one : done["data"]["channels"]) {
    CHECK(one["change"] == "events");
    behind[one["cid"].get<std::string>()] = {{"epoch", one["epoch"]}, {"seq", had[one["cid"].get<std::string>()]["seq"]}};
  }
  CHECK(behind.size() == missed.size());
  bob.send({{"type", "resume"}, {"channels", behind}});
  for (auto frame = bob.next(); frame && (*frame)["type"] != "resume.done"; frame = bob.next())
    if ((*frame)["type"] == "message.new") missed.erase((*frame)["cid"]);
  CHECK(missed.empty());
  app.send("alice", "c1", "live");
  CHECK(hear(bob, "message.new")["cid"] == "messaging:c1");
  bob.send({{"type", "sync"}, {"channels", {{"messaging:c1", {{"seq", 1}}}}}});
  CHECK(bob.wait_for("error")["data"]["code"] == "invalid_field");
}
