#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("operations: health and metrics need no token", "[api][operations]") {
  TestApp app(Json{{"api_calls", {{"included", 1000000}}}});   // uses this process' node alone
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "x");                       // a series appears when there is something to count
  auto stranger = Service::get().stranger_at_operators();
  CHECK(stranger.get("/livez").status == 200);
  CHECK(stranger.get("/readyz").status == 200);
  auto metrics = stranger.get("/metrics");
  CHECK(metrics.status == 200);
  for (const auto* name : {"chat_build_info", "chat_http_requests_total", "chat_lane_batch_messages", "chat_messages_sent_total",
                           "chat_database_pool_size", "chat_application_messages_total", "chat_application_errors_total", "chat_config_last_reload_successful",
                           "process_resident_memory_bytes"})
    CHECK(metrics.http.body.find(name) != std::string::npos);
  CHECK(stranger.get("/operator/v1/status").code() == "unauthenticated");
}

TEST_CASE("operations: promtool finds nothing to say against the metrics", "[api][operations]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "x");
  auto metrics = Service::get().stranger_at_operators().get("/metrics").http.body;
  FILE* promtool = popen("promtool check metrics", "w");
  REQUIRE(promtool != nullptr);
  std::fwrite(metrics.data(), 1, metrics.size(), promtool);
  CHECK(pclose(promtool) == 0);
  CHECK(metrics.find("app=\"__other__\"") != std::string::npos);
}

TEST_CASE("operations: the status says what runs", "[api][operations]") {
  auto status = Service::get().operators().get("/operator/v1/status").body;
  CHECK(status["database"] == "ok");
  CHECK(status["schema"]["binary"] == status["schema"]["database"]);
}

TEST_CASE("operations: the contract is served as it is tested", "[api][operations]") {
  auto contract = Actor(Service::get().port(), {}).get("/v1/openapi.json").body;
  CHECK(contract["openapi"].get<std::string>().rfind("3.1", 0) == 0);
}

TEST_CASE("operations: unknown addresses and methods are told apart", "[api][operations]") {
  TestApp app;
  auto server = app.server();
  CHECK(server.get("/v1/nothing").code() == "not_found");
  auto wrong = server.call("PUT", "/v1/users/alice", "{}");
  CHECK(wrong.status == 405);
  CHECK(wrong.http.header("allow").value_or("").find("PATCH") != std::string::npos);
  CHECK(server.get("/operator/v1/applications").code() == "not_found");
}

TEST_CASE("operations: every job runs", "[api][operations]") {
  for (const auto* job : {"flush_usage", "reload_plans", "create_partitions", "sweep_idempotency_keys", "sweep_outbox",
                          "sweep_message_nonces", "sweep_usage_flushes", "purge_deleted", "erase_deleted_users", "measure_backlogs"}) {
    INFO(job);
    CHECK_NOTHROW(Service::get().node().run_job(job));
  }
  CHECK(Probe(superuser_database().dsn).value("select count(*) >= 5 from pg_inherits where inhparent = 'messages'::regclass") == "t");
}

TEST_CASE("operations: the planner hears soon of a table that has grown", "[api][operations]") {
  TestApp app;
  Probe probe(superuser_database().dsn);
  const auto known = [&] { return std::stoll(probe.value("select greatest(reltuples, 0)::bigint from pg_class where oid = 'segments'::regclass")); };
  const auto rows = std::to_string(5 * known() + 60);
  probe.run("insert into segments (app_id, id, name, of, created_at, updated_at) select '" + AppId::parse(app.id())->text() +
            "', gen_random_uuid(), 's' || n, 'users', now(), now() from generate_series(1, " + rows + ") n");
  eventually("it is analyzed", [&] {
    Service::get().node().run_job("analyze_grown");
    return known() >= std::stoll(rows);
  });
}

namespace {

/// The value of a series of the node of this process; 0: there is none.
double metric(const std::string& series) {
  const auto page = Service::get().stranger_at_operators().get("/metrics").http.body;
  const auto place = page.find("\n" + series + " ");
  return place == std::string::npos ? 0 : std::stod(page.substr(place + series.size() + 2));
}

}  // namespace

TEST_CASE("operations: what queues hold for too long is seen, whosever it is", "[api][operations][backlogs]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  Probe probe(superuser_database().dsn);
  const std::string uuid = AppId::parse(app.id())->text();
  const std::string user = probe.value("select id from users where app_id = '" + uuid + "'");
  const std::string channel = probe.value("select id from channels where app_id = '" + uuid + "'");
  const auto age = [&](const std::string& queue) {
    return probe.value("select coalesce(" + queue + " < now() - interval '20 hours', false) from oldest_waiting(now())") == "t";
  };
  const std::string ids = "'" + uuid + "', '01900000-0000-7000-8000-000000000001', ", day = "now() - interval '1 day'";
  probe.run("begin");                                      // nobody else sees what follows
  for (const auto* queue : {"scheduled", "approved", "push_queue", "push_deliveries"}) CHECK_FALSE(age(queue));
  probe.run("insert into scheduled_messages (app_id, id, user_id, channel_id, by_server, message, send_at, created_at, updated_at) values (" + ids + "'" +
            user + "', '" + channel + "', true, '{}', " + day + ", " + day + ", " + day + ")");
  probe.run("insert into pending_messages (app_id, id, channel_id, user_id, message, fingerprint, status, created_at, updated_at, expires_at) values (" +
            ids + "'" + channel + "', '" + user + "', '{}', '', 'approved', " + day + ", " + day + ", now())");
  probe.run("insert into push_queue (app_id, id, event, channels, messages, created_at) values (" + ids + "'message.new', '{}', '{}', " + day + ")");
  probe.run("insert into push_deliveries (app_id, user_id, device_id, channel_id, message_id, event, actor_id, due_at, expires_at, created_at) values ('" +
            uuid + "', '" + user + "', 'phone', '" + channel + "', '" + channel + "', 'message.new', '" + user + "', " + day + ", now(), " + day + ")");
  probe.run("insert into search_queue (app_id, id, channels, messages) values (" + ids + "'{}', '{}')");   // an id of June 2024
  for (const auto* queue : {"scheduled", "approved", "push_queue", "push_deliveries", "search"}) {
    INFO(queue);
    CHECK(age(queue));
  }
  probe.run("update scheduled_messages set failed_code = 'forbidden' where app_id = '" + uuid + "'");
  CHECK_FALSE(age("scheduled"));
  probe.run("rollback");
  Service::get().node().run_job("measure_backlogs");
  CHECK(Service::get().stranger_at_operators().get("/metrics").http.body.find("chat_backlog_seconds{queue=\"search_queue\"}") != std::string::npos);
}

TEST_CASE("operations: refused messages are counted by their code; bans, invitations, guests, exports as they are made", "[api][operations]") {
  TestApp app(Json{{"api_calls", {{"included", 1000000}}}});   // uses this process' node alone
  app.set({{"guests", true}});
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  const auto grows = [](const std::string& series, const std::function<void()>& act) {
    INFO(series);
    const double before = metric(series);
    act();
    CHECK(metric(series) > before);
  };
  auto alice = app.user("alice"), server = app.server();
  grows("chat_bans_total{from=\"channel\",kind=\"open\"}", [&] { CHECK(alice.put("/v1/channels/messaging/general/bans/bob", Json::object()).status == 200); });
  grows("chat_messages_refused_total{reason=\"forbidden\"}", [&] { CHECK(app.user("bob").post(kMessages, {{"text", "x"}}).code() == "forbidden"); });
  grows("chat_messages_refused_total{reason=\"not_found\"}", [&] { CHECK(app.user("carol").post(kMessages, {{"text", "x"}}).code() == "not_found"); });
  grows("chat_bans_total{from=\"application\",kind=\"shadow\"}", [&] { CHECK(server.put("/v1/bans/bob", {{"shadow", true}}).status == 200); });
  grows("chat_invites_changed_total{change=\"created\"}", [&] {
    CHECK(alice.post("/v1/channels/messaging/general/invites", {{"users", {"carol"}}}).status == 200);
  });
  grows("chat_invites_changed_total{change=\"accepted\"}", [&] {
    CHECK(app.user("carol").post("/v1/channels/messaging/general/invite/accept").status == 200);
  });
  grows("chat_guests_made_total{kind=\"guest\"}", [&] {
    CHECK(Actor(Service::get().port(), {{"X-API-Key", app.key()}}).post("/v1/guests").status == 201);
  });
  grows("chat_user_exports_begun_total", [&] { CHECK(server.post("/v1/users/alice/export").status == 202); });
}
