#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

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

// The definition in reads.h, written down slowly: every member's unread is counted over the list of messages.
TEST_CASE("reads: unread agrees with a slow model over random histories", "[api][reads][property]") {
  struct Sent { Json message; bool countable, deleted; std::int64_t number; };
  std::mt19937 random(20261121);
  for (int round = 0; round < 3; ++round) {
    TestApp app;
    const std::vector<std::string> users{"u0", "u1", "u2"};
    app.add_users(users);
    app.add_channel("general", users);
    std::vector<Sent> history;
    std::map<std::string, std::int64_t> watermark;
    std::int64_t count = 0;
    for (int step = 0; step < 60; ++step) {
      const auto& user = users[random() % users.size()];
      const auto act = random() % 10;
      if (act < 6) {
        Json more = Json::object();
        if (random() % 5 == 0) more["silent"] = true;
        if (random() % 4 == 0 && !history.empty() && !history.front().deleted) {
          more["parent_id"] = history.front().message["id"];
          if (random() % 2) more["show_in_channel"] = true;
        }
        const bool countable = !more.contains("silent") && (!more.contains("parent_id") || more.contains("show_in_channel"));
        auto message = app.send(user, "general", "x", more);
        history.push_back({message, countable, false, countable ? ++count : count});
        if (countable) watermark[user] = count;
      } else if (act < 8 && !history.empty()) {
        auto& victim = history[random() % history.size()];
        if (&victim == &history.front()) continue;         // it may be the parent of later ones
        auto mode = random() % 2 ? "?mode=hard" : "";
        app.server().del(kMessages + "/" + victim.message["id"].get<std::string>() + mode);
        victim.deleted = true;
      } else if (!history.empty()) {
        const auto& at = history[random() % history.size()];
        auto answer = app.user(user).post("/v1/channels/messaging/general/read", {{"message_id", at.message["id"]}});
        if (answer.status == 200) watermark[user] = std::max(watermark[user], at.number);
      }
    }
    for (const auto& user : users) {
      std::int64_t expected = 0;
      for (const auto& sent : history) expected += sent.countable && !sent.deleted && sent.number > watermark[user];
      CHECK(unread(app, user) == expected);
    }
  }
}
