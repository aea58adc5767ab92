#include <catch2/catch.hpp>

#include <set>

#include "platform/server/settings.h"
#include "platform/server/webhooks.h"
#include "platform/webhooks/flow.h"
#include "tests/support/contract.h"
#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() : Room(Json::object()) {}
  explicit Room(const Json& limits) : TestApp(limits) {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  [[nodiscard]] std::string uuid() const { return AppId::parse(id())->text(); }
};

void run_sql(const std::string& statement) { Probe(superuser_database().dsn).run(statement); }

void wait_for(const Hooked& hooked, const std::string& type, std::size_t count = 1) {
  eventually(std::to_string(count) + " of " + type, [&] { return hooked.all(type).size() >= count; }, std::chrono::seconds(20));
  for (const auto& got : hooked.all(type))
    for (const auto& mistake : Contract::get().check_event(got.body)) FAIL_CHECK(mistake << " in " << got.body);
}

/// The ids of the events that came in batches.
std::multiset<std::string> batched(const Hooked& hooked) {
  std::multiset<std::string> ids;
  for (const auto& got : hooked.all("webhook.batch")) {
    const auto frame = got.frame();
    for (const auto& event : frame.at("data").at("events")) ids.insert(event["id"].get<std::string>());
  }
  return ids;
}

}  // namespace

TEST_CASE("webhooks: a vote is told, but none of an anonymous poll", "[api][webhooks][polls]") {
  Room room;
  Hooked hooked;
  subscribe(room, hooked.url(), {{"events", {"poll.voted"}}});
  const auto voted = [&](bool anonymous) {
    const auto made = room.user("alice").post(kMessages, {{"poll", {{"question", "Lunch?"}, {"options", {"Here", "There"}}, {"anonymous", anonymous}}}});
    REQUIRE(made.status == 201);
    const std::string id = made.body["message"]["id"];
    REQUIRE(room.user("bob").post(kMessages + "/" + id + "/poll/votes", {{"options", {"1"}}}).status == 201);
    return id;
  };
  voted(true);
  const auto open = voted(false);
  wait_for(hooked, "poll.voted");
  CHECK(room.rows("webhook_deliveries", "type = 'poll.voted'") == 1);
  CHECK(hooked.all("poll.voted").front().frame()["data"]["message_id"] == open);
}

TEST_CASE("webhooks: batches gather events for a while, are signed whole, and come again whole", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  std::atomic<int> calls{0};
  hooked.answer_with([&](const Hooked::Got&, const http::Responder& respond) { respond({.status = ++calls == 1 ? 500 : 204, .body = ""}); });
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"batch_max", 100}, {"batch_wait_ms", 1000}, {"schedule_s", {1, 1}}});
  std::multiset<std::string> sent;
  for (int i = 0; i < 12; ++i) {
    auto id = room.send("alice", "general", std::to_string(i))["id"].get<std::string>();
    sent.insert("evt_" + id.substr(id.find('_') + 1));
  }
  eventually("all to be taken", [&] { return room.rows("webhook_deliveries", "state = 'succeeded'") == 12; }, std::chrono::seconds(30));
  wait_for(hooked, "webhook.batch", 2);
  for (const auto& got : hooked.all()) CHECK(endpoint.verify(got) == "");
  const auto came = batched(hooked);
  for (const auto& id : sent) CHECK(came.count(id) >= 1);
  CHECK(came.size() > sent.size());            // the first batch came twice
  CHECK(std::set<std::string>(came.begin(), came.end()).size() == sent.size());
  CHECK(hooked.all().size() < sent.size());    // fewer calls than events
  const auto first = hooked.all().at(0).frame();
  CHECK(hooked.all().at(0).id == first["id"]);
  const std::string event = first["data"]["events"][0]["id"];
  const auto shown = room.server().get(endpoint.path("/deliveries/" + event)).body;
  REQUIRE(shown["attempts"].size() == 2);
  CHECK(shown["attempts"][1]["status"] == 500);
  CHECK(room.rows("usage_metrics", "meter = 'webhook_deliveries' and value = 12") == 1);
}

TEST_CASE("webhooks: a batch has no more events than its endpoint wants, and one event is a batch, too", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"batch_max", 2}});
  auto server = room.server();
  REQUIRE(server.post(endpoint.path("/pause")).status == 200);
  for (int i = 0; i < 5; ++i) room.send("alice", "general", std::to_string(i));
  eventually("all to wait", [&] { return room.rows("webhook_deliveries", "state = 'pending'") == 5; }, std::chrono::seconds(20));
  REQUIRE(server.post(endpoint.path("/resume")).status == 200);
  eventually("all to be taken", [&] { return room.rows("webhook_deliveries", "state = 'succeeded'") == 5; }, std::chrono::seconds(20));
  CHECK(batched(hooked).size() == 5);
  for (const auto& got : hooked.all()) CHECK(got.frame()["data"]["events"].size() <= 2);
  CHECK(server.patch(endpoint.path(), {{"set", {{"batch_max", 101}}}}).pointer() == "#/set/batch_max");
  CHECK(server.patch(endpoint.path(), {{"set", {{"batch_wait_ms", -1}}}}).pointer() == "#/set/batch_wait_ms");
  const auto single = server.patch(endpoint.path(), {{"set", {{"batch_max", 1}}}});
  CHECK(single.body["webhook_endpoint"]["batch_max"] == 1);
  room.send("alice", "general", "alone");
  wait_for(hooked, "message.new");
}

TEST_CASE("webhooks: a node that has not heard of a new endpoint loses nothing for it", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  subscribe(room, hooked.url(), {{"events", {"message.new", "user.muted", "member.added"}}});
  const std::string of_app = " where app_id = '" + room.uuid() + "'";
  run_sql("update applications set webhooks = '{}'" + of_app);
  REQUIRE(Service::get().operators().patch("/operator/v1/applications/" + room.id(), {{"set", {{"name", "Heard of"}}}}).status == 200);   // every node looks again
  room.add_users({"carol"});
  for (int i = 0; i < 4; ++i) room.send("alice", "general", "nobody wants it");   // and now every node knows that nobody does
  CHECK(room.rows("outbox") == 0);
  run_sql("update applications set webhooks = '{message.new,user.muted,member.added}'" + of_app);
  for (int i = 0; i < 2; ++i) room.send("alice", "general", "wanted");
  REQUIRE(room.user("alice").post("/v1/users/alice/mutes", {{"target_id", "bob"}}).status < 300);
  REQUIRE(room.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"carol"}}}).status < 300);
  wait_for(hooked, "message.new", 2);
  wait_for(hooked, "user.muted");
  wait_for(hooked, "member.added");
  CHECK(hooked.all("message.new").size() == 2);
}

TEST_CASE("webhooks: walks over the endpoints go in pages and say where they stopped", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  std::vector<Subscribed> endpoints;
  for (int i = 0; i < 3; ++i) {
    endpoints.push_back(subscribe(room, hooked.url(), {{"events", {"message.new"}}}));
    REQUIRE(room.server().post(endpoints.back().path("/pause")).status == 200);
  }
  room.send("alice", "general", "for three");
  eventually("all to wait", [&] { return room.rows("webhook_deliveries", "state = 'pending'") == 3; }, std::chrono::seconds(20));
  Probe probe(superuser_database().dsn);
  const std::string nil = "'00000000-0000-0000-0000-000000000000'", begin = "'" + room.uuid() + "', " + nil;
  const auto walk = [&](int visits) {
    return probe.rows("select endpoint_id, event_id from claim_webhooks(gen_random_uuid(), now(), now(), " + begin + ", '{}', 0, 0, 10, " + std::to_string(visits) + ")");
  };
  const std::string second = probe.value("select id from webhook_endpoints where app_id = '" + room.uuid() + "' order by id offset 1 limit 1");
  const auto page = walk(2);
  REQUIRE(page.size() == 1);
  CHECK(page[0][0] == second);
  const auto swept = probe.rows("select swept, last_endpoint from sweep_webhooks(100, " + begin + ", 2)");
  CHECK(swept[0][0] == "0");
  CHECK(swept[0][1] == second);
  for (const auto& one : endpoints) REQUIRE(room.server().del(one.path()).status == 204);
  Service::get().node().run_job("sweep_webhooks");
  CHECK(room.rows("webhook_endpoints") == 0);
}

TEST_CASE("webhooks: the ways out take as many calls at once as are made", "[api][webhooks]") {
  const auto settings = config::load(server::settings_schema(), std::nullopt, {}, {});
  const auto deliveries = server::webhook_options(settings);
  CHECK(deliveries.max_active >= static_cast<std::size_t>(webhooks::Flows::kMaxInFlight));
  CHECK(deliveries.max_active_per_tenant >= static_cast<std::size_t>(webhooks::Flows::kMaxEachApp));
  CHECK(server::judge_options(settings).max_active == 2'048);
}

TEST_CASE("webhooks: the operator sees how long events wait to become deliveries", "[api][webhooks]") {
  Room room;
  Probe probe(superuser_database().dsn);
  probe.run("begin");
  probe.run("insert into outbox (app_id, id, type, created_at) values ('" + room.uuid() + "', gen_random_uuid(), 'message.new', now() - interval '1 hour')");
  CHECK(probe.value("select oldest_outbox() <= now() - interval '1 hour'") == "t");
  probe.run("rollback");
  Service::get().node().run_job("measure_backlogs");
  CHECK(Service::get().stranger_at_operators().get("/metrics").http.body.find("chat_backlog_seconds{queue=\"outbox\"}") != std::string::npos);
}

TEST_CASE("webhooks: deliveries and their log are forgotten after 14 days, what waits after 30", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}});
  auto server = room.server();
  room.send("alice", "general", "taken");
  eventually("it to be taken", [&] { return room.rows("webhook_deliveries", "state = 'succeeded'") == 1; }, std::chrono::seconds(20));
  REQUIRE(server.post(endpoint.path("/pause")).status == 200);
  room.send("alice", "general", "waits");
  eventually("it to wait", [&] { return room.rows("webhook_deliveries", "state = 'pending'") == 1; }, std::chrono::seconds(20));
  const auto age = [&](int days) {
    for (const auto* table : {"webhook_deliveries", "webhook_logs"})
      run_sql(std::string("update ") + table + " set event_id = uuid7_floor(now() - interval '" + std::to_string(days) + " days') where app_id = '" + room.uuid() + "'" +
              (std::string(table) == "webhook_deliveries" ? " and state = '" + std::string(days == 13 || days == 15 ? "succeeded" : "pending") + "'" : ""));
    Service::get().node().run_job("sweep_webhooks");
  };
  age(13);
  CHECK(room.rows("webhook_logs") == 1);
  CHECK(room.rows("webhook_deliveries") == 2);
  age(15);
  CHECK(room.rows("webhook_logs") == 0);
  CHECK(room.rows("webhook_deliveries", "state = 'succeeded'") == 0);
  age(29);
  CHECK(room.rows("webhook_deliveries", "state = 'pending'") == 1);
  age(31);
  CHECK(room.rows("webhook_deliveries") == 0);
}

TEST_CASE("webhooks: the marks of limits and final statements are told, each once", "[api][webhooks][alerts][statements]") {
  Room room(Json{{"messages", {{"included", 5}, {"hard", 7}}}});
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"billing.*"}}});
  for (int i = 0; i < 7; ++i) room.send("alice", "general", "x");
  eventually("three marks", [&] {
    Service::get().node().run_job("flush_usage");
    return room.rows("limit_alerts") == 3;
  }, std::chrono::seconds(15));
  wait_for(hooked, "billing.limit.crossed", 3);
  std::set<std::string> levels;
  for (const auto& got : hooked.all("billing.limit.crossed")) {
    CHECK(endpoint.verify(got) == "");
    CHECK(got.frame()["data"]["alert"]["meter"] == "messages");
    levels.insert(got.frame()["data"]["alert"]["level"].get<std::string>());
  }
  CHECK(levels == std::set<std::string>{"hard", "overage", "warning"});

  auto operators = Service::get().operators();
  const std::string path = "/operator/v1/applications/" + room.id(), plan = "w-" + room.id().substr(4), of_app = " where app_id = '" + room.uuid() + "'";
  REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "Paid"}, {"currency", "EUR"}, {"price_month", 1234}}).status == 200);
  REQUIRE(operators.post(path + "/plan", {{"plan", plan}}).status == 200);
  run_sql("delete from plan_moves" + of_app + " and plan_id <> '" + plan + "'; update plan_moves set moved_at = '2024-05-01Z'" + of_app +
          "; update applications set created_at = '2024-05-01Z'" + of_app);
  const auto made = operators.post(path + "/statements", {{"month", "2024-05"}});
  REQUIRE(made.status == 201);
  CHECK(operators.post(path + "/statements", {{"month", "2024-05"}}).code() == "conflict");
  wait_for(hooked, "billing.statement.finalized");
  const auto told = hooked.all("billing.statement.finalized").at(0).frame()["data"]["statement"];
  CHECK(told == made.body["statement"]);
  Service::get().node().run_job("flush_usage");
  eventually("nothing to wait", [&] { return room.rows("outbox") == 0 && room.rows("webhook_deliveries", "state = 'pending'") == 0; }, std::chrono::seconds(20));
  CHECK(room.rows("webhook_deliveries") == 4);
}
