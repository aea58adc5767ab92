#include <signal.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/api/process/child.h"
#include "tests/support/redis.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

/// Only two nodes can show this; hidden from a run with one. $CHAT_TEST_NODES=2
namespace {

using namespace std::chrono_literals;

/// A node of the same service that a test may kill.
struct Third {
  Child child{flags()};
  Third() { child.wait_ready(); }
  static std::vector<std::string> flags() {
    auto flags = Service::flags_of_a_node("unix://" + std::string(std::getenv("CHAT_TEST_REDIS")), std::string(std::getenv("CHAT_TEST_DB")) + ":");
    flags.push_back("realtime.presence_ttl=3s");
    return flags;
  }
};

Actor at(const TestApp& app, std::uint16_t port, const std::string& user_id) {
  return Actor(port, {{"X-API-Key", app.key()}, {"Authorization", "Bearer " + app.token(user_id)}});
}

WsClient connect_at(const TestApp& app, std::uint16_t port, const std::string& user_id) {
  WsClient client({.port = port, .api_key = app.key(), .token = app.token(user_id)});
  client.wait_for("connection.ready");
  return client;
}

/// The seqs of the channel's numbered events as a client keeps them, until `last` came.
std::vector<std::int64_t> hear_until(WsClient& client, std::int64_t last) {
  std::vector<std::int64_t> seqs;
  while (seqs.empty() || seqs.back() < last) {
    auto event = client.next(10s);
    if (!event) break;
    if (event->contains("seq")) seqs.push_back((*event)["seq"]);
  }
  return seqs;
}

std::vector<std::int64_t> from_to(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> all;
  for (; from <= to; ++from) all.push_back(from);
  return all;
}

std::int64_t last_seq(const TestApp& app) {
  return at(app, Service::get().port(), "").get("/v1/channels/messaging/general").body["channel"]["last_seq"];
}

}  // namespace

TEST_CASE("nodes: what two nodes send at once reaches the sockets of both, each event once and in order", "[.][nodes][ws][order]") {
  const auto ports = Service::get().ports();
  REQUIRE(ports.size() == 2);
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto here = connect_at(app, ports[0], "alice");
  auto there = connect_at(app, ports[1], "bob");
  app.send("alice", "general", "first");
  const auto first = last_seq(app);
  CHECK(hear_until(here, first) == std::vector<std::int64_t>{first});
  CHECK(hear_until(there, first) == std::vector<std::int64_t>{first});
  std::vector<std::jthread> senders;
  for (int i = 0; i < 4; ++i)
    senders.emplace_back([&, port = ports[i % 2], user = i < 2 ? "alice" : "bob"] {
      auto sender = at(app, port, user);
      for (int n = 0; n < 50; ++n) sender.post(kMessages, {{"text", "x"}});
    });
  senders.clear();
  CHECK(last_seq(app) == first + 200);
  CHECK(hear_until(here, first + 200) == from_to(first + 1, first + 200));
  CHECK(hear_until(there, first + 200) == from_to(first + 1, first + 200));
}

TEST_CASE("nodes: kill -9 of one loses nothing: its sockets resume at the other, whose own go on", "[.][nodes][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto listener = connect_at(app, Service::get().port(), "alice");
  std::set<std::string> acknowledged, heard;
  Json position;
  {
    Third third;
    auto cut = connect_at(app, third.child.public_port(), "bob");
    auto sender = at(app, third.child.public_port(), "bob");
    for (int i = 0; i < 30; ++i) acknowledged.insert(sender.post(kMessages, {{"text", std::to_string(i)}}).body["message"]["id"]);
    const auto event = hear(cut, "message.new");
    position = {{"epoch", event["epoch"]}, {"seq", event["seq"]}};
    heard.insert(event["data"]["message"]["id"]);
    std::jthread beside([&] {
      try {
        for (int i = 30; i < 1'000; ++i) {
          const auto sent = sender.post(kMessages, {{"text", std::to_string(i)}, {"nonce", std::to_string(i)}});
          if (sent.status == 201) acknowledged.insert(sent.body["message"]["id"]);
        }
      } catch (const std::exception&) {        // killed
      }
    });
    std::this_thread::sleep_for(50ms);         // in the middle of it
    third.child.signal(SIGKILL);
    CHECK(third.child.wait_end() == 128 + SIGKILL);
    CHECK(cut.wait_closed() == 1006);
  }
  app.send("alice", "general", "the last one");
  const auto end = last_seq(app);
  const auto seqs = hear_until(listener, end);
  CHECK(seqs == from_to(seqs.front(), end));
  auto again = connect_at(app, Service::get().port(), "bob");
  again.send({{"type", "resume"}, {"channels", {{"messaging:general", position}}}});
  for (std::int64_t seq = position["seq"]; seq < end;) {
    const auto event = again.wait_for("message.new");
    CHECK(event["seq"] == seq + 1);
    seq = event["seq"];
    heard.insert(event["data"]["message"]["id"]);
  }
  for (const auto& id : acknowledged) CHECK(heard.contains(id));
}

TEST_CASE("nodes: what is sent while Redis is away reaches the other node's sockets when it is back", "[.][nodes][ws]") {
  ScratchRedis redis;
  Child a(Service::flags_of_a_node(redis.url(), "away:")), b(Service::flags_of_a_node(redis.url(), "away:"));
  a.wait_ready();
  b.wait_ready();
  TestApp app, suspended;
  for (auto* one : {&app, &suspended}) {
    one->add_users({"alice", "bob"});
    one->add_channel("general", {"alice", "bob"});
    one->add_channel("cold", {"alice", "bob"});
  }
  auto hot = connect_at(app, b.public_port(), "bob");
  auto doomed = connect_at(suspended, b.public_port(), "bob");
  auto sender = at(app, a.public_port(), "alice");
  REQUIRE(sender.post(kMessages, {{"text", "before"}}).status == 201);
  const std::int64_t first = hear(hot, "message.new")["seq"];
  redis.kill();
  for (int i = 0; i < 20; ++i) REQUIRE(sender.post(kMessages, {{"text", "away"}}).status == 201);
  REQUIRE(sender.post("/v1/channels/messaging/cold/messages", {{"text", "away"}}).status == 201);
  Actor operators(a.operator_port(), {{"Authorization", "Bearer operator-of-the-tests-0123456789"}});
  REQUIRE(operators.post("/operator/v1/applications/" + suspended.id() + "/suspend", {{"reason", "unpaid"}}).status == 200);
  eventually("it says that it is alone", [&] { return operators.get("/operator/v1/status").body["redis"] == "disconnected"; });
  redis.start();
  std::vector<std::int64_t> general;
  bool cold = false;
  while (general.size() < 20 || !cold) {
    const auto event = hot.wait_for("message.new", 20s);
    if (event["cid"] == "messaging:cold") cold = true;
    else general.push_back(event["seq"]);
  }
  CHECK(general == from_to(first + 1, first + 20));
  CHECK(doomed.wait_closed(5s) == 4503);
  eventually("it is connected again", [&] { return operators.get("/operator/v1/status").body["redis"] == "connected"; });
}

TEST_CASE("nodes: suspending, revoking and banning through one closes the sockets of the other within a second", "[.][nodes][ws]") {
  const auto ports = Service::get().ports();
  TestApp suspended, revoked;
  for (auto* app : {&suspended, &revoked}) app->add_users({"alice", "bob"});
  auto first = connect_at(suspended, ports[1], "alice");
  auto second = connect_at(revoked, ports[1], "alice");
  auto third = connect_at(revoked, ports[1], "bob");
  Actor operators(Service::get().node().operator_port(), {{"Authorization", "Bearer operator-of-the-tests-0123456789"}});
  REQUIRE(operators.post("/operator/v1/applications/" + suspended.id() + "/suspend", {{"reason", "unpaid"}}).status == 200);
  CHECK(first.wait_closed(1s) == 4503);
  CHECK(at(suspended, ports[1], "alice").get("/v1/users/alice").code() == "application_suspended");
  REQUIRE(at(revoked, ports[0], "").post("/v1/users/alice/deactivate").status == 200);
  CHECK(second.wait_closed(1s) == 4507);
  CHECK(at(revoked, ports[1], "alice").get("/v1/users/alice").code() == "user_deactivated");
  CHECK_FALSE(third.wait_closed(100ms));
}

TEST_CASE("nodes: a rate limit holds for both together, within a second", "[.][nodes][limits]") {
  const auto ports = Service::get().ports();
  TestApp app(Json{{"user_requests", {{"hard", 60}, {"burst", 40}}}});
  app.add_users({"alice"});
  std::vector<Actor> doors{at(app, ports[0], "alice"), at(app, ports[1], "alice")};
  for (int i = 0; i < 30; ++i) REQUIRE(doors[0].get("/v1/users/alice").status == 200);
  std::this_thread::sleep_for(1500ms);         // the nodes speak every second; to look would be to take
  const auto left = doors[1].get("/v1/users/alice").http.header("ratelimit").value_or("\"user\";r=99");
  INFO(left);
  CHECK(std::stoi(left.substr(left.find("r=") + 2)) < 20);
  int passed = 0;
  for (int i = 0; i < 60; ++i) passed += doors[i % 2].get("/v1/users/alice").status == 200 ? 1 : 0;
  CHECK(passed < 40);                          // each for itself: some 50
}

TEST_CASE("nodes: the sockets of both count against the plan, and make the peak", "[.][nodes][limits][ws]") {
  const auto ports = Service::get().ports();
  TestApp app(Json{{"connections", {{"hard", 3}}}});
  app.add_users({"alice"});
  std::vector<WsClient> sockets;
  for (int i = 0; i < 2; ++i) sockets.push_back(connect_at(app, ports[0], "alice"));
  sockets.push_back(connect_at(app, ports[1], "alice"));
  const auto refused = [&](std::uint16_t port) {
    try {
      WsClient client({.port = port, .api_key = app.key(), .token = app.token("alice")});
      return client.wait_closed(1s) == 4505;
    } catch (const WsClient::Refused& refusal) {
      return refusal.status == 429;
    }
  };
  eventually("both nodes refuse a fourth one", [&] { return refused(ports[0]) && refused(ports[1]); });
  eventually("the peak is of both", [&] {
    const auto usage = app.server().get("/v1/usage").body;
    for (const auto& meter : usage["meters"])
      if (meter["meter"] == "peak_connections") return meter["value"] >= 3;
    return false;
  });
  sockets.clear();
  eventually("the places are free again", [&] { return !refused(ports[1]); });
}

TEST_CASE("nodes: the messages of a month are counted together", "[.][nodes][limits]") {
  const auto ports = Service::get().ports();
  TestApp app(Json{{"messages", {{"hard", 10}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  std::vector<Actor> doors{at(app, ports[0], "alice"), at(app, ports[1], "alice")};
  for (int i = 0; i < 8; ++i) REQUIRE(doors[i % 2].post(kMessages, {{"text", "x"}}).status == 201);
  std::this_thread::sleep_for(2s);             // the nodes speak every second; nothing shows when they have
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += doors[i % 2].post(kMessages, {{"text", "x"}}).status == 201 ? 1 : 0;
  CHECK(passed >= 2);
  CHECK(passed <= 4);
}

TEST_CASE("nodes: users of a node that was killed are offline and look on no longer, and whoever follows them hears it", "[.][nodes][presence][watchers][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  const auto here = Service::get().port();
  const auto watchers = [&] { return at(app, here, "bob").get("/v1/channels/messaging/general/watchers").body["watcher_count"]; };
  const auto status = [&] { return at(app, here, "bob").post("/v1/users/presence", {{"user_ids", {"alice"}}}).body["users"][0]["status"]; };
  auto bob = connect_at(app, here, "bob");
  bob.send({{"type", "presence"}, {"user_ids", {"alice"}}});
  bob.wait_for("presence.done");
  {
    Third third;
    auto alice = connect_at(app, third.child.public_port(), "alice");
    CHECK(hear(bob, "user.presence.changed")["data"]["status"] == "online");
    alice.send({{"type", "watch"}, {"cids", {"messaging:general"}}});
    eventually("alice looks on", [&] { return watchers() == 1; });
    CHECK(status() == "online");
    third.child.signal(SIGKILL);
    CHECK(third.child.wait_end() == 128 + SIGKILL);
  }
  CHECK(bob.wait_for("user.presence.changed", 30s)["data"]["status"] == "offline");
  CHECK(status() == "offline");
  eventually("nobody looks on", [&] { return watchers() == 0; }, 30s);
}

TEST_CASE("nodes: a user who types through one node and stops through another types no longer, at once", "[.][nodes][typing][ws]") {
  const auto ports = Service::get().ports();
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = connect_at(app, ports[0], "bob");
  const std::string typing = "/v1/channels/messaging/general/typing";
  for (int i = 0; i < 2; ++i) {
    CHECK(at(app, ports[static_cast<std::size_t>(i)], "alice").post(typing).status == 204);
    hear(bob, "typing.start");
    CHECK(at(app, ports[static_cast<std::size_t>(1 - i)], "alice").post(typing, {{"typing", false}}).status == 204);
    CHECK(hear(bob, "typing.stop")["data"]["user_id"] == "alice");   // its patience ends before the six seconds do
  }
}
