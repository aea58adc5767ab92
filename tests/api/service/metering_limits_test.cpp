#include <catch2/catch.hpp>
#include <thread>

#include "tests/api/service/metering_stage.h"

// What an account lets through, with a clock that is set and more than one node.
using namespace chat;
using namespace chat::test;
using billing::Meter;

namespace {

Code refused(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::internal;
}

void fill_month(TestApp& app, int users) {
  Probe outside(superuser_database().dsn);
  outside.run("insert into active_users (app_id, month, user_id, first_day) select '" + AppId::parse(app.id())->text() +
              "', '2031-11-01', 'u' || n, '2031-11-30' from generate_series(1, " + std::to_string(users) + ") n");
}

}  // namespace

TEST_CASE("limits: sockets that open and close at once leave none behind", "[api][metering]") {
  TestApp app;
  Node node(app);
  const auto account = node.account();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 20'000; ++n) {
          account->open_connection(node.clock.at);
          account->close_connection();
        }
      });
  }
  CHECK(account->connections() == 0);
}

TEST_CASE("limits: users whom another node let in are seen before one too many comes", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"active_users":{"hard":10003}})");
  node.clock.at -= std::chrono::minutes(30);
  CHECK(!node.account()->must_ask("alice", node.clock.at));
  fill_month(app, 10'003);
  node.clock.at += std::chrono::minutes(1);
  CHECK(node.account()->must_ask("alice", node.clock.at));
  CHECK(refused([&] { node.accounts.admit(node.connection, *node.account(), "alice"); }) == Code::quota_exceeded);
  CHECK(node.account()->used(Meter::active_users, node.clock.at) == 10'003);
  CHECK(refused([&] { (void)node.account()->must_ask("alice", node.clock.at); }) == Code::quota_exceeded);   // remembered
  CHECK_NOTHROW(node.accounts.admit(node.connection, *node.account(), "u7"));
  node.change(app, R"({"active_users":{"hard":10004}})");
  CHECK_NOTHROW(node.accounts.admit(node.connection, *node.account(), "alice"));
  CHECK(app.rows("active_users", "user_id = 'alice'") == 1);
  CHECK(refused([&] { node.accounts.admit(node.connection, *node.account(), "bob"); }) == Code::quota_exceeded);
  node.clock.at = *parse_time("2031-12-01T00:00:05Z");
  CHECK_NOTHROW(node.accounts.admit(node.connection, *node.account(), "bob"));
}

TEST_CASE("limits: what is over the included amount goes at the pace of a month, amounts as amounts", "[api][metering]") {
  TestApp app;
  const std::string second = R"({"included":2592000,"action":"throttle"})";      // one a second
  Node node(app, R"({"egress_bytes":)" + second + R"(,"push":)" + second + R"(,"deliveries":)" + second + R"(,"messages":{"included":0,"action":"throttle"}})");
  const auto account = node.account();
  node.clock.at = *parse_time("2031-11-30T12:00:00Z");
  const auto fetch = [&](std::int64_t bytes) { account->charge(Meter::egress_bytes, bytes, node.clock.at); };
  fetch(2'592'000);
  fetch(60);                                         // a minute's worth at once
  CHECK(refused([&] { fetch(1); }) == Code::rate_limited);
  node.clock.at += std::chrono::seconds(10);
  CHECK(refused([&] { fetch(11); }) == Code::rate_limited);
  fetch(10);
  CHECK(refused([&] { fetch(1); }) == Code::rate_limited);
  CHECK(account->used(Meter::egress_bytes, node.clock.at) == 2'592'070);

  CHECK(account->reserve_some(Meter::push, 2'592'100, node.clock.at) == 2'592'060);
  node.clock.at += std::chrono::seconds(7);
  CHECK(account->reserve_some(Meter::push, 100, node.clock.at) == 7);

  account->count(Meter::deliveries, 2'592'000, node.clock.at);
  CHECK_NOTHROW(account->check(Meter::deliveries, node.clock.at));
  account->count(Meter::deliveries, 160, node.clock.at);                          // done already: owed
  CHECK(refused([&] { account->check(Meter::deliveries, node.clock.at); }) == Code::rate_limited);
  node.clock.at += std::chrono::seconds(90);
  CHECK(refused([&] { account->check(Meter::deliveries, node.clock.at); }) == Code::rate_limited);
  node.clock.at += std::chrono::seconds(15);
  CHECK_NOTHROW(account->check(Meter::deliveries, node.clock.at));

  CHECK(refused([&] { account->reserve(Meter::messages, 1, node.clock.at); }) == Code::rate_limited);   // a pace of nothing
}

TEST_CASE("limits: an override ends when it says, and lifts a limit that blocks", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"api_calls":{"hard":1,"expires_at":"2031-11-30T23:59:55Z"}})");
  node.call(1);
  CHECK(refused([&] { node.call(1); }) == Code::quota_exceeded);
  node.clock.at = *parse_time("2031-11-30T23:59:55Z");
  node.call(3);
  CHECK(node.account()->used(Meter::api_calls, node.clock.at) == 4);

  auto plan = json::Document::parse(R"({"limits":[{"meter":"messages","included":1,"hard":9,"action":"block"}]})");
  auto lifted = json::Document::parse(R"({"messages":{"hard":2}})");
  auto none = json::Document::parse("{}");
  CHECK(billing::merge_limits(plan.root(), none.root(), node.clock.at).of(Meter::messages).hard == 1);
  CHECK(billing::merge_limits(plan.root(), lifted.root(), node.clock.at).of(Meter::messages).hard == 2);
}

TEST_CASE("limits: a node that starts knows today's peak", "[api][metering]") {
  TestApp app;
  Node node(app);
  const auto account = node.account();
  account->open_connection(node.clock.at);
  account->open_connection(node.clock.at);
  node.flush();
  Node again(app);
  CHECK(again.account()->used(Meter::peak_connections, again.clock.at) == 2);
  again.clock.at += std::chrono::minutes(1);          // another day
  CHECK(again.account()->used(Meter::peak_connections, again.clock.at) == 0);
}

TEST_CASE("limits: what is reserved before midnight and done after it is one of the new month", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"push":{"hard":2},"messages":{"hard":1}})");
  const auto account = node.account();
  account->reserve(Meter::push, 2, node.clock.at);
  account->reserve_message(node.clock.at);
  const auto midnight = *parse_time("2031-12-01T00:00:00Z");
  node.clock.at = midnight;
  account->spent(Meter::push, 2, midnight);           // the first that the account hears of the new month
  CHECK(account->used(Meter::push, midnight) == 2);
  CHECK(refused([&] { account->reserve(Meter::push, 1, midnight); }) == Code::quota_exceeded);
  account->message_sent(midnight);
  CHECK(account->used(Meter::messages, midnight) == 1);
  CHECK(refused([&] { account->reserve_message(midnight); }) == Code::quota_exceeded);
  for (const auto& pending : account->take_pending(midnight)) CHECK((pending.empty() || pending.hour == midnight));
}

TEST_CASE("limits: of messages, too, what was not done is given back, and none is taken where no delivery is left", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"messages":{"hard":2},"deliveries":{"hard":1}})");
  const auto account = node.account();
  const auto now = node.clock.at;
  {
    billing::Spending spending(account, Meter::messages, 2, now);
    CHECK(refused([&] { account->reserve_message(now); }) == Code::quota_exceeded);
    spending.done(1, now);
  }
  CHECK(account->used(Meter::messages, now) == 1);
  CHECK(account->total_messages == 1);
  account->count(Meter::deliveries, 1, now);
  CHECK(refused([&] { billing::Spending(account, Meter::messages, 1, now); }) == Code::quota_exceeded);
  CHECK(account->used(Meter::messages, now) == 1);
}

TEST_CASE("limits: what is spent while the month is read counts once", "[api][metering]") {
  TestApp app;
  Node node(app);
  const auto account = node.account();
  const auto now = node.clock.at;
  const auto read_month = [&] {
    billing::Totals totals;
    node.connection.transact(node.application->id, storage::Mode::read, [&](storage::Transaction& tx) { totals = billing::month_totals(tx, now, false); });
    return totals;
  };
  const auto commit = [&] {
    node.connection.transact(node.application->id, storage::Mode::write, [&](storage::Transaction& tx) { billing::count_usage(tx, Meter::push, 4, now); });
  };
  account->reserve(Meter::push, 4, now);
  commit();
  auto reading = account->begin_reading(now);
  auto totals = read_month();                         // has them
  account->spent(Meter::push, 4, now);
  account->written({}, reading, totals, 0, now);
  CHECK(account->used(Meter::push, now) == 4);

  account->reserve(Meter::push, 4, now);
  reading = account->begin_reading(now);
  totals = read_month();                              // has them not
  commit();
  account->spent(Meter::push, 4, now);
  account->written({}, reading, totals, 0, now);
  CHECK(account->used(Meter::push, now) == 8);

  commit();                                           // by another node
  reading = account->begin_reading(now);
  account->written({}, reading, read_month(), 0, now);
  CHECK(account->used(Meter::push, now) == 12);
}

TEST_CASE("limits: the calls of a class are counted over all nodes", "[api][metering]") {
  TestApp app;
  const std::string limits = R"({"application_sends":{"hard":1,"burst":2},"user_sends":{"hard":100}})";
  Node one(app, limits), two(app, limits);
  const auto take = [](Node& node, const std::string& user) { return node.accounts.take_request(*node.account(), user, billing::RouteClass::send); };
  take(one, "alice");
  take(one, "alice");
  take(two, "alice");
  for (const auto& word : one.accounts.take_words()) two.accounts.hear(word.app, word.detail);
  const auto decision = take(two, "bob");
  CHECK(!decision.allowed);
  CHECK(decision.refused_by == "application_sends");
  CHECK(decision.policies.front().name == "application_sends");
}

TEST_CASE("limits: sockets that move to another node count once in the peak", "[api][metering]") {
  TestApp app;
  Node here(app), there(app);
  const auto tell = [&](Node& from, Node& to) {
    for (const auto& words : from.accounts.take_words()) to.accounts.hear(words.app, words.detail);
  };
  here.account();                                     // met: words of others are heard from then on
  for (int i = 0; i < 3; ++i) there.account()->open_connection(there.clock.at);
  tell(there, here);
  here.account()->open_connection(here.clock.at);
  CHECK(here.account()->used(Meter::peak_connections, here.clock.at) == 4);
  here.account()->close_connection();
  for (int i = 0; i < 3; ++i) there.account()->close_connection();
  tell(there, here);                                  // that it has none left
  for (int i = 0; i < 3; ++i) here.account()->open_connection(here.clock.at);
  CHECK(here.account()->used(Meter::peak_connections, here.clock.at) == 4);
  CHECK(there.accounts.take_words().empty());

  tell(here, there);
  there.clock.at += std::chrono::seconds(2);          // `here` is cut off, and its sockets come over
  for (int i = 0; i < 3; ++i) there.account()->open_connection(there.clock.at);
  CHECK(there.account()->used(Meter::peak_connections, there.clock.at) == 3);
}

TEST_CASE("limits: messages that another node could not tell of are read from the ledger", "[api][metering]") {
  TestApp app;
  Node node(app);
  const auto account = node.account();
  node.connection.transact(node.application->id, storage::Mode::write,
                           [&](storage::Transaction& tx) { billing::count_usage(tx, Meter::messages, 5, node.clock.at); });
  node.call(1);
  node.flush();
  CHECK(account->used(Meter::messages, node.clock.at) == 0);   // the other's word is what counts, as long as none is lost
  node.accounts.look_again();
  node.call(1);
  node.flush();
  CHECK(account->used(Meter::messages, node.clock.at) == 5);
}

TEST_CASE("limits: a rate of nothing gives nothing, not even at first", "[api][metering]") {
  const auto now = *parse_time("2031-11-30T12:00:00Z");
  for (const std::int64_t burst : {0, 10}) {
    billing::Bucket bucket;
    CHECK_FALSE(bucket.take({.hard = 0, .burst = burst}, now).allowed);
    CHECK_FALSE(bucket.take({.hard = 0, .burst = burst}, now + std::chrono::hours(1)).allowed);
  }
}

TEST_CASE("limits: no name of a user is the name of another bucket", "[api][metering]") {
  TestApp app;
  const auto take = [](Node& node, const std::string& user) { return node.accounts.take_request(*node.account(), user, billing::RouteClass::send).allowed; };
  Node one(app, R"({"application_sends":{"hard":1,"burst":2},"user_requests":{"hard":1,"burst":2}})");
  for (int i = 0; i < 2; ++i) CHECK(take(one, "application_sends"));
  Node two(app, R"({"user_sends":{"hard":1,"burst":2},"user_requests":{"hard":1,"burst":2}})");
  for (int i = 0; i < 2; ++i) CHECK(take(two, "alice"));
  CHECK(take(two, "user_sends alice"));
}

TEST_CASE("limits: shares of the largest limits are compared, and the refusing one is shown first", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"user_requests":{"hard":1000000000000000,"burst":1000000000000000},"application_requests":{"hard":1000000000000000,
                     "burst":900000000000000},"application_reads":{"hard":1000,"burst":1}})");
  auto decision = node.accounts.take_request(*node.account(), "alice", billing::RouteClass::write);
  REQUIRE(decision.policies.size() == 2);
  CHECK(decision.policies.front().name == "application");
  node.accounts.take_request(*node.account(), "", billing::RouteClass::read);
  decision = node.accounts.take_request(*node.account(), "alice", billing::RouteClass::read);
  CHECK(!decision.allowed);
  CHECK(decision.policies.front().name == "application_reads");
}

TEST_CASE("metering: after an upgrade a mark is told when it is reached anew", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"api_calls":{"included":10}})");
  node.call(8);
  node.flush();
  node.change(app, R"({"api_calls":{"included":100}})");
  node.call(1);
  node.flush();
  CHECK(node.told.size() == 1);
  node.call(71);
  node.flush();
  CHECK(node.told == std::vector<std::string>{"api_calls warning 2031-11 8", "api_calls warning 2031-11 80"});
}

TEST_CASE("metering: who heard of a mark does not hear it again because another could not", "[api][metering]") {
  TestApp app;
  Node node(app, R"({"api_calls":{"included":10}})");
  int heard = 0;
  bool is_deaf = true;
  node.metering.on_crossing([&](storage::Connection&, const billing::Crossing&) {
    if (is_deaf) throw Error(Code::unavailable, "not now");
    ++heard;
  });
  node.call(8);
  node.flush();
  node.flush();
  is_deaf = false;
  node.flush();
  CHECK(node.told.size() == 1);
  CHECK(heard == 1);
}
