#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "tests/support/contract.h"
#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  Json delivery(const Subscribed& endpoint, const std::string& event) { return server().get(endpoint.path("/deliveries/" + event)).body; }
  void wait_for(const Subscribed& endpoint, const std::string& state, std::size_t count = 1) {
    eventually(std::to_string(count) + " deliveries that " + state, [&] {
      return server().get(endpoint.path("/deliveries?state=" + state)).body["deliveries"].size() == count;
    }, std::chrono::seconds(20));
  }
};

void wait_for(const Hooked& hooked, const std::string& type, std::size_t count = 1) {
  eventually(std::to_string(count) + " of " + type, [&] { return hooked.all(type).size() >= count; }, std::chrono::seconds(20));
  for (const auto& got : hooked.all(type))
    for (const auto& mistake : Contract::get().check_event(got.body)) FAIL_CHECK(mistake << " in " << got.body);
}

}  // namespace

TEST_CASE("webhooks: an event reaches an endpoint that wants it, signed, as sockets have it", "[api][webhooks][ws]") {
  Room room;
  Hooked hooked;
  auto bob = room.connect("bob");
  const auto endpoint = subscribe(room, hooked.url("/hook?a=b"), {{"events", {"message.*"}}, {"headers", {{"X-Shop", "one"}}}});
  const auto message = room.send("alice", "general", "Hello, wörld");
  const auto heard = hear(bob, "message.new");
  wait_for(hooked, "message.new");
  const auto got = hooked.all("message.new").at(0);
  CHECK(endpoint.verify(got) == "");
  CHECK(got.path.starts_with("/hook"));
  CHECK(got.request.header("x-shop") == "one");
  CHECK(got.request.header("content-type") == "application/json");
  auto frame = got.frame();
  CHECK(frame["app"] == room.id());
  CHECK(got.id == frame["id"]);
  frame.erase("app");
  CHECK(frame == heard);
  room.wait_for(endpoint, "succeeded");
  const auto shown = room.delivery(endpoint, got.id);
  CHECK(shown["delivery"]["attempts"] == 1);
  REQUIRE(shown["attempts"].size() == 1);
  CHECK(shown["attempts"][0]["outcome"] == "succeeded");
  CHECK(shown["attempts"][0]["status"] == 204);
  CHECK(room.rows("outbox") == 0);
  CHECK(room.rows("usage_metrics", "meter = 'webhook_deliveries' and value = 1") == 1);
}

TEST_CASE("webhooks: an application without endpoints that want an event writes nothing for it", "[api][webhooks]") {
  Room room;
  room.send("alice", "general", "nobody listens");
  CHECK(room.rows("outbox") == 0);
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"channel.*"}}});
  room.send("alice", "general", "nor now");
  REQUIRE(room.user("alice").patch("/v1/channels/messaging/general", {{"set", {{"name", "New"}}}}).status == 200);
  wait_for(hooked, "channel.updated");
  CHECK(hooked.all().size() == 1);
  CHECK(room.rows("webhook_deliveries") == 1);
  REQUIRE(room.server().del(endpoint.path()).status == 204);
  REQUIRE(room.user("alice").patch("/v1/channels/messaging/general", {{"set", {{"name", "Newer"}}}}).status == 200);
  CHECK(room.rows("outbox") == 0);
  CHECK(room.server().get(endpoint.path()).code() == "not_found");
  CHECK(room.server().del(endpoint.path()).code() == "not_found");
  Service::get().node().run_job("sweep_webhooks");
  CHECK(room.rows("webhook_endpoints") == 0);
  CHECK(room.rows("webhook_deliveries") == 0);
  CHECK(room.rows("webhook_secrets") == 0);
}

TEST_CASE("webhooks: each kind of event arrives: stored, of a user, of the application, and only of the channel types wanted", "[api][webhooks]") {
  Room room;
  Hooked hooked, teams_only;
  subscribe(room, hooked.url());
  subscribe(room, teams_only.url(), {{"channel_types", {"team"}}});
  room.send("alice", "general", "hello");
  REQUIRE(room.user("bob").post("/v1/channels/messaging/general/read").status < 300);
  REQUIRE(room.user("alice").post("/v1/users/alice/mutes", {{"target_id", "bob"}}).status < 300);
  room.add_users({"carol"});
  REQUIRE(room.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"carol"}}}).status < 300);
  for (const auto* type : {"message.new", "message.read", "user.muted", "member.added"}) wait_for(hooked, type);
  const auto added = hooked.all("member.added").at(0).frame();
  CHECK(added["seq"].get<int>() > 0);
  CHECK(added["data"]["member"]["user_id"] == "carol");
  CHECK(hooked.all("user.muted").at(0).frame()["data"]["mute"]["target_id"] == "bob");
  wait_for(teams_only, "user.muted");
  CHECK(teams_only.all("message.new").empty());
}

TEST_CASE("webhooks: a slash command that is not sent as a message reaches the backend for certain", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  subscribe(room, hooked.url(), {{"events", {"command.invoked"}}});
  REQUIRE(room.server().put("/v1/commands/order", {{"description", "Orders lunch"}, {"visible", false}}).status == 201);
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"order"}}}}}).status == 200);
  for (int i = 0; i < 2; ++i) CHECK(room.user("alice").post(kMessages, {{"text", "/order soup"}, {"nonce", "n1"}}).status == 202);
  wait_for(hooked, "command.invoked");
  const auto frame = hooked.all().at(0).frame();
  CHECK(frame["cid"] == "messaging:general");
  CHECK(frame["data"]["command"]["args"] == "soup");
  CHECK(room.rows("webhook_deliveries") == 1);   // the repeat has the same id
}

TEST_CASE("webhooks: what fails comes again under the same id, and every attempt is in the log", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  std::atomic<int> calls{0};
  hooked.answer_with([&](const Hooked::Got&, const http::Responder& respond) {
    respond(++calls == 1 ? http::Response{.status = 500, .body = "out of order", .content_type = "text/plain"} : http::no_content());
  });
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"schedule_s", {1}}});
  room.send("alice", "general", "again");
  wait_for(hooked, "message.new", 2);
  const auto got = hooked.all();
  CHECK(got[0].id == got[1].id);
  CHECK(got[0].body == got[1].body);
  CHECK(endpoint.verify(got[1]) == "");
  room.wait_for(endpoint, "succeeded");
  const auto attempts = room.delivery(endpoint, got[0].id)["attempts"];
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[1]["outcome"] == "http_error");
  CHECK(attempts[1]["status"] == 500);
  CHECK(attempts[1]["response_body"] == "out of order");
  CHECK(attempts[1]["response_headers"]["content-type"] == "text/plain");
  CHECK(attempts[1].contains("next_at"));
  CHECK_FALSE(attempts[0].contains("next_at"));
  auto server = room.server();
  CHECK(server.get("/v1/webhooks/logs?outcome=failed").body["webhook_logs"].size() == 1);
  CHECK(server.get("/v1/webhooks/logs?outcome=succeeded&type=message.new&endpoint_id=" + endpoint.id).body["webhook_logs"].size() == 1);
  const auto page = server.get("/v1/webhooks/logs?limit=1").body;
  CHECK(page["webhook_logs"][0]["attempt"] == 2);
  CHECK(server.get("/v1/webhooks/logs?limit=1&next=" + page["next"].get<std::string>()).body["webhook_logs"][0]["attempt"] == 1);
  CHECK(server.get("/v1/webhooks/logs?since=soon").pointer() == "query:since");
  CHECK(server.get("/v1/webhooks/logs?endpoint_id=x").pointer() == "query:endpoint_id");
}

TEST_CASE("webhooks: given up at the end of the schedule, and replayed one by one or all", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  hooked.answer_with(503);
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"schedule_s", Json::array()}});
  for (int i = 0; i < 3; ++i) room.send("alice", "general", std::to_string(i));
  room.wait_for(endpoint, "failed", 3);
  auto server = room.server();
  const auto page = server.get(endpoint.path("/deliveries?limit=2")).body;
  REQUIRE(page["deliveries"].size() == 2);
  const auto rest = server.get(endpoint.path("/deliveries?limit=2&next=" + page["next"].get<std::string>())).body["deliveries"];
  REQUIRE(rest.size() == 1);
  const std::string first = rest[0]["event_id"];
  hooked.answer_with(200);
  const auto one = server.post(endpoint.path("/deliveries/" + first + "/replay"));
  CHECK(one.status == 202);
  CHECK(one.body["delivery"]["trigger"] == "replay");
  room.wait_for(endpoint, "succeeded", 1);
  CHECK(hooked.all().back().id == first);
  CHECK(room.delivery(endpoint, first)["attempts"].size() == 2);
  const auto all = server.post(endpoint.path("/replay"), {{"which", "failed"}});
  CHECK(all.status == 202);
  CHECK(all.body == Json{{"replayed", 2}, {"complete", true}});
  room.wait_for(endpoint, "succeeded", 3);
  CHECK(server.post(endpoint.path("/replay"), {{"which", "all"}, {"since", "2026-01-01T00:00:00Z"}, {"until", "2026-01-02T00:00:00Z"}}).body["replayed"] == 0);
  CHECK(server.post(endpoint.path("/replay"), {{"which", "some"}}).pointer() == "#/which");
  CHECK(server.post(endpoint.path("/deliveries/evt_01m7yzmjqcedqrb018tr4sjm6r/replay")).code() == "not_found");
}

TEST_CASE("webhooks: paused, events wait; disabled, they are missed until replayed", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}});
  auto server = room.server();
  CHECK(server.post(endpoint.path("/pause")).body["webhook_endpoint"]["state"] == "paused");
  CHECK(server.post(endpoint.path("/test")).code() == "conflict");
  room.send("alice", "general", "while paused");
  room.wait_for(endpoint, "pending");
  CHECK(hooked.all().empty());
  CHECK(server.post(endpoint.path("/resume")).body["webhook_endpoint"]["state"] == "active");
  wait_for(hooked, "message.new");
  const auto disabled = server.post(endpoint.path("/disable")).body["webhook_endpoint"];
  CHECK(disabled["state_reason"] == "asked");
  const auto again = server.post(endpoint.path("/disable")).body["webhook_endpoint"];
  CHECK(again["updated_at"] == disabled["updated_at"]);
  room.send("alice", "general", "missed");
  room.wait_for(endpoint, "skipped");
  CHECK(server.post(endpoint.path("/replay"), {{"which", "missed"}}).code() == "conflict");
  server.post(endpoint.path("/resume"));
  CHECK(server.post(endpoint.path("/replay"), {{"which", "missed"}}).body["replayed"] == 1);
  wait_for(hooked, "message.new", 2);
  CHECK(hooked.all().at(1).frame()["data"]["message"]["text"] == "missed");
}

TEST_CASE("webhooks: 410 disables the endpoint, and the others of the application are told", "[api][webhooks][ws]") {
  Room room;
  Hooked gone, other;
  gone.answer_with(410);
  const auto endpoint = subscribe(room, gone.url(), {{"events", {"message.new"}}});
  subscribe(room, other.url(), {{"events", {"webhook.*"}}});
  auto backend = room.connect("");
  room.send("alice", "general", "the last one");
  wait_for(other, "webhook.endpoint_disabled");
  CHECK(other.all().at(0).frame()["data"]["reason"] == "gone");
  CHECK(hear(backend, "webhook.endpoint_disabled")["data"]["endpoint_id"] == endpoint.id);
  const auto shown = room.server().get(endpoint.path()).body["webhook_endpoint"];
  CHECK(shown["state"] == "disabled");
  CHECK(shown["state_reason"] == "gone");
}

TEST_CASE("webhooks: after half of five days of failing its customer is warned, after all of them it is disabled", "[api][webhooks][ws]") {
  Room room;
  Hooked failing, other;
  failing.answer_with(500);
  const auto endpoint = subscribe(room, failing.url(), {{"events", {"message.new"}}, {"schedule_s", Json::array()}});
  subscribe(room, other.url(), {{"events", {"webhook.*"}}});
  const auto age = [&](const char* hours, int failures) {
    Probe(superuser_database().dsn).run("update webhook_endpoints set closed_until = null, failures = " + std::to_string(failures) + ", failing_since = now() - interval '" +
                                        hours + " h' where app_id = '" + AppId::parse(room.id())->text() + "' and events = '{message.new}'");
  };
  auto backend = room.connect("");
  age("61", 3);
  room.send("alice", "general", "fails");
  CHECK(hear(backend, "webhook.endpoint_failing")["data"]["percent"] == 50);
  wait_for(other, "webhook.endpoint_failing", 1);
  room.wait_for(endpoint, "failed", 1);
  age("121", 3);                               // long, but too few failures
  room.send("alice", "general", "fails, too");
  wait_for(other, "webhook.endpoint_failing", 2);
  CHECK(other.all("webhook.endpoint_failing").at(1).frame()["data"]["percent"] == 90);
  CHECK(room.server().get(endpoint.path()).body["webhook_endpoint"]["state"] == "active");
  room.wait_for(endpoint, "failed", 2);
  age("121", 9);
  room.send("alice", "general", "the tenth");
  wait_for(other, "webhook.endpoint_disabled");
  CHECK(other.all("webhook.endpoint_disabled").at(0).frame()["data"]["reason"] == "failing");
}

TEST_CASE("webhooks: a key is rotated with overlap, and Ed25519 needs the public key alone", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  auto server = room.server();
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}});
  const auto rotated = server.post(endpoint.path("/rotate"), {{"overlap_s", 3600}});
  REQUIRE(rotated.status == 200);
  CHECK(rotated.body["webhook_endpoint"]["keys"].size() == 2);
  const Subscribed newer{endpoint.id, rotated.body["secret"]};
  CHECK(newer.secret != endpoint.secret);
  const auto asymmetric = server.post(endpoint.path("/rotate"), {{"overlap_s", 3600}, {"signature", "v1a"}});
  REQUIRE(asymmetric.status == 200);
  CHECK_FALSE(asymmetric.body.contains("secret"));
  const Subscribed newest{endpoint.id, asymmetric.body["webhook_endpoint"]["keys"][0]["public_key"]};
  CHECK(newest.secret.starts_with("whpk_"));
  room.send("alice", "general", "three signatures");
  wait_for(hooked, "message.new");
  const auto got = hooked.all().at(0);
  for (const auto& one : {endpoint, newer, newest}) CHECK(one.verify(got) == "");
  for (int i = 0; i < 2; ++i) REQUIRE(server.post(endpoint.path("/rotate")).status == 200);
  CHECK(server.post(endpoint.path("/rotate")).code() == "limit_reached");
  CHECK(server.post(endpoint.path("/rotate"), {{"overlap_s", 0}}).body["webhook_endpoint"]["keys"].size() == 1);
  room.send("alice", "general", "one signature");
  wait_for(hooked, "message.new", 2);
  CHECK(endpoint.verify(hooked.all().at(1)) != "");
}

TEST_CASE("webhooks: a test is one attempt with made-up data", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"channel.*"}}});
  auto server = room.server();
  CHECK(server.post(endpoint.path("/test")).body["delivery"]["type"] == "webhook.test");
  wait_for(hooked, "webhook.test");
  hooked.answer_with(500);
  CHECK(server.post(endpoint.path("/test"), {{"type", "message.new"}}).status == 202);
  wait_for(hooked, "message.new");
  CHECK(hooked.all("message.new").at(0).frame()["data"]["message"].contains("text"));
  room.wait_for(endpoint, "failed");
  CHECK(server.get(endpoint.path()).body["webhook_endpoint"]["failures"] == 0);
  CHECK(server.post(endpoint.path("/test"), {{"type", "message.never"}}).pointer() == "#/type");
  CHECK(room.rows("usage_metrics", "meter = 'webhook_deliveries'") == 0);
}

TEST_CASE("webhooks: in order, what fails holds up its own channel and no other", "[api][webhooks]") {
  Room room;
  room.add_channel("other", {"alice"});
  Hooked hooked;
  std::atomic<int> failures{0};
  hooked.answer_with([&](const Hooked::Got& got, const http::Responder& respond) {
    const bool fails = got.frame()["cid"] == "messaging:general" && got.frame()["data"]["message"]["text"] == "0" && failures++ == 0;
    respond({.status = fails ? 500 : 204, .body = ""});
  });
  subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"ordered", true}, {"schedule_s", {1, 1}}});
  for (int i = 0; i < 4; ++i) room.send("alice", "general", std::to_string(i));
  room.send("alice", "other", "free");
  wait_for(hooked, "message.new", 6);
  std::string order;
  for (const auto& got : hooked.all())
    if (got.frame()["cid"] == "messaging:general") order += got.frame()["data"]["message"]["text"].get<std::string>();
  CHECK(order == "00123");
}

TEST_CASE("webhooks: an endpoint that hangs slows no other", "[api][webhooks]") {
  Room room;
  std::mutex mutex;
  std::vector<http::Responder> held;
  Hooked hanging([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  Hooked quick;
  const auto slow = subscribe(room, hanging.url(), {{"events", {"message.new"}}, {"timeout_ms", 30000}});
  subscribe(room, quick.url(), {{"events", {"message.new"}}});
  for (int i = 0; i < 30; ++i) room.send("alice", "general", std::to_string(i));
  wait_for(quick, "message.new", 30);
  CHECK(hanging.all().size() <= 8);            // four for each node
  CHECK(room.rows("webhook_deliveries", "state = 'pending'") >= 22);
  REQUIRE(room.server().del(slow.path()).status == 204);
  const std::lock_guard lock(mutex);
  for (auto& respond : held) respond(http::no_content());
}

TEST_CASE("webhooks: a redirect is not followed, an address that is not public is not called", "[api][webhooks]") {
  Room room;
  Hooked target, redirecting([&](const Hooked::Got&, const http::Responder& respond) {
    http::Response response{.status = 308, .body = ""};
    respond(response.with("Location", target.url()));
  });
  const auto endpoint = subscribe(room, redirecting.url(), {{"events", {"message.new"}}, {"schedule_s", Json::array()}});
  const auto inside = subscribe(room, "http://10.1.2.3/", {{"events", {"message.new"}}, {"schedule_s", Json::array()}});
  room.send("alice", "general", "where to");
  room.wait_for(endpoint, "failed");
  room.wait_for(inside, "failed");
  CHECK(target.all().empty());
  auto server = room.server();
  CHECK(server.get("/v1/webhooks/logs?outcome=redirected").body["webhook_logs"].size() == 1);
  const auto refused = server.get("/v1/webhooks/logs?outcome=refused_address").body["webhook_logs"];
  REQUIRE(refused.size() == 1);
  CHECK(refused[0]["detail"] == "The URL leads to an address that is not public.");
}

TEST_CASE("webhooks: what is erased is not told, nor is what was said in the shadow", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.*", "user.*"}}});
  auto server = room.server();
  server.post(endpoint.path("/pause"));
  const auto message = room.send("alice", "general", "my secret");
  REQUIRE(room.user("alice").del(kMessages + "/" + message["id"].get<std::string>() + "?mode=hard").status == 200);
  REQUIRE(room.user("bob").post("/v1/users/bob/mutes", {{"target_id", "alice"}}).status < 300);
  room.wait_for(endpoint, "pending", 3);
  REQUIRE(server.del("/v1/users/bob?mode=hard").status < 300);
  eventually("the body to go", [&] { return room.rows("webhook_deliveries", "type = 'user.muted' and body is null and state = 'skipped'") == 1; });
  REQUIRE(server.put("/v1/bans/alice", {{"shadow", true}}).status < 300);
  room.send("alice", "general", "in the shadow");
  server.post(endpoint.path("/resume"));
  wait_for(hooked, "user.deleted");
  wait_for(hooked, "message.deleted");
  for (const auto& got : hooked.all()) {
    CHECK(got.body.find("secret") == std::string::npos);
    CHECK(got.body.find("shadow") == std::string::npos);
  }
}

TEST_CASE("webhooks: refused without a trace", "[api][webhooks][tenancy][permissions][limits]") {
  Room room, other;
  Hooked hooked;
  auto server = room.server();
  const std::string path = "/v1/webhooks/endpoints";
  CHECK(room.user("alice").post(path, {{"url", hooked.url()}, {"events", {"*"}}}).code() == "forbidden");
  CHECK(server.post(path, {{"url", "ftp://x"}, {"events", {"*"}}}).pointer() == "#/url");
  CHECK(server.post(path, {{"url", hooked.url()}}).pointer() == "#/events");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"message.new", "Message"}}}).pointer() == "#/events/1");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"message.never"}}}).pointer() == "#/events/0");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"*"}}, {"headers", {{"Webhook-Id", "mine"}}}}).pointer() == "#/headers/Webhook-Id");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"*"}}, {"headers", {{"X", "a\nb"}}}}).pointer() == "#/headers/X");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"*"}}, {"schedule_s", {5, 0}}}).pointer() == "#/schedule_s/1");
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"*"}}, {"retries", 3}}).code() == "unknown_field");
  CHECK(room.rows("webhook_endpoints") == 0);
  const auto endpoint = subscribe(room, hooked.url(), {{"headers", {{"Authorization", "Bearer hidden"}}}});
  auto stranger = other.server();
  CHECK(stranger.get(endpoint.path()).code() == "not_found");
  CHECK(stranger.patch(endpoint.path(), {{"set", {{"url", hooked.url("/stolen")}}}}).code() == "not_found");
  CHECK(stranger.post(endpoint.path("/rotate")).code() == "not_found");
  CHECK(stranger.post(endpoint.path("/replay")).code() == "not_found");
  CHECK(stranger.get(path).body["webhook_endpoints"].empty());
  CHECK(server.patch(endpoint.path(), {{"set", {{"events", Json::array()}}}}).pointer() == "#/set/events");
  CHECK(server.patch(endpoint.path(), Json::object()).pointer() == "#/set");
  const auto changed = server.patch(endpoint.path(), {{"set", {{"url", hooked.url("/new")}, {"max_per_second", 5}}}});
  CHECK(changed.status == 200);
  CHECK(changed.body["webhook_endpoint"]["header_names"] == Json{"Authorization"});
  CHECK(changed.http.body.find("hidden") == std::string::npos);
  CHECK(server.get(path).body["webhook_endpoints"][0]["max_per_second"] == 5);
  for (int i = 1; i < 20; ++i) subscribe(room, hooked.url());
  CHECK(server.post(path, {{"url", hooked.url()}, {"events", {"*"}}}).code() == "limit_reached");
}

TEST_CASE("webhooks: an application that is suspended is told of nothing until it is active again", "[api][webhooks]") {
  Room room, other;
  Hooked hooked, others;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}});
  subscribe(other, others.url(), {{"events", {"message.new"}}});
  REQUIRE(room.server().post(endpoint.path("/pause")).status == 200);
  room.send("alice", "general", "before");
  room.wait_for(endpoint, "pending");
  auto operators = Service::get().operators();
  const std::string path = "/operator/v1/applications/" + room.id();
  REQUIRE(operators.post(path + "/suspend", {{"reason", "unpaid"}}).status == 200);
  Probe(superuser_database().dsn).run("update webhook_endpoints set state = 'active' where app_id = '" + AppId::parse(room.id())->text() + "'");
  for (std::size_t i = 1; i <= 3; ++i) {       // what the workers deliver meanwhile
    other.send("alice", "general", std::to_string(i));
    wait_for(others, "message.new", i);
  }
  CHECK(hooked.all().empty());
  CHECK(room.rows("webhook_deliveries", "state = 'pending'") == 1);
  REQUIRE(operators.post(path + "/resume").status == 200);
  wait_for(hooked, "message.new");
}

TEST_CASE("webhooks: every change of an endpoint stands in the application's audit, without its secrets", "[api][webhooks][own_audit]") {
  Room room;
  Hooked hooked;
  auto server = room.server();
  const auto endpoint = subscribe(room, hooked.url(), {{"headers", {{"Authorization", "Bearer hidden"}}}});
  REQUIRE(server.patch(endpoint.path(), {{"set", {{"description", "Orders"}}}}).status == 200);
  for (const auto* verb : {"pause", "pause", "resume", "disable", "rotate"}) REQUIRE(server.post(endpoint.path(std::string("/") + verb)).status == 200);
  REQUIRE(server.put("/v1/webhooks/before_message_send", {{"url", hooked.url()}}).status == 201);
  REQUIRE(server.del("/v1/webhooks/before_message_send").status == 204);
  REQUIRE(server.del(endpoint.path()).status == 204);
  CHECK(server.patch(endpoint.path(), {{"set", {{"description", "None"}}}}).code() == "not_found");
  const auto page = server.get("/v1/app/audit?limit=100");
  std::map<std::string, Json> noted;
  for (const auto& entry : page.body["audit"]) noted[entry["action"].get<std::string>() + " " + entry["object"].get<std::string>()] = entry;
  const std::string object = " webhook_endpoint:" + endpoint.id;
  for (const auto* verb : {"create", "update", "pause", "resume", "disable", "rotate", "delete"}) CHECK(noted.count("webhook_endpoint." + std::string(verb) + object) == 1);
  for (const auto* verb : {"put", "delete"}) CHECK(noted.count("before_message_send." + std::string(verb) + " before_message_send") == 1);
  CHECK(page.body["audit"].size() == 9);       // pausing what is paused changes nothing
  CHECK(noted["webhook_endpoint.update" + object]["before"]["description"] == "");
  CHECK(noted["webhook_endpoint.update" + object]["after"]["description"] == "Orders");
  CHECK(noted["webhook_endpoint.disable" + object]["after"]["state"] == "disabled");
  CHECK(page.http.body.find("hidden") == std::string::npos);
  CHECK(page.http.body.find("whsec_") == std::string::npos);
}

TEST_CASE("webhooks: the official library of Standard Webhooks takes what chatd delivers, and nothing else", "[api][webhooks]") {
  namespace files = std::filesystem;
  const files::path built = CHAT_STANDARD_WEBHOOKS_BUILD;
  const auto run = [](const std::string& command) { return std::system(command.c_str()); };
  if (run("command -v npm >/dev/null 2>&1") != 0) {
    WARN("there is no npm here: the official library was not asked");
    return;
  }
  files::create_directories(built);
  for (const auto* name : {"package.json", "package-lock.json", "verify.mjs"})
    files::copy_file(files::path(CHAT_STANDARD_WEBHOOKS) / name, built / name, files::copy_options::overwrite_existing);
  if (!files::exists(built / "node_modules/standardwebhooks")) REQUIRE(run("cd '" + built.string() + "' && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1") == 0);
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}});
  const Subscribed newer{endpoint.id, room.server().post(endpoint.path("/rotate"), {{"overlap_s", 60}}).body["secret"]};
  room.send("alice", "general", "Hello, w\u00f6rld \U0001F44B");
  wait_for(hooked, "message.new");
  const auto got = hooked.all().at(0);
  const auto line = [&](const std::string& secret, const std::string& body) {
    return Json{{"secret", secret}, {"body", body},
                {"headers", {{"webhook-id", got.id}, {"webhook-timestamp", got.timestamp}, {"webhook-signature", got.signature}}}}.dump() + "\n";
  };
  const auto stranger = webhook::make_key(webhook::Scheme::v1).text();
  std::ofstream(built / "asked.jsonl") << line(endpoint.secret, got.body) << line(newer.secret, got.body) << line(endpoint.secret, got.body + " ") << line(stranger, got.body);
  REQUIRE(run("cd '" + built.string() + "' && node verify.mjs <asked.jsonl >said.txt 2>&1") == 0);
  std::vector<std::string> said;
  std::ifstream in(built / "said.txt");
  for (std::string one; std::getline(in, one);) said.push_back(one);
  REQUIRE(said.size() == 4);
  CHECK(said[0] == "genuine");
  CHECK(said[1] == "genuine");
  CHECK(said[2].starts_with("refused"));
  CHECK(said[3].starts_with("refused"));
}
