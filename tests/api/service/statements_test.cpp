#include <catch2/catch.hpp>
#include <thread>

#include "billing/metering.sql.h"
#include "billing/plan_versions.h"
#include "billing/statements/statements.h"
#include "platform/storage/migrator.h"
#include "tenants/applications.h"
#include "tests/support/service.h"

// The scripted month, in a database of its own. Every figure was computed by hand; ops/docs/billing.md shows the same.
using namespace chat;
using namespace chat::test;

namespace {

Timestamp at(const std::string& text) { return *parse_time(text + "Z"); }
Json json_of(const statements::Statement& statement) { return Json::parse(statements::statement_json(statement)); }

struct SettableClock final : Clock {
  [[nodiscard]] Timestamp now() const override { return at_; }
  void set(const std::string& text) { at_ = at(text); }
  Timestamp at_;
};

struct Migrated {
  Migrated() { storage::Migrator(database.owner()).up(); }
  ScratchDatabase database;
};

/// A service whose time is set: plans, applications, usage and statements, by the functions that chatd calls.
struct Books : Migrated {
  SettableClock clock;
  std::unique_ptr<bus::Bus> bus = bus::make_local_bus();
  storage::Connection connection{database.server()};
  Probe probe{database.superuser().dsn};

  template <class Act>
  void as(AppId app, Act act) {
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { act(tx); });
  }
  void put_plan(const std::string& id, const Json& plan) {
    const auto document = json::Document::parse(plan.dump());
    const auto checked = billing::check_plan(document.root(), "#");
    as(AppId{}, [&](auto& tx) { billing::put_plan(tx, *bus, id, checked, clock.now()); });
  }
  AppId create(const std::string& plan) {
    AppId app;
    as(AppId{}, [&](auto& tx) {
      tenants::NewApplication wanted;
      wanted.name = plan + " customer";
      wanted.plan_id = plan;
      app = tenants::create_application(tx, wanted, clock.now());
    });
    return app;
  }
  void move(AppId app, const std::string& plan, std::int64_t version = 0, std::optional<bool> yearly = {}) {
    as(app, [&](auto& tx) { billing::move_application(tx, *bus, {plan, version, yearly}, clock.now()); });
  }
  /// As a flush does it, today. `is_cut`: chatd is killed before the commit.
  void flush(AppId app, const std::string& id, const std::string& meter, std::int64_t value, bool is_cut = false) {
    struct Killed {};
    const auto meters = "{" + meter + "}", values = "{" + std::to_string(value) + "}";
    try {
      as(app, [&](auto& tx) {
        if (!tx.find(billing::sql::begin_flush, app, id, clock.now(), day_of(clock.now()), meters, values)) return;
        tx.run(billing::sql::add_counts, app, day_of(clock.now()), meters, values);
        if (is_cut) throw Killed{};
      });
    } catch (const Killed&) {
    }
  }
  void peak(AppId app, std::int64_t value) {
    as(app, [&](auto& tx) { tx.run(billing::sql::raise_peak, app, day_of(clock.now()), value); });
  }
  void users(AppId app, int count) {
    const auto day = day_of(clock.now());
    probe.run("insert into active_users (app_id, month, user_id, first_day) select '" + app.text() + "', '" + month_of(clock.now()) + "', '" + day +
              "-' || n, '" + day + "' from generate_series(1, " + std::to_string(count) + ") n");
  }
  void credit(AppId app, std::int64_t amount, const std::string& reason) {
    as(app, [&](auto& tx) { statements::add_credit(tx, amount, reason, clock.now()); });
  }
  int finalize_due() { return statements::finalize_due(connection, *bus, std::chrono::hours(48), clock.now()); }
  Json draft(AppId app, const std::string& month) {
    Json made;
    as(app, [&](auto& tx) { made = json_of(statements::draft(tx, at(month + "-01T00:00:00"))); });
    return made;
  }
  statements::Statement statement(AppId app, const std::string& month) {
    const storage::Cursors cursors(std::string(32, 'k'));
    statements::Statement found;
    as(app, [&](auto& tx) {
      for (const auto& one : statements::list_own(tx, 100, std::nullopt, cursors).items)
        if (one.period == month + "-01" && one.state == "final") found = one;
    });
    return found;
  }
  std::string refusal(AppId app, const std::function<void(storage::Transaction&)>& act) {
    try {
      as(app, act);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

std::vector<std::int64_t> amounts(const Json& statement) {
  std::vector<std::int64_t> all;
  for (const auto& line : statement.at("lines")) all.push_back(line.at("amount"));
  return all;
}

Json overage(const std::string& meter, int included, const Json& price) {
  Json limit{{"meter", meter}, {"included", included}, {"action", "overage"}};
  limit[price.is_array() ? "overage_tiers" : "overage_price"] = price;
  return limit;
}

}  // namespace

TEST_CASE("charge: the published vectors of proration and rounding hold", "[api][statements]") {
  const auto march = at("2024-03-15T00:00:00"), february = at("2024-02-01T00:00:00");
  CHECK(statements::days_in(march) == 31);
  CHECK(statements::days_in(february) == 29);
  CHECK(statements::share(10000, 14, 31) == 4516);      // 4516.13
  CHECK(statements::share(20000, 17, 31) == 10968);     // 10967.74
  CHECK(statements::share(1, 1, 2) == 1);               // 0.5: half up
  CHECK(statements::share(1000, 22, 31) == 710);        // 709.68
  CHECK(statements::share(19900, 31, 31) == 19900);
  CHECK(statements::price_of_month(199000, march) == 16584);
  std::int64_t year = 0;
  for (int month = 1; month <= 12; ++month) year += statements::price_of_month(199001, at("2024-" + std::string(month < 10 ? "0" : "") + std::to_string(month) + "-01T00:00:00"));
  CHECK(year == 199001);
}

TEST_CASE("charge: an override's included counts for each month that it lasts into", "[api][statements]") {
  const auto plan = json::Document::parse(R"({"name":"P","currency":"EUR","limits":[{"meter":"messages","included":10,"action":"overage","overage_price":"1"}]})");
  const auto overrides = json::Document::parse(R"({"messages":{"included":50,"expires_at":"2024-03-10T00:00:00Z"},"push":{"hard":3}})");
  const auto included = [&](const char* month) { return statements::read_terms("p", 1, plan.root(), overrides.root(), at(month)).overage.at(0).included; };
  CHECK(included("2024-02-01T00:00:00") == 50);
  CHECK(included("2024-03-01T00:00:00") == 50);
  CHECK(included("2024-04-01T00:00:00") == 10);
  const auto broken = json::Document::parse(R"({"name":"P","limits":[{"meter":"messages","action":"overage","overage_price":"12345678"}]})");
  CHECK_THROWS_AS(statements::read_terms("p", 1, broken.root(), overrides.root(), at("2024-03-01T00:00:00")), Error);
}

TEST_CASE("charge: a plan with one of the two prices is paid so, however the application pays", "[api][statements]") {
  const auto price_of = [](const char* document, bool yearly) {
    const auto plan = json::Document::parse(document), none = json::Document::parse("{}");
    const auto month = at("2024-03-01T00:00:00");
    const auto terms = statements::read_terms("p", 1, plan.root(), none.root(), month);
    return statements::charge(month, {"p", 1, yearly, 1, 31}, terms, {}, at("2023-01-01T00:00:00")).at(0).amount;
  };
  CHECK(price_of(R"({"name":"P","price_month":100,"price_year":1188})", false) == 100);
  CHECK(price_of(R"({"name":"P","price_month":100,"price_year":1188})", true) == 99);
  CHECK(price_of(R"({"name":"P","price_month":100})", true) == 100);
  CHECK(price_of(R"({"name":"P","price_year":1188})", false) == 99);
  CHECK(price_of(R"({"name":"P"})", true) == 0);
}

TEST_CASE("statements: a month with upgrades, overage, a crash and its boundary ends in the figures that were computed by hand", "[api][statements]") {
  Books books;
  auto& clock = books.clock;
  clock.set("2023-12-01T00:00:00");
  books.put_plan("basic", {{"name", "Basic"}, {"currency", "EUR"}, {"price_month", 10000}, {"limits", {overage("messages", 31000, "0.5")}}});
  books.put_plan("plus", {{"name", "Plus"}, {"currency", "EUR"}, {"price_month", 20000}, {"trial_days", 5},
                          {"limits", {overage("messages", 62000, Json::parse(R"([{"up_to":1000,"price":"0.4"},{"price":"0.25"}])")), overage("active_users", 100, "7.5")}}});
  books.put_plan("year", {{"name", "Year"}, {"currency", "EUR"}, {"price_year", 199000}, {"limits", {overage("connections", 10, "150")}}});

  // C pays by the year since December. A comes in March, on Basic.
  const auto c = books.create("year");
  books.move(c, "year", 0, true);
  clock.set("2024-03-01T08:00:00");
  const auto a = books.create("basic");
  books.credit(a, 5000, "Outage in February");
  clock.set("2024-03-02T12:00:00");
  books.users(a, 3);
  clock.set("2024-03-03T12:00:00");
  books.flush(a, "a:1", "messages", 15000, true);        // chatd is killed before the commit: sent again under its id
  books.flush(a, "a:1", "messages", 15000);
  books.flush(a, "a:1", "messages", 15000);              // the answer was lost: sent again, counts once
  clock.set("2024-03-05T12:00:00");
  books.peak(c, 14);
  clock.set("2024-03-06T12:00:00");
  books.peak(c, 12);
  clock.set("2024-03-10T00:00:00");
  books.put_plan("year", {{"name", "Year"}, {"currency", "EUR"}, {"price_year", 240000}, {"limits", {overage("connections", 12, "100")}}});
  // A upgrades: 14 days of Basic, 17 of Plus. B is new on Plus; its first five days are the trial.
  clock.set("2024-03-15T10:00:00");
  books.move(a, "plus");
  clock.set("2024-03-16T12:00:00");
  books.users(a, 60);
  clock.set("2024-03-20T12:00:00");
  const auto b = books.create("plus");
  books.flush(a, "a:2", "messages", 36000);
  clock.set("2024-03-25T23:59:59");
  books.move(c, "year", 2);                              // C comes to the plan's second version
  clock.set("2024-03-30T12:00:00");
  books.peak(c, 20);
  // The month ends between two flushes of B.
  clock.set("2024-03-31T23:59:59");
  books.flush(b, "b:1", "messages", 24000);
  clock.set("2024-04-01T00:00:00");
  books.flush(b, "b:2", "messages", 9999);

  clock.set("2024-04-02T23:59:59");
  CHECK(books.finalize_due() == 2);                      // C's January and February: the job was off until now
  clock.set("2024-04-03T00:00:00");
  CHECK(books.finalize_due() == 3);
  CHECK(books.finalize_due() == 0);

  const auto of_a = json_of(books.statement(a, "2024-03")), of_b = json_of(books.statement(b, "2024-03")), of_c = json_of(books.statement(c, "2024-03"));
  CHECK(amounts(of_a) == std::vector<std::int64_t>{4516, 500, 10968, 220, 363, 38, -5000});
  CHECK(of_a["total"] == 11605);
  CHECK(amounts(of_b) == std::vector<std::int64_t>{4516});            // 7 days of 12, 24,000 messages of 24,000
  CHECK(of_b["total"] == 4516);
  CHECK(amounts(of_c) == std::vector<std::int64_t>{12839, 465, 4516, 181});
  CHECK(of_c["total"] == 18001);
  CHECK(amounts(json_of(books.statement(c, "2024-02"))) == std::vector<std::int64_t>{16583});   // floor(33166.67) - floor(16583.33)
  CHECK(books.probe.value("select string_agg(number::text, ',' order by number) from statements") == "1,2,3,4,5");

  // What comes late is on the next one, once; then the month it was used in can't be voided alone.
  clock.set("2024-03-20T12:00:00");
  books.flush(a, "a:3", "messages", 100);
  CHECK(amounts(books.draft(a, "2024-04")) == std::vector<std::int64_t>{20000, 25});
  CHECK(books.draft(a, "2024-04")["lines"][1]["kind"] == "late_usage");
  clock.set("2024-05-03T00:00:00");
  CHECK(books.finalize_due() == 3);
  CHECK(amounts(books.draft(a, "2024-05")) == std::vector<std::int64_t>{20000});
  const auto make_void = [&](const std::string& month) {
    const auto id = *books.statement(a, month).id;
    return books.refusal(a, [&](auto& tx) { statements::void_statement(tx, id, "wrong", clock.now()); });
  };
  CHECK(make_void("2024-03").find("charges late usage") != std::string::npos);
  CHECK(make_void("2024-04").empty());
  CHECK(make_void("2024-03").empty());
  CHECK(books.finalize_due() == 0);                      // what was voided is an operator's to do again
  books.as(a, [&](auto& tx) { statements::finalize(tx, *books.bus, at("2024-03-01T00:00:00"), clock.now()); });
  CHECK(amounts(json_of(books.statement(a, "2024-03"))) == std::vector<std::int64_t>{4516, 500, 10968, 220, 388, 38, -5000});
  CHECK(books.statement(a, "2024-03").number == 9);
}

TEST_CASE("statements: of some that finalise a month at once one does, and no number is left out", "[api][statements]") {
  Books books;
  books.clock.set("2024-05-01T00:00:00");
  books.put_plan("once", {{"name", "Once"}, {"currency", "EUR"}, {"price_month", 100}});
  const auto app = books.create("once"), other = books.create("once");
  books.credit(app, 30, "Sorry");
  books.clock.set("2024-06-01T00:00:00");
  std::atomic<int> made{0}, refused{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        storage::Connection connection(books.database.server());
        try {
          connection.transact(app, storage::Mode::write, [&](auto& tx) { statements::finalize(tx, *books.bus, at("2024-05-01T00:00:00"), books.clock.now()); });
          ++made;
        } catch (const Error& error) {
          refused += error.code() == Code::conflict;
        }
      });
  }
  CHECK(made == 1);
  CHECK(refused == 3);
  CHECK(books.finalize_due() == 0);
  books.clock.set("2024-06-03T00:00:00");
  CHECK(books.finalize_due() == 1);
  CHECK(books.statement(other, "2024-05").number == 2);
  CHECK(books.probe.value("select remaining from credits") == "0");
}

TEST_CASE("statements: overrides are those of the month's end, however late its statement is made", "[api][statements]") {
  Books books;
  books.clock.set("2024-03-01T00:00:00");
  books.put_plan("metered", {{"name", "Metered"}, {"currency", "EUR"}, {"limits", {overage("messages", 31, "100")}}});
  const auto app = books.create("metered");
  const auto override_with = [&](int included) {
    books.as(app, [&](auto& tx) {
      tenants::ApplicationChange change;
      change.limits_json = Json{{"messages", {{"included", included}}}}.dump();
      tenants::update_application(tx, *books.bus, app, change, books.clock.now());
    });
  };
  books.clock.set("2024-03-10T00:00:00");
  books.flush(app, "a:1", "messages", 40);
  override_with(38);
  books.clock.set("2024-04-01T00:00:00");
  override_with(1000);
  CHECK(amounts(books.draft(app, "2024-03")) == std::vector<std::int64_t>{0, 200});
  books.clock.set("2024-04-05T00:00:00");
  CHECK(books.finalize_due() == 1);
  CHECK(amounts(json_of(books.statement(app, "2024-03"))) == std::vector<std::int64_t>{0, 200});
  CHECK(amounts(books.draft(app, "2024-04")) == std::vector<std::int64_t>{0});
}

TEST_CASE("statements: a month is not voided while the next one is being made of it", "[api][statements]") {
  Books books;
  books.clock.set("2024-03-01T00:00:00");
  books.put_plan("metered", {{"name", "Metered"}, {"currency", "EUR"}, {"limits", {overage("messages", 0, "100")}}});
  const auto app = books.create("metered");
  books.clock.set("2024-04-03T00:00:00");
  CHECK(books.finalize_due() == 1);
  books.clock.set("2024-03-31T23:59:59");
  books.flush(app, "a:1", "messages", 1);
  books.clock.set("2024-05-03T00:00:00");
  const auto march = *books.statement(app, "2024-03").id;
  std::string said = "nothing";
  std::jthread voiding;
  books.as(app, [&](auto& tx) {
    statements::finalize(tx, *books.bus, at("2024-04-01T00:00:00"), books.clock.now());
    voiding = std::jthread([&] {
      storage::Connection connection(books.database.server());
      try {
        connection.transact(app, storage::Mode::write, [&](auto& other) { statements::void_statement(other, march, "wrong", books.clock.now()); });
        said = "void";
      } catch (const Error& error) {
        said = error.what();
      }
    });
    eventually("it waits", [&] { return books.probe.value("select count(*) from pg_locks where not granted and locktype = 'advisory'") == "1"; });
  });
  voiding.join();
  CHECK(said.find("charges late usage") != std::string::npos);
}

TEST_CASE("statements: one that is deleted pays until that day, also when it was purged before its statement", "[api][statements]") {
  Books books;
  books.clock.set("2024-05-01T00:00:00");
  books.put_plan("gone", {{"name", "Gone"}, {"currency", "EUR"}, {"price_month", 3100}});
  const auto app = books.create("gone"), erased = books.create("gone");
  books.clock.set("2024-05-10T12:00:00");
  for (const auto& one : {app, erased})
    books.as(one, [&](auto& tx) { tenants::delete_application(tx, *books.bus, one, std::chrono::hours(24), books.clock.now()); });
  CHECK(amounts(books.draft(app, "2024-05")) == std::vector<std::int64_t>{1000});
  books.as(AppId{}, [&](auto& tx) { CHECK(tenants::end_deletions(tx, at("2024-05-12T00:00:00"), 10) == 2); });
  books.as(erased, [&](auto& tx) { tenants::erase_application(tx, erased, books.clock.now()); });
  for (int i = 0; i < 20 && books.probe.value("select purge_deleted(1000)") != "0";) ++i;
  CHECK(books.probe.value("select count(*) from applications") == "1");
  books.clock.set("2024-06-03T00:00:00");
  CHECK(books.finalize_due() == 1);
  CHECK(books.statement(app, "2024-05").total == 1000);
  books.clock.set("2024-07-03T00:00:00");
  CHECK(books.finalize_due() == 0);
}

TEST_CASE("statements: one that can't be computed is refused with its reason, and holds up no other", "[api][statements]") {
  Books books;
  books.clock.set("2024-05-01T00:00:00");
  books.put_plan("euro", {{"name", "E"}, {"currency", "EUR"}, {"price_month", 100}});
  books.put_plan("dollar", {{"name", "D"}, {"currency", "USD"}, {"price_month", 100}});
  const auto mixed = books.create("euro"), lost = books.create("euro"), well = books.create("euro");
  books.probe.run("insert into plan_moves values ('" + mixed.text() + "', '2024-05-10Z', 'dollar', 1, false), ('" + lost.text() + "', '2024-05-10Z', 'euro', 7, false)");
  const auto refusal = [&](AppId app) { return books.refusal(app, [](auto& tx) { statements::draft(tx, at("2024-05-01T00:00:00")); }); };
  CHECK(refusal(mixed) == "This month has plans in EUR and in USD.");
  CHECK(refusal(lost) == "Plan euro has no version 7 here.");
  books.clock.set("2024-06-03T00:00:00");
  CHECK(books.finalize_due() == 1);
  CHECK(books.statement(well, "2024-05").number == 1);
}
