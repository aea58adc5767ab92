#include <catch2/catch.hpp>

#include <thread>

#include "platform/chat/channels/channels.h"
#include "tests/api/service/campaigns_stage.h"

// What happens on the way: two at once, a claim whose holder died, limits, a rate, a sender who goes.
using namespace chat;
using namespace chat::test;

namespace {

std::vector<std::string> many(int count) {
  std::vector<std::string> users;
  for (int i = 0; i < count; ++i) users.push_back("u" + std::to_string(i));
  return users;
}

}  // namespace

TEST_CASE("campaigns: sent once, though jobs run side by side and one dies before it kept the ends", "[api][campaigns][concurrency]") {
  Shop shop(many(300));
  const auto campaign = shop.draft_for(many(300));
  shop.start(campaign);
  std::thread beside([] { Service::get().node().run_job("send_campaigns"); });
  Service::get().node().run_job("send_campaigns");
  beside.join();
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 300);
  CHECK(shop.rows("messages") == 300);
  // As after a crash between the sends and the keeping of their ends: messages are there, their recipients wait.
  shop.sql("update campaign_recipients set state = 'waiting', claimed_until = now() - interval '1 second', message_id = null, sent_at = null where state = 'sent'");
  shop.sql("update campaigns set status = 'sending', finished_at = null, next_at = now() where status = 'completed'");
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 300);
  CHECK(shop.rows("messages") == 300);
  CHECK(shop.rows("campaign_recipients", "message_id in (select id from messages)") == 300);
}

TEST_CASE("campaigns: what was taken so long ago that its nonce may be forgotten is not sent on a guess", "[api][campaigns]") {
  Shop shop;
  const auto campaign = shop.draft_for({"alice", "bob"}, {{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}});
  shop.start(campaign);
  shop.sql("update campaign_recipients set claimed_until = now() - interval '8 days' where target_id = (select id from users where user_id = 'bob' and "
           "users.app_id = campaign_recipients.app_id)");
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  shop.run_until(campaign, "completed");
  CHECK(shop.recipients(campaign, "failed").at("bob")["reason"] == "unknown");
  CHECK(shop.inbox("bob").empty());
  REQUIRE(shop.act(campaign, "resend").status == 200);
  shop.run_until(campaign, "completed");
  CHECK(shop.inbox("bob").size() == 1);
  CHECK(shop.inbox("alice").size() == 1);
}

TEST_CASE("campaigns: more than the plan has left is refused at the start; what runs out on the way pauses it", "[api][campaigns][limits][ws]") {
  Shop shop({"alice", "bob", "carol"}, {{"campaign_recipients", {{"hard", 2}}}});
  const auto all = shop.draft_for({"alice", "bob", "carol"});
  const auto refused = shop.act(all, "start");
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:campaign_recipients");
  CHECK(shop.show(all)["status"] == "draft");
  CHECK(shop.rows("messages") == 0);
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  auto backend = shop.connect("");
  shop.start(shop.draft_for({"alice", "bob"}, later));
  shop.start(shop.draft_for({"carol", "alice"}, later));   // there was room for each, not for both
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  eventually("one is paused", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.server().get("/v1/campaigns?status=paused").body["campaigns"].size() == 1;
  });
  CHECK(hear(backend, "campaign.paused")["data"]["campaign"]["reason"] == "quota_exceeded");
  eventually("nothing is under way", [&] { return shop.rows("campaign_recipients", "state = 'sent'") == 2; });
  CHECK(shop.rows("messages") == 2);
}

TEST_CASE("campaigns: a rate is kept, whoever sends", "[api][campaigns]") {
  Shop shop(many(12));
  const auto campaign = shop.draft_for(many(12), {{"rate", 4}});
  const auto before = std::chrono::steady_clock::now();
  shop.run(campaign);
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(1'900));   // a second's worth at once, the rest at 4 a second
  CHECK(shop.rows("messages") == 12);
}

TEST_CASE("campaigns: a sender who goes ends it, and who comes back goes on", "[api][campaigns][ws]") {
  Shop shop;
  auto backend = shop.connect("");
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  const auto campaign = shop.draft_for({"alice", "bob"}, later);
  shop.start(campaign);
  REQUIRE(shop.server().post("/v1/users/shop/deactivate").status == 200);
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  CHECK(shop.run_until(campaign, "failed")["reason"] == "sender_gone");
  CHECK(hear(backend, "campaign.failed")["data"]["campaign"]["reason"] == "sender_gone");
  REQUIRE(shop.server().post("/v1/users/shop/reactivate").status == 200);
  REQUIRE(shop.act(campaign, "resend").status == 200);
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 2);
  CHECK(shop.rows("messages") == 2);
}

TEST_CASE("campaigns: a direct channel is the one that users would have opened themselves", "[api][campaigns]") {
  Shop shop({"Zed", "alice_1", "a.b@c"});
  shop.run(shop.draft_for({"Zed", "alice_1", "a.b@c"}));
  for (const char* user : {"Zed", "alice_1", "a.b@c"}) {
    const auto opened = shop.user(user).post("/v1/channels/messaging", {{"members", {"shop"}}});
    CHECK(opened.status == 200);
    CHECK(opened.body["channel"]["id"] == channels::distinct_id({user, "shop"}));
  }
  CHECK(shop.rows("channels") == 3);
  const auto without = shop.draft_for({"Zed"}, {{"channel", {{"type", "team"}, {"create", false}}}});
  shop.run(without);
  CHECK(shop.recipients(without, "skipped").at("Zed")["reason"] == "no_channel");
}

TEST_CASE("campaigns: a plan without them refuses, and pauses what was begun", "[api][campaigns][limits]") {
  Shop shop({"alice"}, {{"message_bytes", {{"hard", 20'000}}}});   // one node: the other would know of the plan later
  const auto campaign = shop.draft_for({"alice"}, {{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}});
  shop.start(campaign);
  auto operators = Service::get().operators();
  REQUIRE(operators.put("/operator/v1/plans/p-" + shop.id().substr(4), {{"name", "Less"}, {"limits", Json::array()}, {"features", {{"campaigns", false}}}}).status / 100 == 2);
  REQUIRE(operators.patch("/operator/v1/applications/" + shop.id(), {{"set", {{"plan", "p-" + shop.id().substr(4)}}}}).status == 200);
  eventually("the plan holds", [&] { return shop.server().get("/v1/campaigns").code() == "limit_reached"; });
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  eventually("it is paused", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.rows("campaigns", "status = 'paused' and reason = 'plan'") == 1;
  });
  CHECK(shop.rows("messages") == 0);
}
