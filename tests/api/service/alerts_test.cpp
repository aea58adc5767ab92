#include <catch2/catch.hpp>
#include <thread>

#include "billing/alerts/alerts.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
void flush() { Service::get().node().run_job("flush_usage"); }

}  // namespace

TEST_CASE("alerts: each mark of a limit is told once in a period, to the backend and the operator", "[api][alerts][ws]") {
  TestApp app(Json{{"messages", {{"included", 5}, {"hard", 7}}}}), other;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto backend = app.connect(""), stranger = other.connect("");
  for (int i = 0; i < 3; ++i) app.send("alice", "general", "x");
  flush();
  CHECK(app.rows("limit_alerts") == 0);
  app.send("alice", "general", "the fourth of five");
  const auto noticed = [&](int rows) { eventually("noticed", [&] { flush(); return app.rows("limit_alerts") == rows; }, std::chrono::seconds(15)); };
  noticed(1);
  const auto warning = hear(backend, "billing.limit.crossed")["data"]["alert"];
  CHECK(warning["level"] == "warning");
  CHECK(warning["value"] == 4);
  for (int i = 0; i < 3; ++i) app.send("alice", "general", "x");
  noticed(3);
  CHECK(hear(backend, "billing.limit.crossed")["data"]["alert"]["level"] == "overage");
  CHECK(hear(backend, "billing.limit.crossed")["data"]["alert"]["level"] == "hard");
  flush();
  CHECK(app.user("alice").post(kMessages, {{"text", "x"}}).code() == "quota_exceeded");
  flush();
  CHECK(app.rows("limit_alerts") == 3);
  CHECK_FALSE(backend.find("billing.limit.crossed", std::chrono::milliseconds(150)));
  CHECK_FALSE(stranger.find("billing.limit.crossed", std::chrono::milliseconds(50)));
  const auto own = app.server().get("/v1/alerts?limit=2");
  CHECK(own.body["alerts"].size() == 2);
  CHECK(app.server().get("/v1/alerts?limit=2&next=" + own.body["next"].get<std::string>()).body["alerts"][0] == warning);
  CHECK(other.server().get("/v1/alerts").body["alerts"].empty());
  CHECK(app.user("alice").get("/v1/alerts").status == 403);
  CHECK(operators().get("/operator/v1/alerts?app=" + app.id()).body["alerts"].size() == 3);
  CHECK(operators().get("/operator/v1/alerts?app=nobody-is-called-so").status == 404);
}

TEST_CASE("alerts: a crossing that two nodes notice is told by one", "[api][alerts]") {
  TestApp app;
  auto bus = bus::make_local_bus();
  const auto now = system_clock().now();
  const billing::Crossing crossing{*AppId::parse(app.id()), billing::Meter::push, billing::Level::warning, month_of(now).substr(0, 7), 80, {.included = 100}};
  std::atomic<int> told{0};
  {
    std::vector<std::jthread> nodes;
    for (int i = 0; i < 4; ++i)
      nodes.emplace_back([&] {
        storage::Connection connection(server_database());
        told += alerts::tell(connection, *bus, crossing, now);
      });
  }
  CHECK(told == 1);
  CHECK(app.rows("limit_alerts") == 1);
  auto larger = crossing;
  larger.limit.included = 90;
  storage::Connection connection(server_database());
  CHECK(alerts::tell(connection, *bus, larger, now));          // another limit: told anew
  CHECK_FALSE(alerts::tell(connection, *bus, larger, now));
  larger.app = AppId::make(now);
  CHECK_FALSE(alerts::tell(connection, *bus, larger, now));    // gone meanwhile: nobody is told, and nothing is tried again
}
