#include <catch2/catch.hpp>

#include "tests/api/service/campaigns_stage.h"

// What a plan leaves of recipients: exact, whoever sends.
using namespace chat;
using namespace chat::test;

namespace {

std::string uuid_of(const TestApp& app) { return AppId::parse(app.id())->text(); }

/// As the ledger has it.
std::string months_usage(const TestApp& app) {
  return Probe(superuser_database().dsn).value("select coalesce(sum(value), 0) from usage_metrics where meter = 'campaign_recipients' and app_id = '" + uuid_of(app) + "'");
}

/// One a month is included; what is over goes at that pace, the first at once.
void throttle(TestApp& app, const std::string& meter) {
  const auto plan = "p-" + app.id().substr(4);
  auto operators = Service::get().operators();
  const Json limit{{"meter", meter}, {"included", 1}, {"action", "throttle"}};
  REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "Slow"}, {"limits", Json::array({limit})}}).status / 100 == 2);
  REQUIRE(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"plan", plan}}}}).status == 200);
  eventually("the plan holds", [&] { return app.server().get("/v1/usage").body["plan"] == plan; });
}

}  // namespace

TEST_CASE("campaigns: what other nodes have on their way, or have counted, is not given twice", "[api][campaigns][limits]") {
  Shop shop({"alice", "bob", "carol", "dave"}, {{"campaign_recipients", {{"hard", 4}}}});
  const auto campaign = shop.draft_for({"alice", "bob", "carol", "dave"});
  Probe other(superuser_database().dsn);
  other.run("insert into usage_holds (app_id, id, meter, value, held_until) values ('" + uuid_of(shop) + "', gen_random_uuid(), 'campaign_recipients', 2, now() + interval '1 hour')");
  shop.start(campaign);
  eventually("two are sent to, the others wait", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.rows("campaign_recipients", "state = 'sent'") == 2 && shop.rows("campaign_recipients", "state = 'waiting' and claimed_until > now()") == 2;
  });
  CHECK(shop.show(campaign)["status"] == "sending");
  shop.sql("delete from usage_holds where true");
  other.run("insert into usage_metrics (app_id, day, meter, shard, value) values ('" + uuid_of(shop) + "', (now() at time zone 'UTC')::date, 'campaign_recipients', 1, 1)");
  CHECK(shop.run_until(campaign, "paused")["reason"] == "quota_exceeded");
  eventually("nothing is under way", [&] { return shop.rows("usage_holds") == 0; });
  CHECK(shop.show(campaign)["progress"]["sent"] == 3);
  CHECK(months_usage(shop) == "4");
}

TEST_CASE("campaigns: a plan that slows recipients or messages slows a campaign, and neither pauses it nor lets anybody fail", "[api][campaigns][limits]") {
  for (const char* meter : {"campaign_recipients", "messages"}) {
    Shop shop({"alice", "bob", "carol"}, {{"message_bytes", {{"hard", 20'000}}}});   // one node: the other would know of the plan later
    throttle(shop, meter);
    const auto campaign = shop.draft_for({"alice", "bob", "carol"});
    shop.start(campaign);
    const auto rests = [&] {
      Service::get().node().run_job("send_campaigns");
      return shop.rows("campaign_recipients", "state = 'sent'") == 2 && shop.rows("campaign_recipients", "state = 'waiting' and claimed_until > now() + interval '20 seconds'") == 1 &&
             shop.rows("campaigns", "status = 'sending' and next_at > now() + interval '20 seconds'") == 1;
    };
    for (int round = 0; round < 3; ++round) {
      eventually("one beyond what is included is sent, the last one waits", rests);
      CHECK(shop.rows("campaign_recipients", "state = 'waiting' and attempts = 0 and claimed_until < now() + interval '31 seconds'") == 1);
      shop.sql("update campaign_recipients set claimed_until = now() where state = 'waiting'");
      shop.sql("update campaigns set next_at = now() where true");
    }
  }
}

TEST_CASE("campaigns: one whose segments grew beyond a million after its start fails, and writes to nobody more", "[api][campaigns][limits]") {
  Shop shop;
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  const auto campaign = shop.draft_for({"alice", "bob"}, later);
  shop.start(campaign);
  shop.sql("update campaigns set recipients = 999999, starts_at = now() where true");
  CHECK(shop.run_until(campaign, "failed")["reason"] == "too_many_recipients");
  CHECK(shop.rows("messages") == 0);
  shop.sql("update campaigns set recipients = 999998 where true");
  REQUIRE(shop.act(campaign, "resend").status == 200);
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 2);
}

TEST_CASE("campaigns: the progress of a large one is counted every two seconds at most, and whenever it comes to another state", "[api][campaigns]") {
  Shop shop({"alice", "bob"}, {{"message_bytes", {{"hard", 20'000}}}});   // one node: the other remembers for itself
  const auto campaign = shop.draft_for({"alice", "bob"});
  shop.run(campaign);
  const auto sent = [&] { return shop.show(campaign)["progress"]["sent"].get<int>(); };
  const std::string lose = "update campaign_recipients set state = 'skipped' where message_id = (select min(message_id::text)::uuid from campaign_recipients r where "
                           "r.app_id = campaign_recipients.app_id and r.state = 'sent')";
  CHECK(sent() == 2);
  shop.sql(lose);
  CHECK(sent() == 1);
  shop.sql("update campaigns set recipients = 10000 where true");
  CHECK(sent() == 1);
  shop.sql(lose);
  CHECK(sent() == 1);
  eventually("it is counted again", [&] { return sent() == 0; });
  shop.sql("update campaign_recipients set state = 'sent' where true");
  CHECK(sent() == 0);
  shop.sql("update campaigns set updated_at = now() where true");
  CHECK(sent() == 2);
}

TEST_CASE("campaigns: two nodes together write to as many as the plan leaves", "[.][nodes][campaigns][limits]") {
  Shop shop(many(600), {{"campaign_recipients", {{"hard", 500}}}});
  auto names = many(600);
  const std::vector<std::string> half(names.begin(), names.begin() + 300), other(names.begin() + 300, names.end());
  for (const auto& one : {shop.draft_for(half), shop.draft_for(other)}) shop.start(one);
  eventually("what is left is used up", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.rows("campaigns", "status = 'sending' or status = 'scheduled'") == 0;
  }, std::chrono::milliseconds(30'000));
  eventually("nothing is under way", [&] { return shop.rows("usage_holds") == 0; }, std::chrono::milliseconds(30'000));
  CHECK(months_usage(shop) == "500");
  CHECK(shop.rows("messages", "type = 'regular'") == 500);
}
