#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

/// The direct channel of two users, made by the first; its path.
std::string direct(TestApp& app, const std::string& a, const std::string& b) {
  auto made = app.user(a).post("/v1/channels/messaging", {{"members", {b}}});
  REQUIRE(made.status <= 201);
  return "/v1/channels/messaging/" + made.body["channel"]["id"].get<std::string>();
}

std::string blocks_of(const std::string& user) { return "/v1/users/" + user + "/blocks"; }
std::string mutes_of(const std::string& user) { return "/v1/users/" + user + "/mutes"; }

std::size_t channels_seen(TestApp& app, const std::string& user) {
  return app.user(user).post("/v1/channels/query").body["channels"].size();
}

std::string in(std::chrono::seconds seconds) { return format_time(system_clock().now() + seconds); }

}  // namespace

TEST_CASE("blocks: direct messages are refused and hidden both ways, until it is lifted", "[api][relations]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  const auto dm = direct(app, "alice", "bob");
  const auto with_carol = direct(app, "alice", "carol");
  app.user("bob").post(dm + "/messages", {{"text", "hi"}});
  auto blocked = app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}});
  CHECK(blocked.body["block"]["target_id"] == "bob");
  CHECK(app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}}).body == blocked.body);
  CHECK(app.rows("user_blocks") == 1);
  CHECK(app.user("alice").get("/v1/unread").body["total"] == 0);
  for (const char* who : {"alice", "bob"}) {
    CHECK(app.user(who).post(dm + "/messages", {{"text", "x"}}).code() == "forbidden");
    CHECK(channels_seen(app, who) == (who == std::string("alice") ? 2 : 1));
    auto opened = app.user(who).get(dm).body["own_capabilities"];
    CHECK(std::find(opened.begin(), opened.end(), "chat:message:send") == opened.end());
    CHECK(app.user(who).post(kMessages, {{"text", "in a group they still meet"}}).status == 201);
  }
  CHECK(app.user("alice").post(with_carol + "/messages", {{"text", "x"}}).status == 201);
  CHECK(app.user("bob").post(blocks_of("bob"), {{"target_id", "alice"}}).status == 200);
  CHECK(app.user("alice").del(blocks_of("alice") + "/bob").status == 204);
  CHECK(app.user("alice").post(dm + "/messages", {{"text", "x"}}).code() == "forbidden");   // bob's still stands
  CHECK(app.user("bob").del(blocks_of("bob") + "/alice").status == 204);
  CHECK(app.user("alice").post(dm + "/messages", {{"text", "x"}}).status == 201);
  CHECK(channels_seen(app, "bob") == 2);
  CHECK(app.user("alice").del(blocks_of("alice") + "/bob").code() == "not_found");
}

TEST_CASE("blocks: no direct channel begins between the two", "[api][relations]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  REQUIRE(app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}}).status == 200);
  CHECK(app.user("bob").post("/v1/channels/messaging", {{"members", {"alice"}}}).code() == "forbidden");
  CHECK(app.user("alice").post("/v1/channels/messaging", {{"members", {"bob"}}}).code() == "forbidden");
  CHECK(app.rows("channels") == 0);
  CHECK(app.user("bob").post("/v1/channels/messaging", {{"members", {"alice", "carol"}}}).status == 201);
}

TEST_CASE("blocks: a direct channel made while one blocks the other is refused or blocked, never open", "[api][relations][order]") {
  TestApp app;
  std::vector<std::string> names{"alice"};
  for (int i = 0; i < 8; ++i) names.push_back("u" + std::to_string(i));
  app.add_users(names);
  for (int i = 0; i < 8; ++i) {
    const auto other = names[static_cast<std::size_t>(i) + 1];
    {
      std::jthread blocking([&, alice = app.user("alice")]() mutable { alice.post(blocks_of("alice"), {{"target_id", other}}); });
      std::jthread making([&, user = app.user(other)]() mutable { user.post("/v1/channels/messaging", {{"members", {"alice"}}}); });
    }
    CHECK(app.rows("channels", "is_distinct and not blocked") == 0);
  }
  CHECK(app.rows("user_blocks") == 8);
}

TEST_CASE("blocks: they are a user's own, listed page by page", "[api][relations][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "c1", "c2", "c3"});
  other.add_users({"alice", "zoe"});
  auto alice = app.user("alice");
  for (const char* target : {"c1", "c2", "c3"}) REQUIRE(alice.post(blocks_of("alice"), {{"target_id", target}}).status == 200);
  std::set<std::string> seen;
  std::string path = blocks_of("alice") + "?limit=2";
  while (true) {
    auto page = alice.get(path).body;
    for (const auto& block : page["blocks"]) seen.insert(block["target_id"]);
    if (!page.contains("next")) break;
    path = blocks_of("alice") + "?limit=2&next=" + page["next"].get<std::string>();
  }
  CHECK(seen == std::set<std::string>{"c1", "c2", "c3"});
  auto bob = app.user("bob");
  CHECK(bob.get(blocks_of("alice")).code() == "forbidden");
  CHECK(bob.post(blocks_of("alice"), {{"target_id", "c1"}}).code() == "forbidden");
  CHECK(bob.del(blocks_of("alice") + "/c1").code() == "forbidden");
  CHECK(app.server().get(blocks_of("alice")).body["blocks"].size() == 3);
  CHECK(app.server().post(blocks_of("bob"), {{"target_id", "alice"}}).status == 200);
  CHECK(alice.post(blocks_of("alice"), {{"target_id", "alice"}}).pointer() == "#/target_id");
  CHECK(alice.post(blocks_of("alice"), {{"target_id", "zoe"}}).code() == "not_found");
  CHECK(alice.post(blocks_of("alice"), {{"target_id", "a b"}}).pointer() == "#/target_id");
  CHECK(other.user("alice").get(blocks_of("alice")).body["blocks"].empty());
  CHECK(app.rows("user_blocks") == 4);
}

TEST_CASE("blocks: only one's own devices and the backend hear of a block", "[api][relations][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  auto backend = app.connect("");
  app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}});
  CHECK(hear(alice, "user.blocked")["data"]["block"]["target_id"] == "bob");
  CHECK(hear(backend, "user.blocked")["data"]["block"]["target_id"] == "bob");
  app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}});
  app.user("alice").del(blocks_of("alice") + "/bob");
  CHECK(hear(alice, "user.unblocked")["data"]["target_id"] == "bob");
  CHECK_FALSE(alice.find("user.blocked", std::chrono::milliseconds(100)));
  CHECK_FALSE(bob.find("user.blocked", std::chrono::milliseconds(100)));
  CHECK_FALSE(bob.find("user.unblocked", std::chrono::milliseconds(50)));
}

TEST_CASE("mutes: one mutes until a moment or until it is lifted, on all devices", "[api][relations][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto phone = app.connect("alice");
  auto bob_hears = app.connect("bob");
  auto alice = app.user("alice");
  auto muted = alice.post(mutes_of("alice"), {{"target_id", "bob"}, {"expires_at", in(std::chrono::hours(1))}});
  CHECK(muted.body["mute"].contains("expires_at"));
  CHECK(hear(phone, "user.muted")["data"]["mute"]["target_id"] == "bob");
  auto for_ever = alice.post(mutes_of("alice"), {{"target_id", "bob"}}).body["mute"];
  CHECK_FALSE(for_ever.contains("expires_at"));
  CHECK(for_ever["created_at"] == muted.body["mute"]["created_at"]);
  CHECK(alice.post(mutes_of("alice"), {{"target_id", "carol"}, {"expires_at", in(std::chrono::seconds(-1))}}).pointer() == "#/expires_at");
  CHECK(alice.post(mutes_of("alice"), {{"target_id", "alice"}}).pointer() == "#/target_id");
  CHECK(app.rows("user_mutes") == 1);
  CHECK(alice.get(mutes_of("alice")).body["mutes"].size() == 1);
  CHECK(alice.del(mutes_of("alice") + "/bob").status == 204);
  CHECK(hear(phone, "user.unmuted")["data"]["target_id"] == "bob");
  CHECK(alice.del(mutes_of("alice") + "/bob").code() == "not_found");
  CHECK_FALSE(bob_hears.find("user.muted", std::chrono::milliseconds(50)));
  CHECK(app.user("bob").get(mutes_of("alice")).code() == "forbidden");
}

TEST_CASE("mutes: one that is over is no longer there", "[api][relations]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto alice = app.user("alice");
  REQUIRE(alice.post(mutes_of("alice"), {{"target_id", "bob"}, {"expires_at", in(std::chrono::seconds(1))}}).status == 200);
  eventually("the end of the mute", [&] { return alice.get(mutes_of("alice")).body["mutes"].empty(); });
  CHECK(alice.del(mutes_of("alice") + "/bob").code() == "not_found");
  CHECK(alice.post(mutes_of("alice"), {{"target_id", "carol"}}).status == 200);
  CHECK(app.rows("user_mutes") == 1);
}

TEST_CASE("relations: a user may have a thousand of each, and none outlives it", "[api][relations][limits]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  std::vector<std::string> crowd;
  for (int batch = 0; batch < 10; ++batch) {
    crowd.clear();
    for (int i = 0; i < 100; ++i) crowd.push_back("u" + std::to_string(batch * 100 + i));
    app.add_users(crowd);
  }
  Probe probe(superuser_database().dsn);
  for (const char* table : {"user_blocks (app_id, user_id, blocked_id, created_at)", "user_mutes (app_id, user_id, muted_id, created_at, updated_at)"})
    probe.run(std::string("insert into ") + table + " select a.app_id, a.id, u.id, now()" + (std::string(table)[5] == 'm' ? ", now()" : "") +
              " from users a join users u on u.app_id = a.app_id and u.user_id like 'u%' where a.user_id = 'alice' and a.app_id = '" +
              AppId::parse(app.id())->text() + "'");
  CHECK(app.user("alice").post(blocks_of("alice"), {{"target_id", "bob"}}).code() == "limit_reached");
  CHECK(app.user("alice").post(mutes_of("alice"), {{"target_id", "bob"}}).code() == "limit_reached");
  CHECK(app.user("alice").post(mutes_of("alice"), {{"target_id", "u7"}}).status == 200);
  CHECK(app.rows("user_blocks") == 1000);
  REQUIRE(app.server().del("/v1/users/alice?mode=hard").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("user_blocks") + app.rows("user_mutes") == 0;
  });
}
