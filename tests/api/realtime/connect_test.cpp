#include <catch2/catch.hpp>

#include "tests/api/realtime/house.h"

namespace chat::test {

using namespace std::chrono_literals;
using Mode = WsClient::Mode;
using nlohmann::json;

TEST_CASE("connect: all three ways of authenticating lead to connection.ready", "[api][realtime]") {
  House house;
  for (const Mode mode : {Mode::header, Mode::subprotocol, Mode::first_frame}) {
    const std::string stranger = "cold:bob" + std::to_string(static_cast<int>(mode));
    for (const auto& token : {std::string("alice"), stranger}) {
      WsClient client = house.connect(token, mode);
      const json ready = client.wait_for("connection.ready");
      CHECK(ready["data"]["user_id"] == token.substr(token.find(':') + 1));
      CHECK(ready["data"]["heartbeat_ms"] == 25'000);
      CHECK(ready["data"]["connection_id"].get<std::string>().starts_with("con_"));
      CHECK(client.protocol() == (mode == Mode::subprotocol ? "chat.v1" : ""));
    }
  }
  CHECK(house.opened == 6);
  CHECK(eventually([&] { return house.closed == 6; }));
}

TEST_CASE("connect: a bad header token is refused over HTTP", "[api][realtime]") {
  House house;
  const auto status_of = [&](const std::string& token, const std::string& target = "/v1/connect") {
    try {
      house.connect(token, Mode::header, target);
    } catch (const WsClient::Refused& refused) {
      return refused.status;
    }
    return 101;
  };
  CHECK(status_of("revoked:alice") == 401);
  CHECK(status_of("suspended:alice") == 403);
  CHECK(status_of("alice", "/v1/connect?token=secret") == 400);
  CHECK(status_of("alice", "/v1/connect?colour=red") == 400);
  CHECK(status_of("alice", "/v1/elsewhere") == 404);
  house.max_connections = 0;
  CHECK(status_of("alice") == 429);
  CHECK(house.opened == house.closed);
}

TEST_CASE("connect: a bad first frame is told why, and the code says whether to come back", "[api][realtime]") {
  House house;
  const std::vector<std::pair<std::string, int>> cases{
      {"revoked:alice", 4504}, {"suspended:alice", 4503}, {"expired:alice", 4040}};
  for (const auto& [token, code] : cases) {
    WsClient client = house.connect(token, Mode::first_frame);
    CHECK(client.wait_for("error")["data"].contains("code"));
    CHECK(client.wait_closed() == code);
  }
  WsClient wrong = house.connect("alice", Mode::anonymous);
  wrong.send({{"type", "auth"}, {"api_key", "other"}, {"token", "alice"}, {"ref", "r1"}});
  CHECK(wrong.wait_for("error")["ref"] == "r1");
  CHECK(wrong.wait_closed() == 4501);
  CHECK(house.opened == 0);
}

TEST_CASE("connect: who does not authenticate in time is closed", "[api][realtime]") {
  House house;
  WsClient silent = house.connect("", Mode::anonymous);
  CHECK(silent.wait_closed(3s) == 4501);
  WsClient impatient = house.connect("", Mode::anonymous);
  impatient.send({{"type", "resume"}, {"channels", json::object()}});
  CHECK(impatient.wait_closed() == 4501);
}

TEST_CASE("connect: ping is answered with pong, and garbage ends the connection", "[api][realtime]") {
  House house;
  WsClient alice = house.ready("alice");
  alice.send({{"type", "ping"}, {"ref", "1"}});
  CHECK(alice.wait_for("pong")["ref"] == "1");
  alice.send({{"type", "watch"}, {"cids", 5}, {"ref", "2"}});
  const json error = alice.wait_for("error");
  CHECK(error["data"]["code"] == "invalid_field");
  CHECK(error["data"]["errors"][0]["pointer"] == "#/cids");
  alice.send_text("hello");
  CHECK(alice.wait_closed() == 4506);

  WsClient bob = house.ready("bob");
  bob.send_binary("x");
  CHECK(bob.wait_closed() == 4506);
  WsClient carol = house.ready("carol");
  carol.send_text("{\"type\":\"ping\",\"ref\":\"" + std::string(70'000, 'x') + "\"}");
  CHECK(carol.wait_closed() == 4506);
}

TEST_CASE("connect: a client that closes gets its code back, and is forgotten", "[api][realtime]") {
  House house;
  WsClient alice = house.ready("alice");
  CHECK(house.gateway().connections_by_application().at(house.app().wire()) == 1);
  alice.close(4000);
  CHECK(alice.wait_closed() == 4000);
  CHECK(eventually([&] { return house.closed == 1 && house.gateway().counts().connections == 0; }));
  CHECK(house.gateway().connections_by_application().empty());
}

TEST_CASE("connect: a silent peer is dropped after two and a half heartbeats, a living one stays", "[api][realtime]") {
  realtime::Options options = House::quick();
  options.heartbeat = 800ms;
  House house(options);
  WsClient living = house.ready("alice");
  WsClient dead = house.connect_deaf("bob");
  CHECK(eventually([&] { return house.closed == 1; }));
  dead.go_on();
  CHECK(dead.wait_closed() == 4009);
  living.send({{"type", "ping"}});
  living.wait_for("pong");
}

TEST_CASE("connect: a token that ends is announced, may be renewed, and closes the socket when it is not", "[api][realtime]") {
  House house;
  house.token_life = 1'500ms;
  WsClient alice = house.ready("alice");
  CHECK(alice.wait_for("token.expiring")["data"].contains("expires_at"));
  WsClient bob = house.ready("bob");
  house.token_life = 60s;
  alice.send({{"type", "auth"}, {"api_key", "key_test"}, {"token", "alice"}, {"ref", "again"}});
  CHECK(alice.wait_for("auth.done")["ref"] == "again");
  alice.send({{"type", "auth"}, {"api_key", "key_test"}, {"token", "mallory"}});
  CHECK(alice.wait_for("error")["data"]["code"] == "forbidden");
  CHECK(bob.wait_closed(4s) == 4040);
  CHECK_FALSE(alice.wait_closed(10ms));
}

}  // namespace chat::test
