#include <catch2/catch.hpp>

#include "tests/api/service/metering_stage.h"
#include "tests/api/service/uploads_stage.h"

// What memory counts and the ledger keeps, with a clock that is set.
using namespace chat;
using namespace chat::test;
using billing::Meter;

namespace {

Json recounted(TestApp& app, const std::string& day) {
  return Service::get().operators().get("/operator/v1/applications/" + app.id() + "/usage/recount?day=" + day).body;
}

int ledger(TestApp& app, const std::string& meter, const std::string& day, int value) {
  return app.rows("usage_metrics", "meter = '" + meter + "' and day = '" + day + "' and value = " + std::to_string(value));
}

}  // namespace

TEST_CASE("metering: what was done before midnight belongs to that day and month, whenever it is flushed", "[api][metering]") {
  TestApp app;
  app.add_users({"alice"});
  Service::get().node().run_job("flush_usage");
  Node node(app, R"({"api_calls":{"hard":8}})");
  node.call(3);
  node.account()->count(Meter::deliveries, 20, node.clock.at);
  node.account()->first_seen("alice", node.clock.at);
  node.clock.at = *parse_time("2031-12-01T00:00:05Z");
  node.call(2);
  CHECK(node.account()->used(Meter::api_calls, node.clock.at) == 2);
  node.flush();
  CHECK(ledger(app, "api_calls", "2031-11-30", 3) == 1);
  CHECK(ledger(app, "api_calls", "2031-12-01", 2) == 1);
  CHECK(ledger(app, "deliveries", "2031-11-30", 20) == 1);
  CHECK(app.rows("active_users", "month = '2031-11-01' and first_day = '2031-11-30'") == 1);
  CHECK(app.rows("active_users", "month = '2031-12-01'") == 0);
  CHECK(node.account()->used(Meter::api_calls, node.clock.at) == 2);
  node.call(6);
  CHECK_THROWS_AS(node.call(1), Error);
  node.account()->first_seen("alice", node.clock.at);
  node.flush();
  CHECK(app.rows("active_users", "month = '2031-12-01' and user_id = 'alice'") == 1);
}

TEST_CASE("metering: a flush that fails is kept and counts once, with what came meanwhile", "[api][metering]") {
  TestApp app;
  Node node(app);
  node.call(5);
  node.flush();
  node.call(5);
  Probe outside(superuser_database().dsn);
  outside.run("begin; select 1 from usage_metrics where app_id = '" + AppId::parse(app.id())->text() + "' for update");
  node.flush();                                       // waits for that row until its time is over
  CHECK(ledger(app, "api_calls", "2031-11-30", 5) == 1);
  node.call(2);
  CHECK(node.account()->used(Meter::api_calls, node.clock.at) == 12);
  outside.run("rollback");
  for (int i = 0; i < 3; ++i) node.flush();
  CHECK(ledger(app, "api_calls", "2031-11-30", 12) == 1);
  CHECK(app.rows("usage_flushes") == 3);
  CHECK(node.account()->used(Meter::api_calls, node.clock.at) == 12);
}

TEST_CASE("metering: two nodes count together, and a node that begins again knows the month", "[api][metering]") {
  TestApp app;
  Node one(app, R"({"api_calls":{"hard":10}})"), two(app, R"({"api_calls":{"hard":10}})");
  one.call(4);
  two.call(3);
  one.flush();
  two.flush();
  CHECK(ledger(app, "api_calls", "2031-11-30", 7) == 1);
  CHECK(two.account()->used(Meter::api_calls, two.clock.at) == 7);
  one.call(1);
  one.flush();                                        // and hears what the other one had
  CHECK(one.account()->used(Meter::api_calls, one.clock.at) == 8);
  Node again(app, R"({"api_calls":{"hard":10}})");
  again.call(2);
  CHECK_THROWS_AS(again.call(1), Error);
}

TEST_CASE("metering: what was not flushed when a node died is missing, and nothing twice", "[api][metering]") {
  TestApp app;
  {
    Node dies(app);
    dies.call(4);
    dies.flush();
    dies.call(100);
  }
  Node next(app);
  next.call(1);
  next.flush();
  CHECK(ledger(app, "api_calls", "2031-11-30", 5) == 1);
}

TEST_CASE("metering: each mark of a limit is told once a period, in order, and again until it was heard", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"api_calls":{"included":10,"hard":12}})");
  node.call(7);
  node.flush();
  CHECK(node.told.empty());
  node.refuses = true;
  node.call(1);
  node.flush();
  CHECK(node.told.empty());
  node.refuses = false;
  node.flush();
  CHECK(node.told == std::vector<std::string>{"api_calls warning 2031-11 8"});
  node.call(4);
  node.flush();
  node.flush();
  CHECK(node.told == std::vector<std::string>{"api_calls warning 2031-11 8", "api_calls overage 2031-11 12", "api_calls blocked 2031-11 12"});
  node.clock.at = *parse_time("2031-12-01T00:00:05Z");
  node.call(8);
  node.flush();
  CHECK(node.told.back() == "api_calls warning 2031-12 8");
}

TEST_CASE("metering: a mark passed in the last moment of its period is told, in that period", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"api_calls":{"included":10,"hard":12},"peak_connections":{"included":1,"hard":5}})");
  node.flush();
  node.clock.at = *parse_time("2031-11-30T23:59:59Z");
  node.call(9);
  node.account()->open_connection(node.clock.at);
  node.account()->close_connection();
  node.clock.at = *parse_time("2031-12-01T00:00:05Z");
  node.refuses = true;
  node.flush();
  CHECK(node.told.empty());
  node.refuses = false;
  node.flush();
  node.flush();
  CHECK(node.told == std::vector<std::string>{"api_calls warning 2031-11 9", "peak_connections warning 2031-11-30 1"});
}

TEST_CASE("metering: a part of a limit that was not used is given back, and others can be counted in one's own transaction", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"moderation_calls":{"hard":3},"campaign_recipients":{"hard":5}})");
  const auto account = node.account();
  {
    billing::Spending spending(account, Meter::moderation_calls, 3, node.clock.at);
    CHECK_THROWS_AS(billing::Spending(account, Meter::moderation_calls, 1, node.clock.at), Error);
    node.connection.transact(node.application->id, storage::Mode::write,
                             [&](storage::Transaction& tx) { billing::count_usage(tx, Meter::moderation_calls, 2, node.clock.at); });
    spending.done(2, node.clock.at);
  }
  CHECK(ledger(app, "moderation_calls", "2031-11-30", 2) == 1);
  CHECK(account->used(Meter::moderation_calls, node.clock.at) == 2);
  billing::Spending(account, Meter::moderation_calls, 1, node.clock.at);
  CHECK(account->reserve_some(Meter::campaign_recipients, 9, node.clock.at) == 5);
  CHECK(account->reserve_some(Meter::campaign_recipients, 1, node.clock.at) == 0);
}

TEST_CASE("metering: a day counted again from its rows is what the ledger says, and what is missing is seen", "[api][metering][ws]") {
  const auto today = test::today();
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  const auto first = app.send("alice", "general", "one")["id"].get<std::string>();
  app.send("bob", "general", "two");
  hear(bob, "message.new");
  REQUIRE(app.user("alice").del(kMessages + "/" + first).status == 200);
  REQUIRE(app.user("alice").post(kUploads, {{"name", "a.bin"}, {"size_bytes", 77}}).status == 201);
  CHECK(app.user("alice").post(kMessages, {{"text", ""}}).status == 400);
  eventually("what was counted in memory is in the ledger", [&] { return recounted(app, today)["meters"][2]["ledger"] >= 7; });
  auto again = recounted(app, today);
  CHECK(again["difference"] == 0);
  CHECK(again["meters"][0] == Json{{"meter", "messages"}, {"ledger", 2}, {"rows", 2}, {"difference", 0}, {"complete", true}});
  CHECK(again["meters"][1]["rows"] == 2);
  CHECK(again["meters"][5]["rows"] == 77);
  CHECK(recounted(app, "2020-01-01")["difference"] == 0);

  Probe outside(superuser_database().dsn);
  const auto of_app = " where app_id = '" + AppId::parse(app.id())->text() + "'";
  outside.run("update usage_metrics set value = value + 3" + of_app + " and meter = 'messages'; delete from active_users" + of_app + " and user_id = 'bob'");
  again = recounted(app, today);
  CHECK(again["meters"][0]["difference"] == 3);
  CHECK(again["meters"][1]["difference"] == -1);
  CHECK(again["difference"] == 4);
  CHECK(Service::get().operators().get("/operator/v1/applications/" + app.id() + "/usage/recount?day=today").pointer() == "query:day");
}

TEST_CASE("metering: after a random load of two nodes, of which one dies, nothing differs but what it had not flushed", "[api][metering]") {
  TestApp app;
  std::srand(7);
  Node stays(app);
  std::int64_t flushed = 0;
  for (int round = 0; round < 4; ++round) {
    Node dies(app);
    for (int i = 0; i < 20; ++i) {
      auto& node = std::rand() % 2 == 0 ? stays : dies;
      const int calls = std::rand() % 5;
      node.call(calls);
      node.account()->count(Meter::deliveries, std::rand() % 100, node.clock.at);
      node.clock.at += std::chrono::minutes(std::rand() % 3);
      if (std::rand() % 4 == 0) node.flush();
    }
    dies.call(5);                                     // never flushed
  }
  stays.flush();
  for (const char* day : {"2031-11-30", "2031-12-01"}) {
    auto again = recounted(app, day);
    CHECK(again["difference"] == 0);
    flushed += again["meters"][2]["ledger"].get<std::int64_t>();
  }
  CHECK(flushed > 0);
  CHECK(app.rows("usage_flushes", "counts = '{}'") == 0);
}

TEST_CASE("usage: a day is shown by the hour in which it was done", "[api][usage]") {
  TestApp app;
  Node node(app);
  node.call(3);
  node.clock.at = *parse_time("2031-12-01T00:00:01Z");
  node.call(2);
  node.account()->reserve(Meter::push, 4, node.clock.at);
  node.account()->spent(Meter::push, 4, node.clock.at);
  node.clock.at = *parse_time("2031-12-01T01:30:00Z");
  node.call(1);
  node.flush();
  auto hours = app.server().get("/v1/usage/hours?day=2031-12-01").body["hours"];
  REQUIRE(hours.size() == 2);
  CHECK(hours[0]["hour"] == "2031-12-01T00:00:00.000000Z");
  CHECK(hours[0]["api_calls"] == 2);
  CHECK(hours[0]["push"] == 4);
  CHECK(hours[1]["api_calls"] == 1);
  auto twin = Service::get().operators().get("/operator/v1/applications/" + app.id() + "/usage/hours?day=2031-11-30").body["hours"];
  REQUIRE(twin.size() == 1);
  CHECK(twin[0]["api_calls"] == 3);
  CHECK(app.server().get("/v1/usage/hours?day=2026-13-01").pointer() == "query:day");
}
