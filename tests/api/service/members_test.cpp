#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {
const std::string kMembers = "/v1/channels/messaging/general/members";
}

TEST_CASE("members: added once, each item for itself", "[api][members]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto added = app.user("alice").post(kMembers, {{"members", {"bob", "ghost", {{"user_id", "carol"}, {"role", "moderator"}}}}});
  std::vector<std::string> statuses;
  for (const auto& result : added.body["results"]) statuses.push_back(result["status"]);
  CHECK(statuses == std::vector<std::string>{"unchanged", "refused", "added"});
  CHECK(added.body["results"][2]["member"]["role"] == "moderator");
  CHECK(app.user("alice").post(kMembers, {{"members", {"carol"}}}).body["results"][0]["status"] == "unchanged");
  CHECK(app.rows("channel_events", "type = 'member.added'") == 1);
  CHECK(app.server().get("/v1/channels/messaging/general").body["channel"]["member_count"] == 3);
  CHECK(app.user("bob").post(kMembers, {{"members", {"carol"}}}).code() == "forbidden");
  CHECK(app.user("alice").post(kMembers, {{"members", Json::array()}}).pointer() == "#/members");
  CHECK(app.user("alice").post(kMembers, {{"members", {"bob", "bob"}}}).pointer() == "#/members/1");
}

TEST_CASE("members: another application's users are no users here", "[api][members][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  other.add_users({"zoe"});
  app.add_channel("general", {"alice"});
  CHECK(app.user("alice").post(kMembers, {{"members", {"zoe"}}}).body["results"][0]["error"]["code"] == "not_found");
  CHECK(other.server().post(kMembers, {{"members", {"zoe"}}}).code() == "not_found");
}

TEST_CASE("members: nobody makes or removes someone above itself", "[api][members]") {
  TestApp app;
  app.add_users({"owner", "admin", "mod", "bob"});
  app.add_channel("general", {"owner", "bob"});
  auto owner = app.user("owner");
  REQUIRE(owner.post(kMembers, {{"members", {{{"user_id", "admin"}, {"role", "admin"}}, {{"user_id", "mod"}, {"role", "moderator"}}}}}).status == 200);
  auto admin = app.user("admin");
  CHECK(admin.patch(kMembers + "/bob", {{"role", "owner"}}).code() == "forbidden");
  CHECK(admin.patch(kMembers + "/owner", {{"role", "member"}}).code() == "forbidden");
  CHECK(admin.patch(kMembers + "/bob", {{"role", "moderator"}}).body["member"]["role"] == "moderator");
  CHECK(app.user("mod").del(kMembers + "/admin").code() == "forbidden");
  CHECK(app.user("mod").patch(kMembers + "/bob", {{"role", "member"}}).code() == "forbidden");
  CHECK(app.user("mod").del(kMembers + "/bob").status == 204);
  CHECK(owner.del(kMembers + "/bob").code() == "not_found");
  CHECK(owner.patch(kMembers + "/mod", {{"role", "king"}}).pointer() == "#/role");
}

TEST_CASE("members: one may leave, and then hears and sees nothing", "[api][members]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  CHECK(app.user("bob").del(kMembers + "/bob").status == 204);
  CHECK(app.user("bob").get("/v1/channels/messaging/general").code() == "not_found");
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}}).code() == "not_found");
  CHECK(app.server().get("/v1/channels/messaging/general").body["channel"]["member_count"] == 1);
}

TEST_CASE("members: the count is right however many come and go at once", "[api][members]") {
  TestApp app;
  std::vector<std::string> users{"alice"};
  for (int i = 0; i < 12; ++i) users.push_back("u" + std::to_string(i));
  app.add_users(users);
  app.add_channel("general", {"alice"});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t, alice = app.user("alice")]() mutable {
        for (int i = 0; i < 12; ++i) {
          const auto user = "u" + std::to_string((i * 5 + t) % 12);
          if ((i + t) % 3) alice.post(kMembers, {{"members", {user}}});
          else alice.del(kMembers + "/" + user);
        }
      });
  }
  CHECK(app.server().get("/v1/channels/messaging/general").body["channel"]["member_count"] == app.rows("channel_members"));
}

TEST_CASE("members: listed page by page", "[api][members]") {
  TestApp app;
  std::vector<std::string> users;
  for (int i = 0; i < 7; ++i) users.push_back("u" + std::to_string(i));
  app.add_users(users);
  app.add_channel("general", users);
  std::size_t seen = 0;
  std::string next;
  do {
    auto page = app.user("u0").get(kMembers + "?limit=3" + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    seen += page.body["members"].size();
    next = page.body.value("next", "");
  } while (!next.empty() && seen < 100);
  CHECK(seen == 7);
  CHECK(app.user("u0").get(kMembers + "?next=abc").pointer() == "query:next");
}

TEST_CASE("members: a change of role is told to the channel", "[api][members][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  app.user("alice").patch(kMembers + "/bob", {{"role", "admin"}});
  CHECK(hear(bob, "member.updated")["data"]["member"]["role"] == "admin");
  app.user("alice").patch(kMembers + "/bob", {{"role", "admin"}});
  CHECK_FALSE(bob.find("member.updated", std::chrono::milliseconds(150)));
}
