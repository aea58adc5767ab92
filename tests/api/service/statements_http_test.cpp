#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
std::string uuid_of(const TestApp& app) { return AppId::parse(app.id())->text(); }
std::string path_of(const TestApp& app, const std::string& more) { return "/operator/v1/applications/" + app.id() + more; }

/// An application that came to a plan of its own in May 2024.
void begin(TestApp& app, const Json& plan) {
  const auto id = "s-" + app.id().substr(4);
  REQUIRE(operators().put("/operator/v1/plans/" + id, plan).status == 200);
  REQUIRE(operators().post(path_of(app, "/plan"), {{"plan", id}}).status == 200);
  Probe probe(superuser_database().dsn);
  const auto of_app = " where app_id = '" + uuid_of(app) + "'";
  probe.run("delete from plan_moves" + of_app + " and plan_id <> '" + id + "'; update plan_moves set moved_at = '2024-05-01Z'" + of_app +
            "; update applications set created_at = '2024-05-01Z'" + of_app);
}

std::string last_action(const std::string& object) { return operators().get("/operator/v1/audit?limit=1&object=" + object).body["audit"][0]["action"]; }

}  // namespace

TEST_CASE("statements: final, told to the backend, read by the customer alone, void with its number, made again", "[api][statements][ws]") {
  TestApp app, other;
  begin(app, {{"name", "Told <b>"}, {"currency", "EUR"}, {"price_month", 1234}});
  app.add_users({"alice"});
  const auto path = path_of(app, "/statements");
  CHECK(operators().post(path, {{"month", "2999-01"}}).code() == "conflict");
  CHECK(operators().post(path, {{"month", "May"}}).status == 400);
  CHECK(app.rows("statements") == 0);
  REQUIRE(operators().post(path_of(app, "/credits"), {{"amount", 34}, {"reason", "=Sorry"}}).status == 201);
  CHECK(last_action("application:" + app.id()) == "credit.add");
  CHECK(operators().post(path_of(app, "/credits"), {{"amount", 0}, {"reason", "x"}}).pointer() == "#/amount");
  auto backend = app.connect(""), alice = app.connect("alice"), stranger = other.connect("");

  const auto made = operators().post(path, {{"month", "2024-05"}});
  REQUIRE(made.status == 201);
  CHECK(made.body["statement"]["total"] == 1200);
  CHECK(hear(backend, "billing.statement.finalized")["data"]["statement"] == made.body["statement"]);
  CHECK_FALSE(alice.find("billing.statement.finalized", std::chrono::milliseconds(100)));
  CHECK_FALSE(stranger.find("billing.statement.finalized", std::chrono::milliseconds(50)));
  CHECK(operators().post(path, {{"month", "2024-05"}}).code() == "conflict");

  const std::string id = made.body["statement"]["statement_id"];
  CHECK(last_action("statement:" + id) == "statement.finalize");
  auto server = app.server();
  CHECK(server.get("/v1/statements/" + id).body == made.body);
  CHECK(server.get("/v1/statements").body["statements"][0] == made.body["statement"]);
  CHECK(other.server().get("/v1/statements/" + id).code() == "not_found");
  CHECK(other.server().get("/v1/statements").body["statements"].empty());
  CHECK(app.user("alice").get("/v1/statements").status == 403);
  CHECK(server.get("/v1/statements/draft?month=2024-06").body["statement"]["total"] == 1234);
  CHECK(server.get("/v1/statements/" + id + "?month=2024-06").pointer() == "query:month");
  CHECK(operators().get(path + "/" + id).body == made.body);

  const auto voided = operators().post(path + "/" + id + "/void", {{"reason", "Wrong plan"}});
  REQUIRE(voided.status == 200);
  CHECK(voided.body["statement"]["number"] == made.body["statement"]["number"]);
  CHECK(voided.body["statement"]["state"] == "void");
  CHECK(last_action("statement:" + id) == "statement.void");
  const auto credits = operators().get(path_of(app, "/credits"));
  CHECK(credits.body["credits"][0]["remaining"] == 34);
  CHECK(operators().post(path + "/" + id + "/void", {{"reason", "x"}}).code() == "conflict");
  CHECK(operators().post(path_of(other, "/statements/" + id + "/void"), {{"reason", "x"}}).code() == "not_found");
  const auto again = operators().post(path, {{"month", "2024-05"}});
  REQUIRE(again.status == 201);
  CHECK(again.body["statement"]["number"] > made.body["statement"]["number"]);
  CHECK(again.body["statement"]["total"] == 1200);

  const auto page = operators().get(path + "?limit=1");
  CHECK(page.body["statements"][0] == again.body["statement"]);
  const auto rest = operators().get(path + "?limit=1&next=" + page.body["next"].get<std::string>());
  CHECK(rest.body["statements"][0] == voided.body["statement"]);
  CHECK_FALSE(rest.body.contains("next"));
  const auto of_all = operators().get("/operator/v1/statements?month=2024-05&limit=100");
  std::size_t own = 0;
  for (const auto& one : of_all.body["statements"]) own += one["app_id"] == app.id();
  CHECK(own == 2);
}

TEST_CASE("statements: as a table and as a page to print, what customers wrote is text there", "[api][statements]") {
  TestApp app;
  begin(app, {{"name", "Told <b>"}, {"currency", "EUR"}, {"price_month", 1234}});
  REQUIRE(operators().post(path_of(app, "/credits"), {{"amount", 34}, {"reason", "=Sorry, \"you\""}}).status == 201);
  auto server = app.server();
  const auto csv = server.get("/v1/statements/draft?month=2024-05&format=csv");
  CHECK(csv.http.header("content-type").value_or("") == "text/csv; charset=utf-8");
  const std::string plan = "s-" + app.id().substr(4);
  CHECK(csv.http.body ==
        "number,month,state,kind,description,plan,plan_version,first_day,last_day,days,meter,quantity,included,unit_price,amount,currency\r\n"
        ",2024-05,draft,plan,\"Told <b>, 31 of 31 days\"," + plan + ",1,2024-05-01,2024-05-31,31,,,,,1234,EUR\r\n"
        ",2024-05,draft,credit,\"'=Sorry, \"\"you\"\"\",,,,,,,,,,-34,EUR\r\n"
        ",2024-05,draft,total,,,,,,,,,,,1200,EUR\r\n");
  const auto html = operators().get(path_of(app, "/statements/draft?month=2024-05&format=html"));
  CHECK(html.http.header("content-type").value_or("") == "text/html; charset=utf-8");
  for (const auto* text : {"Told &lt;b&gt;, 31 of 31 days", "=Sorry, &quot;you&quot;", "12.34 EUR", "-0.34 EUR", "12.00 EUR", "Statement (draft), 2024-05"}) {
    INFO(text);
    CHECK(html.http.body.find(text) != std::string::npos);
  }
  CHECK(server.get("/v1/statements/draft?format=pdf").pointer() == "query:format");
}

TEST_CASE("usage: a day is exported as CloudEvents with the same ids each time, page by page", "[api][statements]") {
  TestApp app;
  Probe probe(superuser_database().dsn);
  const auto values = [&](const std::string& meter, int shard, int value) {
    return "('" + uuid_of(app) + "', '2024-02-29', '" + meter + "', " + std::to_string(shard) + ", " + std::to_string(value) + ")";
  };
  probe.run("insert into usage_metrics (app_id, day, meter, shard, value) values " + values("messages", 0, 4) + ", " + values("messages", 1, 3) + ", " +
            values("peak_connections", 0, 9) + ", " + values("peak_connections", 1, 5) +
            "; insert into active_users (app_id, month, user_id, first_day) select '" + uuid_of(app) + "', '2024-02-01', n::text, '2024-02-29' from generate_series(1, 2) n");
  std::vector<Json> own;
  std::string next;
  do {
    const auto page = operators().get("/operator/v1/usage?day=2024-02-29&limit=1" + next);
    REQUIRE(page.status == 200);
    for (const auto& event : page.body["events"])
      if (event["subject"] == app.id()) own.push_back(event);
    next = page.body.contains("next") ? "&next=" + page.body["next"].get<std::string>() : "";
  } while (!next.empty());
  REQUIRE(own.size() == 3);
  CHECK(own[0]["id"] == app.id() + ":active_users:2024-02-29");
  CHECK(own[0]["data"]["value"] == 2);
  CHECK(own[1]["data"] == Json({{"meter", "messages"}, {"day", "2024-02-29"}, {"value", 7}}));
  CHECK(own[2]["data"]["value"] == 9);
  CHECK(own[2]["time"] == "2024-03-01T00:00:00.000000Z");
  CHECK(operators().get("/operator/v1/usage?day=2999-01-01").pointer() == "query:day");
  const auto yesterday = day_of(system_clock().now() - std::chrono::hours(24)), before = day_of(system_clock().now() - std::chrono::hours(26));
  CHECK(operators().get("/operator/v1/usage?day=" + before).status == 200);
  CHECK(operators().get("/operator/v1/usage?day=" + yesterday).status == (before == yesterday ? 200 : 400));   // from 02:00 on
  CHECK(operators().get("/operator/v1/usage").pointer() == "query:day");
}
