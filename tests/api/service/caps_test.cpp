#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "platform/base/id.h"
#include "tests/support/service.h"

// What one user, or one application, could otherwise pile up without end.
using namespace chat;
using namespace chat::test;

namespace {

int passed_at_once(int count, const std::function<bool(int)>& passes) {
  std::atomic<int> passed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] { passed += passes(i) ? 1 : 0; });
  threads.clear();
  return passed;
}

std::string channel(int i) { return "/v1/channels/messaging/c" + std::to_string(i); }

}  // namespace

TEST_CASE("caps: an application has so many teams as its plan allows, whoever makes them at once", "[api][caps][teams][limits]") {
  TestApp app(Json{{"teams", {{"hard", 3}}}});
  CHECK(passed_at_once(8, [&](int i) { return app.server().post("/v1/teams", {{"team_id", "t" + std::to_string(i)}}).status == 201; }) == 3);
  const auto refused = app.server().post("/v1/teams", {{"team_id", "more"}});
  CHECK(refused.code() == "limit_reached");
  CHECK(refused.pointer() == "limit:teams");
  CHECK(app.rows("teams") == 3);
  const auto first = app.server().get("/v1/teams").body["teams"][0]["team_id"].get<std::string>();
  REQUIRE(app.server().del("/v1/teams/" + first).status == 204);
  CHECK(app.server().post("/v1/teams", {{"team_id", "more"}}).status == 201);
}

TEST_CASE("caps: a user makes so many channels in 24 hours, whatever at once; the backend for it as many as it likes", "[api][caps][channels][limits]") {
  TestApp app(Json{{"user_channels_created", {{"hard", 2}}}});
  app.add_users({"alice", "bob"});
  CHECK(passed_at_once(6, [&](int i) { return app.user("alice").post(channel(i)).status == 201; }) == 2);
  auto refused = app.user("alice").post("/v1/channels/messaging", {{"members", {"bob"}}});
  CHECK(refused.code() == "limit_reached");
  CHECK(refused.pointer() == "limit:user_channels_created");
  CHECK(app.rows("channels") == 2);
  CHECK(app.rows("channel_members") == 2);
  CHECK(app.server().post(channel(10), {{"created_by", "alice"}}).status == 201);
  CHECK(app.user("bob").post(channel(11)).status == 201);
  Probe(superuser_database().dsn).run("update channels set created_at = created_at - interval '25 hours' where app_id = '" + AppId::parse(app.id())->text() + "'");
  CHECK(app.user("alice").post(channel(12)).status == 201);
}

TEST_CASE("caps: a user is a member of so many channels, however it would become one", "[api][caps][members][invites][limits]") {
  TestApp app(Json{{"user_memberships", {{"hard", 2}}}});
  app.add_users({"alice", "bob", "carol", "dave"});
  auto alice = app.user("alice"), bob = app.user("bob");
  for (int i = 0; i < 2; ++i) REQUIRE(bob.post(channel(i)).status == 201);
  CHECK(bob.post(channel(2)).pointer() == "limit:user_memberships");
  CHECK(app.rows("channels") == 2);
  REQUIRE(alice.post(channel(3)).status == 201);
  const auto refused = alice.post(channel(3) + "/members", {{"members", {"carol", "bob"}}});
  CHECK(refused.code() == "limit_reached");
  CHECK(refused.pointer() == "limit:user_memberships");
  CHECK(app.rows("channel_members") == 3);                 // carol is not in it either
  CHECK(alice.get(channel(3)).body["channel"]["member_count"] == 1);
  REQUIRE(app.server().post("/v1/channels/livestream/show").status == 201);
  CHECK(bob.post("/v1/channels/livestream/show/join").pointer() == "limit:user_memberships");
  REQUIRE(alice.post(channel(3) + "/invites", {{"users", {"bob"}}}).status < 300);
  CHECK(bob.post(channel(3) + "/invite/accept").pointer() == "limit:user_memberships");
  CHECK(app.server().post(channel(4), {{"members", {"bob"}}}).pointer() == "limit:user_memberships");
  CHECK(bob.post(channel(0)).status == 200);               // who is in it comes in
  REQUIRE(bob.del(channel(1) + "/members/bob").status < 300);
  CHECK(bob.post(channel(3) + "/invite/accept").status < 300);
}

TEST_CASE("caps: two channels at once take no user beyond its memberships", "[api][caps][members][limits]") {
  TestApp app(Json{{"user_memberships", {{"hard", 3}}}});
  app.add_users({"carol"});
  for (int i = 0; i < 8; ++i) REQUIRE(app.server().post(channel(i)).status == 201);
  CHECK(passed_at_once(8, [&](int i) { return app.server().post(channel(i) + "/members", {{"members", {"carol"}}}).status == 200; }) == 3);
  CHECK(app.rows("channel_members") == 3);
}

TEST_CASE("caps: a guest sends less than it may ask", "[api][caps][guests][limits]") {
  TestApp app(Json{{"guest_sends", {{"hard", 60}, {"burst", 2}}}});
  app.set({{"guests", true}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  const auto made = Actor(Service::get().port(), {{"X-API-Key", app.key()}}).post("/v1/guests").body;
  REQUIRE(app.server().post("/v1/channels/messaging/general/members", {{"members", {made["user"]["user_id"]}}}).status == 200);
  auto guest = app.with_token(made["token"]);
  for (int i = 0; i < 2; ++i) CHECK(guest.post(kMessages, {{"text", "hi"}}).status == 201);
  const auto refused = guest.post(kMessages, {{"text", "hi"}});
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.http.header("retry-after"));
  CHECK(guest.get(kMessages).body["messages"].size() == 2);
  for (int i = 0; i < 5; ++i) CHECK(app.user("alice").post(kMessages, {{"text", "hi"}}).status == 201);
}
