#include <catch2/catch.hpp>

#include <optional>

#include "platform/chat/presence/online.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

constexpr std::chrono::milliseconds kSilence{900};       // more than a turn of what would tell
constexpr std::chrono::milliseconds kGrace{12'000};

Json follow(WsClient& client, const Json& user_ids) {
  client.send({{"type", "presence"}, {"ref", "p"}, {"user_ids", user_ids}});
  auto done = client.wait_for("presence.done");
  CHECK(done["ref"] == "p");
  return done["data"]["users"];
}

std::string status_of(Actor actor, const std::string& user) {
  auto answer = actor.post("/v1/users/presence", {{"user_ids", {user}}});
  REQUIRE(answer.status == 200);
  return answer.body["users"][0]["status"];
}

std::string heard(WsClient& client, std::chrono::milliseconds patience = WsClient::kPatience) {
  auto frame = client.find("user.presence.changed", patience);
  return frame ? (*frame)["data"]["status"].get<std::string>() : "nothing";
}

}  // namespace

TEST_CASE("presence: online while one device is here, offline a while after the last went, however it went", "[api][presence][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto bob = app.connect("bob");
  CHECK(follow(bob, {"alice"})[0]["status"] == "offline");
  std::optional<WsClient> phone(app.connect("alice"));
  auto changed = hear(bob, "user.presence.changed");
  CHECK(changed["data"] == Json{{"user_id", "alice"}, {"status", "online"}, {"online", true}});
  CHECK_FALSE(changed.contains("cid"));
  CHECK(status_of(app.user("bob"), "alice") == "online");
  std::optional<WsClient> laptop(app.connect("alice"));
  phone.reset();                                         // vanishes without a word
  CHECK(heard(bob, kSilence) == "nothing");
  laptop.reset();
  laptop.emplace(app.connect("alice"));                  // back in time: nobody notices
  CHECK(heard(bob, std::chrono::milliseconds(5'500)) == "nothing");
  laptop->close();
  const auto last = bob.wait_for("user.presence.changed", kGrace);
  CHECK(last["data"]["status"] == "offline");
  CHECK(last["data"].contains("last_active_at"));
  CHECK(status_of(app.user("bob"), "alice") == "offline");
  CHECK(app.user("bob").get("/v1/users/alice").body["user"]["last_active_at"] == last["data"]["last_active_at"]);
}

TEST_CASE("presence: away when all devices say so", "[api][presence][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto bob = app.connect("bob"), phone = app.connect("alice"), laptop = app.connect("alice");
  CHECK(follow(bob, {"alice"})[0]["status"] == "online");
  phone.send({{"type", "status"}, {"status", "away"}});
  CHECK(phone.wait_for("status.done")["data"]["status"] == "away");
  CHECK(heard(bob, kSilence) == "nothing");
  laptop.send({{"type", "status"}, {"status", "away"}});
  CHECK(heard(bob) == "away");
  phone.send({{"type", "status"}, {"status", "online"}});
  CHECK(heard(bob) == "online");
  phone.close();
  CHECK(heard(bob) == "away");
}

TEST_CASE("presence: an invisible user is here for itself and servers alone", "[api][presence][ws][permissions]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto bob = app.connect("bob"), alice = app.connect("alice"), laptop = app.connect("alice");
  CHECK(follow(bob, {"alice"})[0]["status"] == "online");
  CHECK(follow(laptop, {"alice"})[0]["status"] == "online");
  app.user("alice").patch("/v1/users/alice", {{"set", {{"invisible", true}}}});
  const auto gone = hear(bob, "user.presence.changed");
  CHECK(gone["data"] == Json{{"user_id", "alice"}, {"status", "offline"}, {"online", false}});
  CHECK(status_of(app.user("bob"), "alice") == "offline");
  CHECK_FALSE(app.user("bob").post("/v1/users/presence", {{"user_ids", {"alice"}}}).body["users"][0].contains("last_active_at"));
  CHECK(status_of(app.user("alice"), "alice") == "online");
  CHECK(status_of(app.server(), "alice") == "online");
  CHECK(heard(laptop, kSilence) == "nothing");
  alice.send({{"type", "status"}, {"status", "away"}});
  laptop.send({{"type", "status"}, {"status", "away"}});
  CHECK(heard(laptop) == "away");
  CHECK(heard(bob, kSilence) == "nothing");              // not even that something changed
  app.user("alice").patch("/v1/users/alice", {{"set", {{"invisible", false}}}});
  CHECK(heard(bob) == "away");
}

TEST_CASE("presence: a block puts both out of each other's sight, until it is lifted", "[api][presence][ws][blocks]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto alice = app.connect("alice"), bob = app.connect("bob"), carol = app.connect("carol");
  for (auto* one : {&alice, &bob, &carol}) CHECK(follow(*one, {"alice", "bob"}).size() == 2);
  REQUIRE(app.user("alice").post("/v1/users/alice/blocks", {{"target_id", "bob"}}).status == 200);
  CHECK(hear(bob, "user.presence.changed")["data"] == Json{{"user_id", "alice"}, {"status", "offline"}, {"online", false}});
  CHECK(hear(alice, "user.presence.changed")["data"] == Json{{"user_id", "bob"}, {"status", "offline"}, {"online", false}});
  CHECK(status_of(app.user("bob"), "alice") == "offline");
  CHECK(status_of(app.user("alice"), "bob") == "offline");
  CHECK(status_of(app.user("carol"), "bob") == "online");
  REQUIRE(app.user("alice").del("/v1/users/alice/blocks/bob").status == 204);
  CHECK(heard(bob) == "online");
  CHECK(heard(alice) == "online");
  CHECK(heard(carol, kSilence) == "nothing");
}

TEST_CASE("presence: told to those who follow and to nobody else, and only of their own application", "[api][presence][ws][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "carol"});
  other.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob", "carol"});
  auto bob = app.connect("bob"), carol = app.connect("carol"), stranger = other.connect("bob"), backend = app.connect("");
  CHECK(follow(bob, {"alice", "nobody"}).size() == 1);
  CHECK(follow(stranger, {"alice", "carol"}).size() == 1);
  CHECK(follow(carol, {"alice"}).size() == 1);
  CHECK(follow(carol, Json::array()).empty());           // replaces: nobody now
  auto alice = app.connect("alice");
  CHECK(heard(bob) == "online");
  CHECK(heard(carol, kSilence) == "nothing");
  CHECK(heard(stranger, std::chrono::milliseconds(10)) == "nothing");
  CHECK(heard(backend, std::chrono::milliseconds(10)) == "nothing");
  CHECK(app.rows("channel_events", "type like 'user%'") == 0);
  Json many = Json::array();
  for (int i = 0; i < 201; ++i) many.push_back("u" + std::to_string(i));
  bob.send({{"type", "presence"}, {"user_ids", many}});
  CHECK(bob.wait_for("error")["data"]["code"] == "invalid_field");
  backend.send({{"type", "presence"}, {"user_ids", {"alice"}}});
  CHECK(backend.wait_for("error")["data"]["code"] == "forbidden");
}

TEST_CASE("presence: over REST for a hundred users, as the caller may see them", "[api][presence]") {
  TestApp app, other;
  app.add_users({"alice", "bob"});
  const auto answer = app.user("bob").post("/v1/users/presence", {{"user_ids", {"bob", "nobody", "alice"}}});
  REQUIRE(answer.body["users"].size() == 2);
  CHECK(answer.body["users"][0]["user_id"] == "bob");
  CHECK(answer.body["users"][1] == Json{{"user_id", "alice"}, {"status", "offline"}, {"online", false}});
  CHECK(app.server().post("/v1/users/presence", {{"user_ids", {"alice"}}, {"user_id", "bob"}}).status == 200);
  CHECK(app.user("bob").post("/v1/users/presence", {{"user_ids", {"alice"}}, {"user_id", "alice"}}).code() == "forbidden");
  CHECK(app.user("bob").post("/v1/users/presence", {{"user_ids", Json::array()}}).pointer() == "#/user_ids");
  CHECK(app.user("bob").post("/v1/users/presence").pointer() == "#/user_ids");
  CHECK(other.server().post("/v1/users/presence", {{"user_ids", {"alice"}}}).body["users"].empty());
}

TEST_CASE("presence: the members of a channel who are here, page by page, without those who hide", "[api][presence][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol", "dave", "erin"});
  app.add_channel("general", {"alice", "bob", "carol", "dave"});
  const std::string path = "/v1/channels/messaging/general/online";
  auto bob = app.connect("bob"), carol = app.connect("carol"), dave = app.connect("dave"), erin = app.connect("erin");
  const auto all = app.user("alice").get(path);
  CHECK(all.body["online_count"] == 3);
  CHECK(all.body["complete"] == true);
  const auto first = app.user("alice").get(path + "?limit=2");
  REQUIRE(first.body["users"].size() == 2);
  CHECK(first.body["users"][0]["user_id"] == "bob");
  const auto second = app.user("alice").get(path + "?limit=2&next=" + first.body["next"].get<std::string>());
  REQUIRE(second.body["users"].size() == 1);
  CHECK(second.body["users"][0]["user_id"] == "dave");
  CHECK_FALSE(second.body.contains("next"));
  CHECK(app.user("bob").get(path + "?next=" + first.body["next"].get<std::string>()).pointer() == "query:next");
  app.user("carol").patch("/v1/users/carol", {{"set", {{"invisible", true}}}});
  app.user("dave").post("/v1/users/dave/blocks", {{"target_id", "alice"}});
  CHECK(app.user("alice").get(path).body["online_count"] == 1);
  CHECK(app.server().get(path).body["online_count"] == 3);
  CHECK(app.user("erin").get(path).code() == "not_found");
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  CHECK(app.user("alice").get("/v1/channels/livestream/show/online").code() == "forbidden");
}

namespace {

/// Behind the real one, however far it is set: ids made by a clock ahead would lift those of the whole process.
class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return at; }
  Timestamp at = system_clock().now() - std::chrono::hours(1);
};

}  // namespace

TEST_CASE("presence: users of a node that was killed go offline when their time is over, and others hear of it", "[api][presence]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  const auto id = *AppId::parse(app.id());
  SetClock clock;
  auto bus = bus::make_local_bus();
  auto store = ephemeral::make_local_store(clock);
  std::vector<realtime::Status> told;
  presence::Online survivor(*store, *bus, clock);
  survivor.connect({[](AppId, const std::string&, const presence::Online::Users& tell) { tell({"bob"}); },
                    [&](const std::shared_ptr<const realtime::PresenceNews>& news) { told.push_back(news->status); }});
  bus->subscribe([](bus::Bus::Events) {}, [&](const bus::Bus::Control& control) { survivor.on_control(control); });
  storage::Connection connection(server_database());
  const auto turns = [&] {
    for (int i = 0; i < 3; ++i) survivor.turn(connection);
  };
  {
    presence::Online killed(*store, *bus, clock);
    killed.connect({[](AppId, const std::string&, const presence::Online::Users&) {}, [](const auto&) {}});
    killed.came(id, "alice");
    killed.turn(connection);
    turns();
    clock.at += std::chrono::seconds(30);
    killed.turn(connection);                             // holds again
    clock.at += std::chrono::seconds(30);
    turns();
    CHECK(told == std::vector{realtime::Status::online});
  }
  clock.at += std::chrono::seconds(46);
  turns();
  CHECK(told == std::vector{realtime::Status::online, realtime::Status::offline});
}
