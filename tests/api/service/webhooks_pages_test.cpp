#include <catch2/catch.hpp>

#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

// What became of many events, page by page.
namespace {

/// A paused endpoint that took 12,000 events, of which the oldest alone is of type poll.closed.
struct Long : TestApp {
  Long() {
    endpoint = subscribe(*this, "https://example.com/", {{"events", {"poll.closed"}}});
    REQUIRE(server().post(endpoint.path("/pause")).status == 200);
    const std::string many = " from webhook_endpoints e, generate_series(1, 12000) s where e.app_id = '" + uuid() + "'";
    const std::string what = "e.app_id, e.id, uuid7_floor(now() - s * interval '1 second'), case when s = 12000 then 'poll.closed' else 'message.new' end, 'event', ";
    run("insert into webhook_deliveries (app_id, endpoint_id, event_id, type, trigger, body, ordered, state, ended_at, created_at) select " + what +
        "'{}', false, case when s = 12000 then 'failed' else 'succeeded' end, now(), now()" + many);
    run("insert into webhook_logs (app_id, endpoint_id, event_id, type, trigger, attempt, outcome, duration_us, response_headers, response_body, is_cut, started_at) select " +
        what + "1, case when s = 12000 then 'timed_out' else 'succeeded' end, 1, '{}', '', false, now() - s * interval '1 second'" + many);
  }
  [[nodiscard]] std::string uuid() const { return AppId::parse(id())->text(); }
  static void run(const std::string& statement) { Probe(superuser_database().dsn).run(statement); }
  Subscribed endpoint;
};

}  // namespace

TEST_CASE("webhooks: what is rare in a long log is found behind pages that may be empty", "[api][webhooks]") {
  Long app;
  auto server = app.server();
  const auto walk = [&](const std::string& path, const char* member) {
    std::vector<std::size_t> pages;
    std::string next;
    do {
      const auto page = server.get(path + (next.empty() ? "" : "&next=" + next)).body;
      pages.push_back(page[member].size());
      next = page.value("next", "");
    } while (!next.empty());
    return pages;
  };
  using Pages = std::vector<std::size_t>;
  CHECK(walk(app.endpoint.path("/deliveries?type=poll.closed"), "deliveries") == Pages{0, 1});
  CHECK(walk(app.endpoint.path("/deliveries?state=pending"), "deliveries") == Pages{0, 0});
  CHECK(walk(app.endpoint.path("/deliveries?state=failed"), "deliveries") == Pages{1});   // an index of its own
  CHECK(walk("/v1/webhooks/logs?type=poll.closed", "webhook_logs") == Pages{0, 1});
  CHECK(walk("/v1/webhooks/logs?outcome=timed_out", "webhook_logs") == Pages{1});
  app.run("update webhook_logs set type = 'poll.closed' where started_at = (select min(started_at) from (select started_at from webhook_logs where app_id = '" + app.uuid() +
          "' order by started_at desc limit 10000) last) and app_id = '" + app.uuid() + "'");
  CHECK(walk("/v1/webhooks/logs?type=poll.closed", "webhook_logs") == Pages{1, 1});   // the last that was read
}

TEST_CASE("webhooks: a replay of many goes on where it stopped, though what it replayed has ended again", "[api][webhooks]") {
  Long app;
  auto server = app.server();
  const auto first = server.post(app.endpoint.path("/replay"), {{"which", "all"}}).body;
  CHECK(first["replayed"] == 10'000);
  CHECK(first["complete"] == false);
  CHECK(app.rows("webhook_deliveries", "state = 'pending' and trigger = 'replay'") == 10'000);
  CHECK(app.rows("webhook_deliveries", "state = 'pending' and type = 'poll.closed'") == 1);   // the oldest first
  app.run("update webhook_deliveries set state = 'succeeded', due_at = null where app_id = '" + app.uuid() + "'");
  const auto second = server.post(app.endpoint.path("/replay"), {{"which", "all"}, {"next", first["next"]}}).body;
  CHECK(second == Json{{"replayed", 2'000}, {"complete", true}});
  CHECK(app.rows("webhook_deliveries", "state = 'pending'") == 2'000);
  CHECK(server.post(app.endpoint.path("/replay"), {{"which", "failed"}, {"next", first["next"]}}).pointer() == "#/next");
}
