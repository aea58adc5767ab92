#include <catch2/catch.hpp>

#include "tests/api/service/campaigns_stage.h"
#include "tests/api/service/metering_stage.h"
#include "tests/support/hooked.h"

// A day counted again: what is counted in its own transaction, against what that left behind.
using namespace chat;
using namespace chat::test;
using billing::Meter;

namespace {

struct Books : Shop {
  const std::string today = test::today();
  Json recount(const std::string& day) { return Service::get().operators().get("/operator/v1/applications/" + id() + "/usage/recount?day=" + day).body; }
  Json meter(const std::string& name, const std::string& day) {
    const auto answer = recount(day);
    for (const auto& one : answer["meters"])
      if (one["meter"] == name) return one;
    return {};
  }
  static Json same(const std::string& name, int value) {
    return {{"meter", name}, {"ledger", value}, {"rows", value}, {"difference", 0}, {"complete", true}};
  }
};

}  // namespace

TEST_CASE("recount: webhooks and campaigns are counted again from their rows, also when those are gone", "[api][usage][campaigns][webhooks]") {
  Books books;
  Hooked hooked;
  const auto endpoint = subscribe(books, hooked.url(), {{"events", {"message.new"}}});
  const auto campaign = books.draft_for({"alice", "bob"});
  books.run(campaign);
  eventually("both are delivered", [&] { return books.meter("webhook_deliveries", books.today) == Books::same("webhook_deliveries", 2); }, std::chrono::seconds(20));
  CHECK(books.meter("campaign_recipients", books.today) == Books::same("campaign_recipients", 2));
  CHECK(books.recount(books.today)["difference"] == 0);
  const auto hours = books.server().get("/v1/usage/hours?day=" + books.today).body["hours"];
  std::int64_t delivered = 0;
  for (const auto& hour : hours) delivered += hour["webhook_deliveries"].get<std::int64_t>();
  CHECK(delivered == 2);

  REQUIRE(books.server().post(endpoint.path("/test"), {{"type", "message.new"}}).status / 100 == 2);   // told, and not counted
  eventually("the test is delivered", [&] { return hooked.all().size() >= 3; }, std::chrono::seconds(20));
  REQUIRE(books.server().del(endpoint.path()).status == 204);
  REQUIRE(books.server().del(Shop::path_of(campaign)).status == 204);
  eventually("their rows are gone", [&] {
    for (const char* job : {"sweep_webhooks", "sweep_campaigns"}) Service::get().node().run_job(job);
    return books.rows("webhook_logs") + books.rows("campaign_recipients") == 0;
  }, std::chrono::seconds(20));
  for (const char* name : {"webhook_deliveries", "campaign_recipients"}) CHECK(books.meter(name, books.today) == Books::same(name, 2));

  for (const char* name : {"webhook_deliveries", "campaign_recipients"})
    books.sql("update usage_metrics set value = value + 1 where meter = '" + std::string(name) + "'");
  CHECK(books.recount(books.today)["difference"] == 2);
}

TEST_CASE("recount: what was counted in memory under one id counts once, on the day on which it was, and is found again", "[api][usage]") {
  Books books;
  Node node(books);
  const auto before_midnight = *parse_time("2031-11-30T23:00:00Z");
  for (int times = 0; times < 2; ++times)
    node.connection.transact(node.application->id, storage::Mode::write, [&](storage::Transaction& tx) {
      billing::count_flushed(tx, "moderation:test:1", Meter::moderation_calls, 3, before_midnight, *parse_time("2031-12-01T00:00:01Z"));
      billing::count_flushed(tx, "moderation:test:2", Meter::moderation_calls, 0, before_midnight, before_midnight);
    });
  CHECK(books.meter("moderation_calls", "2031-11-30") == Books::same("moderation_calls", 3));
  CHECK(books.meter("moderation_calls", "2031-12-01") == Books::same("moderation_calls", 0));
  books.sql("update usage_metrics set value = 4 where meter = 'moderation_calls'");
  CHECK(books.meter("moderation_calls", "2031-11-30")["difference"] == 1);
}

TEST_CASE("recount: of days before an application came in by an import, what did not travel is not complete", "[api][usage][transfers]") {
  Books books;
  CHECK(books.meter("api_calls", books.today)["complete"] == true);
  books.sql("update applications set created_at = created_at - interval '30 days' where true");
  for (const char* name : {"api_calls", "push", "webhook_deliveries"}) CHECK(books.meter(name, books.today)["complete"] == false);
  for (const char* name : {"messages", "campaign_recipients"}) CHECK(books.meter(name, books.today)["complete"] == true);
  CHECK(books.meter("api_calls", day_of(system_clock().now() + std::chrono::hours(48)))["complete"] == true);
}
