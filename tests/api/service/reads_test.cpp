#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kRead = "/v1/channels/messaging/general/read";
const std::string kUnread = "/v1/channels/messaging/general/unread";

std::int64_t unread(TestApp& app, const std::string& user) {
  const auto answer = app.user(user).get("/v1/unread");
  for (const auto& item : answer.body["channels"])
    if (item["cid"] == "messaging:general") return item["unread"];
  return 0;
}

}  // namespace

TEST_CASE("reads: unread counts what came since, and a mark brings it to nothing", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  for (int i = 0; i < 3; ++i) app.send("alice", "general", "x");
  CHECK(unread(app, "bob") == 3);
  CHECK(unread(app, "alice") == 0);
  auto state = app.user("bob").get("/v1/channels/messaging/general").body;
  CHECK(state["membership"]["unread"] == 3);
  CHECK_FALSE(state["membership"].contains("read_seq"));   // never opened is not zero
  auto marked = app.user("bob").post("/v1/channels/messaging/general/read");
  CHECK(marked.body["read"]["read_seq"] == 3);
  CHECK(marked.body["unread"] == 0);
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
  CHECK(app.user("bob").get("/v1/channels/messaging/general").body["membership"]["read_seq"] == 3);
}

TEST_CASE("reads: a mark goes up to a message and never back", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  std::vector<Json> sent;
  for (int i = 0; i < 4; ++i) sent.push_back(app.send("alice", "general", "x"));
  auto bob = app.user("bob");
  CHECK(bob.post("/v1/channels/messaging/general/read", {{"message_id", sent[2]["id"]}}).body["unread"] == 1);
  auto back = bob.post("/v1/channels/messaging/general/read", {{"message_id", sent[0]["id"]}});
  CHECK(back.body["read"]["read_seq"] == 3);
  CHECK(bob.post("/v1/channels/messaging/general/read", {{"message_id", "msg_01h455vb4pex5vsknk084sn02q"}}).code() == "not_found");
  CHECK(bob.post("/v1/channels/messaging/general/read", {{"message_id", "x"}}).pointer() == "#/message_id");
}

TEST_CASE("reads: what was said before one joined never becomes unread", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice"});
  auto old = app.send("alice", "general", "old");
  for (int i = 0; i < 4; ++i) app.send("alice", "general", "x");
  app.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"bob"}}});
  CHECK(unread(app, "bob") == 0);
  CHECK(app.user("bob").post("/v1/channels/messaging/general/read", {{"message_id", old["id"]}}).body["unread"] == 0);
}

TEST_CASE("reads: who is no member has nothing to mark", "[api][reads][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "carol"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice"});
  CHECK(app.user("carol").post("/v1/channels/messaging/general/read").code() == "not_found");
  CHECK(other.user("alice").post("/v1/channels/messaging/general/read").code() == "not_found");
  CHECK(app.server().post("/v1/channels/messaging/general/read").pointer() == "#/user_id");
  CHECK(app.server().post("/v1/channels/messaging/general/read", {{"user_id", "alice"}}).status == 200);
}

TEST_CASE("reads: a mark is told to the channel once", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice");
  auto carol = app.connect("carol");
  app.send("alice", "general", "x");
  app.user("bob").post("/v1/channels/messaging/general/read");
  auto event = hear(alice, "message.read");
  CHECK(event["data"]["user_id"] == "bob");
  CHECK(event["data"]["read_seq"] == 1);
  CHECK_FALSE(event.contains("seq"));
  app.user("bob").post("/v1/channels/messaging/general/read");
  CHECK_FALSE(alice.find("message.read", std::chrono::milliseconds(150)));
  CHECK_FALSE(carol.find("message.read", std::chrono::milliseconds(10)));
}

TEST_CASE("reads: a message and what is behind it become unread again, and nobody else sees that", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  std::vector<Json> sent;
  for (int i = 0; i < 4; ++i) sent.push_back(app.send("alice", "general", "x"));
  auto bob = app.user("bob");
  auto alice = app.connect("alice");
  bob.post(kRead);
  hear(alice, "message.read");
  auto answer = bob.post(kUnread, {{"message_id", sent[1]["id"]}});
  CHECK(answer.body["unread"] == 3);
  CHECK(answer.body["read"]["read_seq"] == 1);
  CHECK(bob.post(kUnread, {{"message_id", sent[3]["id"]}}).body["unread"] == 3);   // it is unread already
  CHECK_FALSE(alice.find("message.read", std::chrono::milliseconds(150)));
  auto readers = app.user("alice").get(kMessages + "/" + sent[3]["id"].get<std::string>() + "/receipts").body["receipts"];
  REQUIRE(readers.size() == 1);                                                    // a receipt does not go back
  CHECK(readers[0]["user_id"] == "bob");
  CHECK(bob.post(kRead).body["unread"] == 0);
  CHECK(bob.post(kUnread).pointer() == "#/message_id");
  CHECK(bob.post(kUnread, {{"message_id", "msg_01h455vb4pex5vsknk084sn02q"}}).code() == "not_found");
}

TEST_CASE("reads: nothing from before one joined becomes unread again", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice"});
  auto old = app.send("alice", "general", "old");
  app.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"bob"}}});
  app.send("alice", "general", "new");
  CHECK(app.user("bob").post(kUnread, {{"message_id", old["id"]}}).body["unread"] == 1);   // never opened
  app.user("bob").post(kRead);
  CHECK(app.user("bob").post(kUnread, {{"message_id", old["id"]}}).body["unread"] == 1);
  CHECK(app.user("carol").post(kUnread, {{"message_id", old["id"]}}).code() == "not_found");
}

TEST_CASE("reads: many channels in one call, each standing alone", "[api][reads][ws]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "carol"});
  for (const auto* name : {"one", "two"}) app.add_channel(name, {"alice", "bob"});
  app.add_channel("closed", {"alice"});
  auto first = app.send("alice", "one", "x");
  app.send("alice", "one", "x");
  app.send("alice", "two", "x");
  auto alice = app.connect("alice");
  auto carol = app.connect("carol");
  const Json body{{"channels", Json::array({{{"cid", "messaging:two"}},
                                            {{"cid", "messaging:closed"}},
                                            {{"cid", "messaging:one"}, {"message_id", first["id"]}},
                                            {{"cid", "messaging:nowhere"}}})}};
  auto results = app.user("bob").post("/v1/read", body).body["results"];
  REQUIRE(results.size() == 4);
  CHECK(results[0]["status"] == "moved");
  CHECK(results[0]["unread"] == 0);
  CHECK(results[1]["error"]["code"] == "not_found");
  CHECK(results[2]["cid"] == "messaging:one");
  CHECK(results[2]["unread"] == 1);
  CHECK(results[3]["error"]["code"] == "not_found");
  std::set<std::string> told{hear(alice, "message.read")["cid"], hear(alice, "message.read")["cid"]};
  CHECK(told == std::set<std::string>{"messaging:one", "messaging:two"});
  CHECK_FALSE(carol.find("message.read", std::chrono::milliseconds(100)));
  CHECK(app.user("bob").post("/v1/read", body).body["results"][0]["status"] == "unchanged");
  const Json foreign{{"channels", Json::array({{{"cid", "messaging:one"}, {"message_id", app.send("alice", "two", "y")["id"]}}})}};
  CHECK(app.user("bob").post("/v1/read", foreign).body["results"][0]["error"]["code"] == "not_found");
  other.add_users({"bob"});
  CHECK(other.user("bob").post("/v1/read", body).body["results"][0]["error"]["code"] == "not_found");
}

TEST_CASE("reads: a batch of marks is bounded and names its mistakes", "[api][reads]") {
  TestApp app;
  app.add_users({"alice"});
  auto alice = app.user("alice");
  CHECK(alice.post("/v1/read").pointer() == "#/channels");
  CHECK(alice.post("/v1/read", {{"channels", Json::array({{{"cid", "general"}}})}}).pointer() == "#/channels/0/cid");
  CHECK(alice.post("/v1/read", {{"channels", Json::array({{{"cid", "a:b"}}, {{"cid", "a:b"}}})}}).pointer() == "#/channels/1/cid");
  CHECK(alice.post("/v1/delivered", {{"channels", Json::array({{{"cid", "a:b"}, {"message_id", "x"}}})}}).pointer() == "#/channels/0/message_id");
  Json many = Json::array();
  for (int i = 0; i < 101; ++i) many.push_back({{"cid", "messaging:c" + std::to_string(i)}});
  CHECK(alice.post("/v1/read", {{"channels", many}}).pointer() == "#/channels");
  CHECK(app.server().post("/v1/read", {{"channels", Json::array({{{"cid", "a:b"}}})}}).pointer() == "#/user_id");
}

TEST_CASE("reads: everything is marked in one call", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (const auto* name : {"one", "two", "three"}) {
    app.add_channel(name, {"alice", "bob"});
    app.send("alice", name, "x");
  }
  app.user("bob").post("/v1/channels/messaging/three/read");
  auto marked = app.server().post("/v1/read/all", {{"user_id", "bob"}});
  CHECK(marked.body == Json({{"channels", 2}, {"more", false}}));
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
  CHECK(app.user("bob").post("/v1/read/all").body["channels"] == 0);
}

TEST_CASE("reads: marks of several devices at once end at the furthest", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  Json places = Json::array();
  for (int c = 0; c < 8; ++c) {
    const auto name = "c" + std::to_string(c);
    app.add_channel(name, {"alice", "bob"});
    app.send("alice", name, "x");
    places.push_back({{"cid", "messaging:" + name}});
  }
  Json backwards = Json::array();
  for (auto place = places.rbegin(); place != places.rend(); ++place) backwards.push_back(*place);
  std::vector<std::jthread> devices;
  for (int i = 0; i < 4; ++i)
    devices.emplace_back([&, i, bob = app.user("bob")]() mutable {
      for (int n = 0; n < 5; ++n) {
        CHECK(bob.post(i % 2 ? "/v1/read" : "/v1/delivered", {{"channels", i < 2 ? places : backwards}}).status == 200);
        CHECK(bob.post("/v1/read/all").status == 200);
      }
    });
  devices.clear();
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 0);
}

TEST_CASE("reads: what was delivered is told to the channel once, and reading delivers too", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  auto first = app.send("alice", "general", "x");
  auto second = app.send("alice", "general", "x");
  auto alice = app.connect("alice");
  auto carol = app.connect("carol");
  auto bob = app.user("bob");
  auto arrived = [&](const Json& message) {
    return bob.post("/v1/delivered", {{"channels", Json::array({{{"cid", "messaging:general"}, {"message_id", message["id"]}}})}}).body["results"][0];
  };
  CHECK(arrived(first)["delivered"]["delivered_seq"] == 1);
  auto event = hear(alice, "message.delivered");
  CHECK(event["data"]["user_id"] == "bob");
  CHECK(event["data"]["delivered_seq"] == 1);
  CHECK_FALSE(event.contains("seq"));
  CHECK(arrived(first)["status"] == "unchanged");
  bob.post(kRead);
  CHECK(arrived(second)["status"] == "unchanged");   // it was read
  CHECK_FALSE(alice.find("message.delivered", std::chrono::milliseconds(150)));
  CHECK_FALSE(carol.find("message.delivered", std::chrono::milliseconds(10)));
  auto marks = app.user("alice").get("/v1/channels/messaging/general/marks").body["marks"];
  REQUIRE(marks.size() == 2);
  CHECK(marks[1]["delivered_seq"] == 2);
  CHECK(marks[1]["read_seq"] == 2);
}

TEST_CASE("reads: who has read and who has received a message, page by page", "[api][reads][tenancy]") {
  TestApp app, other;
  const std::vector<std::string> users{"alice", "b1", "b2", "b3", "b4", "late"};
  app.add_users(users);
  other.add_users({"alice"});
  app.add_channel("general", {"alice", "b1", "b2", "b3", "b4"});
  auto message = app.send("alice", "general", "x");
  app.user("alice").post("/v1/channels/messaging/general/members", {{"members", {"late"}}});
  for (const auto* user : {"b1", "b2", "b3", "late"}) app.user(user).post(kRead);
  app.user("b4").post("/v1/delivered", {{"channels", Json::array({{{"cid", "messaging:general"}}})}});
  const auto path = kMessages + "/" + message["id"].get<std::string>() + "/receipts";
  auto page = app.user("alice").get(path + "?limit=2").body;
  REQUIRE(page["receipts"].size() == 2);
  CHECK(page["receipts"][0]["user_id"] == "b1");
  auto rest = app.user("alice").get(path + "?limit=2&next=" + page["next"].get<std::string>()).body;
  REQUIRE(rest["receipts"].size() == 1);             // not the author, not who joined later
  CHECK(rest["receipts"][0]["user_id"] == "b3");
  CHECK_FALSE(rest.contains("next"));
  CHECK(app.user("alice").get(path + "?kind=delivered").body["receipts"].size() == 4);
  CHECK(app.user("alice").get(path + "?kind=delivered&next=" + page["next"].get<std::string>()).pointer() == "query:next");
  CHECK(app.user("alice").get(path + "?kind=seen").pointer() == "query:kind");
  CHECK(other.user("alice").get(path).code() == "not_found");
  auto silent = app.send("alice", "general", "psst", {{"silent", true}});
  app.user("b1").post(kRead);
  const auto silent_path = kMessages + "/" + silent["id"].get<std::string>() + "/receipts";
  CHECK(app.user("alice").get(silent_path).body["receipts"].empty());       // nothing that counts came behind it
  app.send("alice", "general", "y");
  app.user("b1").post(kRead);
  CHECK(app.user("alice").get(silent_path).body["receipts"].size() == 1);
}

TEST_CASE("reads: a type without receipts keeps them from users, and tells no marks", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.server().post("/v1/channel_types", {{"type", "quiet"}, {"settings", {{"read_events", false}, {"delivery_events", false}}}});
  app.user("alice").post("/v1/channels/quiet/room", {{"members", {"bob"}}});
  auto message = app.user("alice").post("/v1/channels/quiet/room/messages", {{"text", "x"}}).body["message"];
  auto alice = app.connect("alice");
  const Json place{{"channels", Json::array({{{"cid", "quiet:room"}}})}};
  app.user("bob").post("/v1/delivered", place);
  CHECK(app.user("bob").post("/v1/read", place).body["results"][0]["status"] == "moved");
  CHECK_FALSE(alice.find("message.read", std::chrono::milliseconds(150)));
  CHECK_FALSE(alice.find("message.delivered", std::chrono::milliseconds(10)));
  const auto path = "/v1/channels/quiet/room/messages/" + message["id"].get<std::string>() + "/receipts";
  CHECK(app.user("alice").get(path).code() == "forbidden");
  CHECK(app.user("alice").get("/v1/channels/quiet/room/marks").code() == "forbidden");
  CHECK(app.server().get(path).body["receipts"].size() == 1);
  CHECK(app.server().get("/v1/channels/quiet/room/marks").body["marks"].size() == 2);
}

TEST_CASE("reads: totals by type and with mentions, channels page by page", "[api][reads]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  for (int c = 0; c < 5; ++c) app.add_channel("c" + std::to_string(c), {"alice", "bob"});
  app.user("alice").post("/v1/channels/team/crew", {{"members", {"bob"}}});
  for (int c = 0; c < 5; ++c)
    for (int i = 0; i <= c / 2; ++i) app.send("alice", "c" + std::to_string(c), "x");     // 1 1 2 2 3
  app.user("alice").post("/v1/channels/team/crew/messages", {{"text", "x"}, {"mentions", {"bob"}}});
  auto gone = app.send("alice", "c0", "@bob", {{"mentions", {"bob"}}});
  app.send("alice", "c0", "psst @bob", {{"mentions", {"bob"}}, {"silent", true}});
  app.send("alice", "c1", "@bob", {{"mentions", {"bob"}}});
  app.user("alice").del("/v1/channels/messaging/c0/messages/" + gone["id"].get<std::string>());
  auto unread = app.user("bob").get("/v1/unread").body;
  CHECK(unread["total"] == 11);
  CHECK(unread["mentions"] == 2);
  CHECK(unread["unread_channels"] == 6);
  CHECK(unread["types"] == Json::array({{{"type", "messaging"}, {"unread", 10}, {"mentions", 1}, {"channels", 5}},
                                        {{"type", "team"}, {"unread", 1}, {"mentions", 1}, {"channels", 1}}}));
  std::set<std::string> seen;
  std::int64_t before = 100;
  std::string next;
  for (int page = 0; page < 3; ++page) {
    auto body = app.user("bob").get("/v1/unread?limit=2" + (next.empty() ? "" : "&next=" + next)).body;
    for (const auto& item : body["channels"]) {
      CHECK(item["unread"] <= before);
      before = item["unread"];
      seen.insert(item["cid"]);
    }
    CHECK(body.contains("next") == (page < 2));
    next = body.value("next", "");
  }
  CHECK(seen.size() == 6);
  app.user("bob").post("/v1/channels/messaging/c1/read");
  CHECK(app.user("bob").get("/v1/unread").body["mentions"] == 1);
  CHECK(app.user("alice").get("/v1/unread?next=x").pointer() == "query:next");
}

namespace {

/// Waits for the event that says so much.
Json hear_total(WsClient& client, std::int64_t total) {
  while (true) {
    auto event = hear(client, "notification.unread_changed");
    if (event["data"]["total"] == total) return event;
  }
}

}  // namespace

TEST_CASE("reads: a change of unread is pushed to the user's own devices, the last number always", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  app.add_channel("other", {"alice", "bob"});
  auto phone = app.connect("bob"), laptop = app.connect("bob"), carol = app.connect("carol"), server = app.connect("");
  for (int i = 0; i < 20; ++i) app.send("alice", "general", "x");
  auto last = app.send("alice", "general", "@bob", {{"mentions", {"bob"}}});
  auto event = hear_total(phone, 21);
  hear_total(laptop, 21);
  CHECK(event["data"]["mentions"] == 1);
  CHECK(event["data"]["unread_channels"] == 1);
  CHECK(event["data"]["channels"][0]["cid"] == "messaging:general");
  CHECK(event["data"]["channels"][0]["unread"] == 21);
  app.user("alice").del(kMessages + "/" + last["id"].get<std::string>());
  CHECK(hear_total(phone, 20)["data"]["mentions"] == 0);
  app.user("bob").post(kRead);
  CHECK(hear_total(laptop, 0)["data"]["channels"][0]["unread"] == 0);
  auto again = app.send("alice", "other", "y");
  hear_total(phone, 1);
  app.user("bob").post("/v1/read/all");
  hear_total(phone, 0);
  app.user("bob").post("/v1/channels/messaging/other/unread", {{"message_id", again["id"]}});
  hear_total(phone, 1);
  app.user("alice").del("/v1/channels/messaging/other/members/bob");
  CHECK(hear_total(phone, 0)["data"]["channels"].empty());
  CHECK_FALSE(carol.find("notification.unread_changed", std::chrono::milliseconds(700)));
  CHECK_FALSE(server.find("notification.unread_changed", std::chrono::milliseconds(10)));
}

TEST_CASE("reads: what changes together is pushed together, and what does not change is not", "[api][reads][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.connect("bob");
  const auto sent = app.send("alice", "general", "x");
  hear_total(bob, 1);
  app.user("alice").patch(kMessages + "/" + sent["id"].get<std::string>(), {{"set", {{"text", "y"}}}});
  CHECK_FALSE(bob.find("notification.unread_changed", std::chrono::milliseconds(1200)));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) app.send("alice", "general", "x");
  int told = 0;
  for (Json event; event.is_null() || event["data"]["total"] != 101; ++told) event = hear(bob, "notification.unread_changed");
  CHECK(told <= 3 + (std::chrono::steady_clock::now() - begin) / std::chrono::milliseconds(450));   // a turn is 500 ms, less a tenth
}
