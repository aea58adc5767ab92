#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("operations: health and metrics need no token", "[api][operations]") {
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
                          "sweep_message_nonces", "sweep_usage_flushes", "purge_deleted", "erase_deleted_users"}) {
    INFO(job);
    CHECK_NOTHROW(Service::get().node().run_job(job));
  }
  CHECK(Probe(superuser_database().dsn).value("select count(*) >= 5 from pg_inherits where inhparent = 'messages'::regclass") == "t");
}
