#include <catch2/catch.hpp>

#include <algorithm>
#include <future>

#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

// What a worker claims for an endpoint that wants order, seen from inside a transaction that is rolled back: no worker sees its rows.
namespace {

class Claims {
 public:
  explicit Claims(TestApp& app) : app_(AppId::parse(app.id())->text()) {
    app.add_users({"alice"});
    subscribe(app, "https://example.com/", {{"events", {"poll.closed"}}, {"ordered", true}, {"max_in_flight", 100}});
    endpoint_ = probe_.value("select id from webhook_endpoints where app_id = '" + app_ + "'");
    for (int i = 0; i < 3; ++i) {
      app.add_channel("c" + std::to_string(i), {"alice"});
      channels_.push_back(probe_.value("select id from channels where app_id = '" + app_ + "' and channel_id = 'c" + std::to_string(i) + "'"));
    }
    probe_.run("begin");
  }
  ~Claims() { probe_.run("rollback"); }
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// Events wait in a channel.
  void wait(int channel, int from, int to, const std::string& due = "now() - interval '1 minute'", bool ordered = true) {
    add("'" + channels_.at(static_cast<std::size_t>(channel)) + "'", "s", from, to, due, ordered);
  }
  void wait_anywhere(int count) { add("null", "null", 1, count, "now() - interval '1 second'", true); }
  void wait_in_outbox(int channel, int seq, int to = 0) {
    probe_.run("insert into outbox (app_id, id, type, channel_id, seq, message_id, created_at) select '" + app_ + "', gen_random_uuid(), 'message.new', '" +
               channels_.at(static_cast<std::size_t>(channel)) + "', s, gen_random_uuid(), now() from generate_series(" + std::to_string(seq) + ", " +
               std::to_string(std::max(seq, to)) + ") s");
  }
  /// Rows of the outbox that were read by now.
  std::int64_t read_of_outbox() {
    return std::stoll(probe_.value("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'outbox'"));
  }
  void end(int channel, int seq, const std::string& state) {
    run("update webhook_deliveries set state = '" + state + "', due_at = null where channel_id = '" + channels_.at(static_cast<std::size_t>(channel)) + "' and seq = " +
        std::to_string(seq));
  }
  std::string state(int channel, int seq) {
    return probe_.value("select state from webhook_deliveries where app_id = '" + app_ + "' and channel_id = '" + channels_.at(static_cast<std::size_t>(channel)) +
                        "' and seq = " + std::to_string(seq));
  }
  void run(const std::string& statement) { probe_.run(statement + " and app_id = '" + app_ + "'"); }
  /// What the next claim takes: "channel:seq", sorted; "-" has none.
  std::vector<std::string> claim(int at_most = 100) {
    std::vector<std::string> taken;
    const auto rows = probe_.rows("select channel_id, seq from claim_webhooks(gen_random_uuid(), now(), now() + interval '1 minute', '" + app_ +
                                  "', '00000000-0000-0000-0000-000000000000', '{}', " + std::to_string(at_most) + ", 1000, 1000, 1) where event_id is not null");
    for (const auto& row : rows) {
      const auto place = std::ranges::find(channels_, row[0]);
      taken.push_back(place == channels_.end() ? "-" : std::to_string(place - channels_.begin()) + ":" + row[1]);
    }
    std::ranges::sort(taken);
    return taken;
  }

 private:
  void add(const std::string& channel, const std::string& seq, int from, int to, const std::string& due, bool ordered) {
    probe_.run("insert into webhook_deliveries (app_id, endpoint_id, event_id, type, channel_id, seq, message_id, ordered, state, trigger, due_at, created_at) select '" + app_ +
               "', '" + endpoint_ + "', gen_random_uuid(), 'message.new', " + channel + "::uuid, " + seq + ", gen_random_uuid(), " + (ordered ? "true" : "false") +
               ", 'pending', 'event', " + due + ", now() from generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") s");
  }
  Probe probe_{superuser_database().dsn};
  std::string app_, endpoint_;
  std::vector<std::string> channels_;
};

using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE("webhooks: in order, the first of each channel alone is on its way, however many wait behind it", "[api][webhooks]") {
  TestApp app;
  Claims claims(app);
  claims.wait(0, 1, 1, "now() + interval '1 hour'");   // failed: comes again later
  claims.wait(0, 2, 5'000, "now() - interval '1 hour'");
  claims.wait(1, 7, 9);
  claims.wait(2, 3, 4);
  CHECK(claims.claim(1).size() == 1);
  CHECK(claims.claim().size() == 1);
  CHECK(claims.claim().empty());               // both are on their way
  claims.end(1, 7, "succeeded");
  claims.end(2, 3, "succeeded");
  CHECK(claims.claim() == Seen{"1:8", "2:4"});
  claims.end(0, 1, "failed");
  CHECK(claims.claim() == Seen{"0:2"});
}

TEST_CASE("webhooks: in order, what still lies in the outbox goes first, and what belongs to no order waits for nothing", "[api][webhooks]") {
  TestApp app;
  Claims claims(app);
  claims.wait(0, 5, 6);
  claims.wait_in_outbox(0, 4);
  claims.wait_anywhere(2);
  CHECK(claims.claim() == Seen{"-", "-"});
  claims.run("delete from outbox where seq = 4");
  CHECK(claims.claim() == Seen{"0:5"});
}

TEST_CASE("webhooks: in order, of a long outbox what is before a delivery is looked at, and nothing else", "[api][webhooks]") {
  TestApp app;
  Claims claims(app);
  claims.wait(0, 5, 6);
  claims.wait(1, 5, 6);
  claims.wait_in_outbox(1, 4);
  claims.wait_in_outbox(2, 1, 20'000);
  const auto before = claims.read_of_outbox();
  CHECK(claims.claim() == Seen{"0:5"});
  CHECK(claims.read_of_outbox() - before < 100);
}

TEST_CASE("webhooks: in order, nothing is overtaken that leaves the outbox meanwhile", "[api][webhooks]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  subscribe(app, "https://example.com/", {{"events", {"poll.closed"}}, {"ordered", true}});
  const std::string id = AppId::parse(app.id())->text();
  const auto wait = [&](int seq) {             // for an hour: no worker of these nodes takes it
    return "insert into webhook_deliveries (app_id, endpoint_id, event_id, type, channel_id, seq, message_id, ordered, state, trigger, due_at, created_at) "
           "select e.app_id, e.id, gen_random_uuid(), 'message.new', c.id, " + std::to_string(seq) +
           ", gen_random_uuid(), true, 'pending', 'event', now() + interval '1 hour', now() from webhook_endpoints e join channels c on c.app_id = e.app_id "
           "where e.app_id = '" + id + "'";
  };
  Probe mover(superuser_database().dsn), claimer(superuser_database().dsn);
  mover.run(wait(2));
  mover.run("begin; lock table outbox in access exclusive mode");
  claimer.run("set lock_timeout = '5s'");
  const auto backend = claimer.value("select pg_backend_pid()");
  auto claimed = std::async(std::launch::async, [&] {
    return claimer.rows("begin; select seq from claim_webhooks(gen_random_uuid(), now() + interval '2 hours', now() + interval '3 hours', '" + id +
                        "', '00000000-0000-0000-0000-000000000000', '{}', 10, 10, 10, 1) where event_id is not null");
  });
  eventually("the claim looks at the outbox", [&] {
    return mover.value("select 1 from pg_locks where not granted and pid = " + backend) == "1";
  });
  mover.run(wait(1));
  mover.run("commit");
  const auto taken = claimed.get();
  claimer.run("rollback");
  mover.run("delete from webhook_deliveries where app_id = '" + id + "'");
  REQUIRE(taken.size() == 1);
  CHECK(taken[0][0] == "1");
}

TEST_CASE("webhooks: who wants order from now on, or no more, gets what waits, too", "[api][webhooks]") {
  TestApp app;
  Claims claims(app);
  claims.wait(0, 1, 2, "now() - interval '1 hour'", false);   // before it wanted order
  claims.wait(1, 1, 2);
  CHECK(claims.claim() == Seen{"0:1", "0:2", "1:1"});
  claims.run("update webhook_endpoints set ordered = false where true");
  claims.wait(2, 1, 3);
  CHECK(claims.claim() == Seen{"1:2", "2:1", "2:2", "2:3"});
}

TEST_CASE("webhooks: what is under way when its endpoint is disabled ends as its call ends, or with its lease", "[api][webhooks]") {
  TestApp app;
  Claims claims(app);
  claims.wait(0, 1, 1);
  CHECK(claims.claim() == Seen{"0:1"});
  claims.wait(1, 1, 1);
  claims.wait(2, 1, 1, "now() + interval '1 hour'");   // failed: comes again later
  claims.run("update webhook_endpoints set state = 'disabled' where true");
  CHECK(claims.claim().empty());
  CHECK(claims.state(0, 1) == "pending");
  CHECK(claims.state(1, 1) == "skipped");
  CHECK(claims.state(2, 1) == "skipped");
  claims.run("update webhook_deliveries set due_at = now() where claim_id is not null");
  CHECK(claims.claim().empty());
  CHECK(claims.state(0, 1) == "skipped");
}
