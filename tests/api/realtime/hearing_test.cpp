#include <catch2/catch.hpp>

#include <thread>

#include "tests/api/realtime/house.h"

namespace chat::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string kRoom = "messaging:general";

}  // namespace

TEST_CASE("hearing: members hear their channel in order, strangers nothing", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient alice = house.ready("alice"), phone = house.ready("alice"), bob = house.ready("bob"), carol = house.ready("carol");
  for (int i = 0; i < 50; ++i) house.commit(kRoom);
  for (WsClient* client : {&alice, &phone, &bob}) {
    for (std::int64_t seq = 1; seq <= 50; ++seq) {
      const json event = client->wait_for("message.new");
      REQUIRE(event["seq"] == seq);
      REQUIRE(event["epoch"] == house.epoch(kRoom));
      REQUIRE(event["data"]["n"] == seq);
    }
  }
  CHECK(carol.drain(50ms).empty());
  CHECK(house.copies == 150);
  CHECK(house.loads == 1);
}

TEST_CASE("hearing: connecting to a warm channel asks no database", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient bob = house.ready("bob");
  house.commit(kRoom);
  bob.wait_for("message.new");
  WsClient alice = house.ready("alice");
  house.commit(kRoom);
  CHECK(alice.wait_for("message.new")["seq"] == 2);
  CHECK(house.loads + house.locates + house.missed_loads == 1);
}

TEST_CASE("hearing: who joins hears from then on, who leaves no more", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  WsClient alice = house.ready("alice"), bob = house.ready("bob");
  house.commit(kRoom);
  house.add_member(kRoom, "bob");
  CHECK(bob.wait_for("member.added")["seq"] == 2);
  house.commit(kRoom);
  CHECK(bob.wait_for("message.new")["seq"] == 3);
  house.remove_member(kRoom, "bob");
  CHECK(bob.wait_for("member.removed")["seq"] == 4);
  house.commit(kRoom);
  alice.wait_for("member.removed");
  CHECK(alice.wait_for("message.new")["seq"] == 5);
  CHECK(bob.drain(50ms).empty());
}

TEST_CASE("hearing: a server connection hears the whole application", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  WsClient server = house.ready("server");
  house.commit(kRoom);
  const json event = server.wait_for("message.new");
  CHECK(event["app"] == house.app().wire());
  CHECK(event["cid"] == kRoom);
}

TEST_CASE("hearing: events for a user reach all its sockets and nobody else", "[api][realtime]") {
  House house;
  WsClient alice = house.ready("alice"), phone = house.ready("alice"), bob = house.ready("bob");
  house.tell_user("alice", "notification.test");
  alice.wait_for("notification.test");
  phone.wait_for("notification.test");
  CHECK(bob.drain(50ms).empty());
}

TEST_CASE("hearing: typing reaches the channel without a number", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient alice = house.ready("alice");
  house.type_in(kRoom, "bob");
  CHECK_FALSE(alice.wait_for("typing.start").contains("seq"));
}

TEST_CASE("hearing: an open channel may be watched, a closed one looks missing", "[api][realtime]") {
  House house;
  house.make_channel("stream:open", {}, true);
  house.make_channel("messaging:closed", {"bob"});
  house.commit("stream:open");
  WsClient alice = house.ready("alice");
  alice.send({{"type", "watch"}, {"cids", {"stream:open", "messaging:closed", "messaging:nowhere"}}, {"ref", "w"}});
  const json done = alice.wait_for("watch.done");
  CHECK(done["ref"] == "w");
  CHECK(done["data"]["channels"]["stream:open"]["last_seq"] == 1);
  CHECK(done["data"]["channels"].size() == 1);
  CHECK(done["data"]["errors"]["messaging:closed"] == done["data"]["errors"]["messaging:nowhere"]);
  CHECK(done["data"]["errors"]["messaging:closed"]["code"] == "not_found");
  house.commit("messaging:closed");
  house.commit("stream:open");
  CHECK(alice.wait_for("message.new")["seq"] == 2);
  alice.send({{"type", "unwatch"}, {"cids", {"stream:open"}}});
  alice.wait_for("unwatch.done");
  house.commit("stream:open");
  CHECK(alice.drain(100ms).empty());
}

TEST_CASE("hearing: a watched channel that closes is lost with a word", "[api][realtime]") {
  House house;
  house.make_channel("stream:open", {}, true);
  WsClient alice = house.ready("alice");
  alice.send({{"type", "watch"}, {"cids", {"stream:open"}}});
  alice.wait_for("watch.done");
  house.commit("stream:open");
  alice.wait_for("message.new");
  house.set_open("stream:open", false);
  house.commit("stream:open", "channel.updated");
  CHECK(alice.wait_for("resync")["data"]["reason"] == "not_found");
  house.commit("stream:open");
  CHECK(alice.drain(100ms).empty());
}

TEST_CASE("hearing: a slow reader is cut with 4008, the others are not kept waiting", "[api][realtime]") {
  realtime::Options options = House::quick();
  options.max_queue_bytes = 64 * 1024;
  House house(options);
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient alice = house.ready("alice");
  WsClient slow = house.connect_deaf("bob", 4096);
  REQUIRE(eventually([&] { return house.opened == 2; }));
  const std::string text(8'000, 'x');
  int sent = 0;
  while (house.closed == 0 && sent < 5'000) {
    house.commit(kRoom, "message.new", [&](bus::Event& event) { event.data = "{\"text\":\"" + text + "\"}"; });
    REQUIRE(alice.wait_for("message.new")["seq"] == ++sent);
  }
  CHECK(house.closed == 1);
  slow.go_on();
  CHECK(slow.wait_closed(15s) == 4008);
  CHECK(eventually([&] { return house.gateway().counts().queued_bytes == 0; }));
}

TEST_CASE("hearing: revocation closes the right sockets within a second, with the right code", "[api][realtime]") {
  House house;
  WsClient alice = house.ready("alice"), bob = house.ready("bob"), server = house.ready("server");
  const auto before = system_clock().now();
  house.gateway().close_user(house.app(), "alice", before - 1h, realtime::Close::token_revoked);
  house.gateway().close_user(AppId::make(before), "alice", std::nullopt, realtime::Close::token_revoked);
  house.gateway().close_user(house.app(), "alice", before + 1s, realtime::Close::token_revoked);
  CHECK(alice.wait_closed(1s) == 4504);
  house.gateway().close_application_tokens(house.app(), before - 1h);
  CHECK_FALSE(bob.wait_closed(50ms));
  house.gateway().close_application(house.app(), realtime::Close::application_suspended);
  CHECK(bob.wait_closed(1s) == 4503);
  CHECK(server.wait_closed(1s) == 4503);
  CHECK(eventually([&] { return house.opened == house.closed; }));
}

TEST_CASE("hearing: no socket survives a revocation that happens while it connects", "[api][realtime]") {
  House house;
  for (int round = 0; round < 30; ++round) {
    const std::string user = "user" + std::to_string(round);
    std::thread revoker([&] { house.revoke(user); });
    try {
      WsClient client = house.connect(user);
      CHECK(client.wait_closed() == 4504);
    } catch (const WsClient::Refused& refused) {
      CHECK(refused.status == 401);
    }
    revoker.join();
  }
}

TEST_CASE("hearing: draining sends everybody elsewhere, spread over the time given", "[api][realtime]") {
  House house;
  std::vector<WsClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(house.ready("user" + std::to_string(i)));
  std::thread drainer([&] { house.gateway().drain(400ms); });
  REQUIRE(eventually([&] { return house.closed > 0; }));
  CHECK_THROWS_AS(house.connect("late"), WsClient::Refused);
  for (auto& client : clients) CHECK(client.wait_closed(3s) == 4001);
  drainer.join();
  CHECK(house.gateway().counts().connections == 0);
  CHECK(house.opened == house.closed);
}

TEST_CASE("hearing: a gateway that ends in the middle of traffic leaves nothing behind", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  WsClient alice = house.ready("alice");
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    while (!done) house.commit(kRoom);
  });
  alice.wait_for("message.new");
  house.stop_gateway();
  CHECK(eventually([&] { return alice.wait_closed(10ms).has_value(); }));
  done = true;
  publisher.join();
  CHECK(house.opened == house.closed);
}

}  // namespace chat::test
