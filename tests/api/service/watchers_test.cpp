#include <catch2/catch.hpp>

#include <optional>
#include <set>

#include "tests/support/contract.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

constexpr std::chrono::milliseconds kSilence{1'200};     // two turns of what would tell
const std::string kGeneral = "/v1/channels/messaging/general/watchers";

void watch(WsClient& client, const std::string& cid = "messaging:general") {
  client.send({{"type", "watch"}, {"cids", {cid}}});
  REQUIRE(client.wait_for("watch.done")["data"]["channels"].contains(cid));
}

bool is_watching_event(const Json& frame) {
  const std::string type = frame["type"];
  return type.starts_with("user.watching") || type == "watchers.updated";
}

std::vector<std::string> watchers(Actor actor, const std::string& path = kGeneral) {
  std::vector<std::string> users;
  const auto answer = actor.get(path);
  for (const auto& one : answer.body["watchers"]) users.push_back(one["user_id"]);
  return users;
}

using Users = std::vector<std::string>;

void check_large(const Json& frame) {
  CHECK(Contract::get().check_event(frame.dump()).empty());
  CHECK(frame["type"] != "user.watching.start");
  CHECK(frame["type"] != "notification.unread_changed");
}

/// Reads on until the messages and at least this number of watchers were heard: the number comes before messages, between or after them.
std::int64_t hear_show(WsClient& client, const std::vector<std::string>& texts, std::int64_t watchers) {
  std::vector<std::string> heard;
  std::int64_t counted = 0;
  while (heard.size() < texts.size() || counted < watchers) {
    const auto frame = client.next(std::chrono::seconds(30));
    REQUIRE(frame);
    check_large(*frame);
    if ((*frame)["type"] == "message.new") heard.push_back((*frame)["data"]["message"]["text"]);
    if ((*frame)["type"] == "watchers.updated") counted = (*frame)["data"]["watcher_count"];
  }
  CHECK(heard == texts);
  return counted;
}

}  // namespace

TEST_CASE("watchers: members who look on are listed and counted once, and the channel hears who comes and goes", "[api][watchers][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol", "dave"});
  app.add_channel("general", {"alice", "bob", "carol"});
  auto alice = app.connect("alice"), dave = app.connect("dave");
  std::optional<WsClient> phone(app.connect("bob")), laptop(app.connect("bob"));
  watch(*phone);
  auto started = hear(alice, "user.watching.start");
  CHECK(started["data"] == Json{{"user_id", "bob"}, {"watcher_count", 1}});
  CHECK(started["cid"] == "messaging:general");
  CHECK_FALSE(started.contains("seq"));
  watch(*laptop);
  phone.reset();
  CHECK_FALSE(alice.find("user.watching.stop", kSilence));
  watch(alice);
  CHECK(hear(*laptop, "user.watching.start")["data"]["watcher_count"] == 2);
  const auto listed = app.user("carol").get(kGeneral + "?limit=1");
  CHECK(listed.body["watcher_count"] == 2);
  REQUIRE(listed.body["watchers"].size() == 1);
  CHECK(listed.body["watchers"][0]["user_id"] == "alice");
  CHECK(watchers(app.user("carol"), kGeneral + "?limit=1&next=" + listed.body["next"].get<std::string>()) == Users{"bob"});
  laptop.reset();
  CHECK(hear(alice, "user.watching.stop")["data"] == Json{{"user_id", "bob"}, {"watcher_count", 1}});
  alice.send({{"type", "unwatch"}, {"cids", {"messaging:general"}}});
  alice.wait_for("unwatch.done");
  CHECK(app.user("carol").get(kGeneral).body["watcher_count"] == 0);
  CHECK(app.user("carol").get("/v1/channels/messaging/general?watchers=true").body["watcher_count"] == 0);
  CHECK_FALSE(app.user("carol").get("/v1/channels/messaging/general").body.contains("watcher_count"));
  for (const auto& frame : dave.drain(std::chrono::milliseconds(10))) CHECK_FALSE(is_watching_event(frame));
  CHECK(app.rows("channel_events", "type like '%watch%'") == 0);
}

TEST_CASE("watchers: who came and went meanwhile is not mentioned", "[api][watchers][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice"), bob = app.connect("bob");
  app.send("alice", "general", "warm");
  hear(bob, "message.new");
  for (int i = 0; i < 5; ++i) {
    bob.send({{"type", "watch"}, {"cids", {"messaging:general"}}});
    bob.send({{"type", "unwatch"}, {"cids", {"messaging:general"}}});
  }
  for (int i = 0; i < 5; ++i) bob.wait_for("unwatch.done");
  int told = 0;
  for (const auto& frame : alice.drain(kSilence)) told += is_watching_event(frame);
  CHECK(told <= 2);
}

TEST_CASE("watchers: not told across a block, and invisible users look on unseen", "[api][watchers][ws][blocks]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  app.user("carol").post("/v1/users/carol/blocks", {{"target_id", "bob"}});
  auto alice = app.connect("alice"), bob = app.connect("bob"), carol = app.connect("carol");
  watch(carol);
  CHECK(hear(alice, "user.watching.start")["data"]["user_id"] == "carol");
  watch(bob);
  CHECK(hear(alice, "user.watching.start")["data"]["user_id"] == "bob");
  CHECK(watchers(app.user("alice")) == Users{"bob", "carol"});
  CHECK(watchers(app.user("bob")) == Users{"bob"});
  CHECK(watchers(app.server()) == Users{"bob", "carol"});
  app.user("bob").patch("/v1/users/bob", {{"set", {{"invisible", true}}}});
  CHECK(hear(alice, "user.watching.stop")["data"] == Json{{"user_id", "bob"}, {"watcher_count", 1}});
  CHECK(watchers(app.user("alice")) == Users{"carol"});
  bob.close();
  CHECK_FALSE(alice.find("user.watching.stop", kSilence));
  for (auto* one : {&bob, &carol})
    for (const auto& frame : one->drain(std::chrono::milliseconds(10))) CHECK_FALSE(is_watching_event(frame));
}

TEST_CASE("watchers: of another application's channel, a closed or a left one nothing is seen", "[api][watchers][ws][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob"});
  other.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  other.add_channel("general", {"alice"});
  auto alice = app.connect("alice"), bob = app.connect("bob"), stranger = other.connect("alice");
  watch(bob);
  hear(alice, "user.watching.start");
  CHECK(other.user("alice").get(kGeneral).body["watcher_count"] == 0);
  CHECK(other.user("bob").get(kGeneral).code() == "not_found");
  app.user("alice").del("/v1/channels/messaging/general/members/bob");
  CHECK(hear(alice, "user.watching.stop")["data"]["user_id"] == "bob");
  CHECK(app.user("bob").get(kGeneral).code() == "not_found");
  bob.send({{"type", "watch"}, {"cids", {"messaging:general"}}});
  CHECK(bob.wait_for("watch.done")["data"]["errors"].contains("messaging:general"));
  CHECK(app.user("alice").get(kGeneral).body["watcher_count"] == 0);
  for (const auto& frame : stranger.drain(std::chrono::milliseconds(10))) CHECK_FALSE(is_watching_event(frame));
}

TEST_CASE("large: hundreds look on without being members, hear each message once, and are only counted", "[api][large][ws]") {
  constexpr int kWatchers = 200;
  TestApp app;
  std::vector<std::string> users{"host"};
  for (int i = 0; i < kWatchers; ++i) users.push_back("w" + std::to_string(i));
  for (std::size_t i = 0; i < users.size(); i += 100)
    app.add_users({users.begin() + static_cast<std::ptrdiff_t>(i), users.begin() + static_cast<std::ptrdiff_t>(std::min(i + 100, users.size()))});
  const std::string show = "/v1/channels/livestream/show";
  REQUIRE(app.user("host").post(show).status == 201);
  std::vector<WsClient> crowd;
  for (int i = 0; i < kWatchers; ++i) {
    crowd.push_back(app.connect("w" + std::to_string(i)));
    watch(crowd.back(), "livestream:show");
  }
  for (int i = 0; i < 3; ++i) REQUIRE(app.user("host").post(show + "/messages", {{"text", std::to_string(i)}}).status == 201);
  REQUIRE(app.user("w7").post(show + "/messages", {{"text", "hi"}}).status == 201);
  const auto watching = app.user("w1").get(show + "/watchers");
  CHECK(watching.body["watcher_count"] == kWatchers);
  CHECK(watching.body["watchers"].empty());
  CHECK(app.user("w1").post(show + "/typing").code() == "forbidden");
  const std::vector<std::string> texts{"0", "1", "2", "hi"};
  CHECK(hear_show(crowd.front(), texts, kWatchers) == kWatchers);   // who came first hears the number that counts all
  for (std::size_t i = 1; i < crowd.size(); ++i) CHECK(hear_show(crowd[i], texts, 0) <= kWatchers);
  for (auto& one : crowd)
    for (const auto& frame : one.drain(std::chrono::milliseconds(1))) check_large(frame);
  CHECK(app.rows("channel_members") == 1);               // the host: nothing is kept of the others
}

TEST_CASE("large: members get no read events and no unread numbers of their own", "[api][large][ws]") {
  TestApp app;
  app.add_users({"host", "bob"});
  REQUIRE(app.user("host").post("/v1/channels/livestream/show", {{"members", {"bob"}}}).status == 201);
  app.add_channel("general", {"host", "bob"});
  auto host = app.connect("host"), bob = app.connect("bob");
  app.user("host").post("/v1/channels/livestream/show/messages", {{"text", "on air"}});
  hear(bob, "message.new");
  CHECK(app.user("bob").post("/v1/channels/livestream/show/read").status == 200);
  CHECK_FALSE(host.find("message.read", std::chrono::milliseconds(300)));
  app.send("host", "general", "small");
  const auto unread = hear(bob, "notification.unread_changed");
  REQUIRE(unread["data"]["channels"].size() >= 1);
}

TEST_CASE("large: reactions are told as counts, once for many", "[api][large][ws]") {
  TestApp app;
  std::vector<std::string> users{"host"};
  for (int i = 0; i < 20; ++i) users.push_back("w" + std::to_string(i));
  app.add_users(users);
  const std::string show = "/v1/channels/livestream/show";
  REQUIRE(app.user("host").post(show).status == 201);
  const auto message = app.user("host").post(show + "/messages", {{"text", "ready?"}}).body["message"]["id"].get<std::string>();
  auto host = app.connect("host");
  watch(host, "livestream:show");
  const auto before = app.user("host").get(show).body["channel"]["last_seq"];
  for (int i = 0; i < 20; ++i) REQUIRE(app.user(users[static_cast<std::size_t>(i) + 1]).post(show + "/messages/" + message + "/reactions", {{"type", "clap"}}).status == 201);
  std::int64_t counted = 0;
  int told = 0;
  while (counted < 20) {
    const auto frame = hear(host, "reaction.counted");
    CHECK(frame["data"]["message_id"] == message);
    CHECK_FALSE(frame.contains("seq"));
    counted = frame["data"]["reaction_groups"]["clap"]["count"];
    ++told;
  }
  CHECK(told < 20);
  CHECK_FALSE(host.find("reaction.new", std::chrono::milliseconds(10)));
  CHECK(app.user("host").get(show).body["channel"]["last_seq"] == before);
  REQUIRE(app.user("w0").del(show + "/messages/" + message + "/reactions/clap").status == 200);
  eventually("what is true now", [&] { return hear(host, "reaction.counted")["data"]["reaction_groups"]["clap"]["count"] == 19; });
}

TEST_CASE("large: invisible users are not counted, and whoever shows itself again is", "[api][large][ws][permissions]") {
  TestApp app;
  app.add_users({"host", "bob", "ghost"});
  const std::string show = "/v1/channels/livestream/show";
  REQUIRE(app.user("host").post(show).status == 201);
  app.user("ghost").patch("/v1/users/ghost", {{"set", {{"invisible", true}}}});
  auto bob = app.connect("bob"), ghost = app.connect("ghost");
  watch(bob, "livestream:show");
  watch(ghost, "livestream:show");
  const auto count = [&] { return app.user("host").get(show + "/watchers").body["watcher_count"]; };
  eventually("the ghost is not counted", [&] { return count() == 1; });
  app.user("ghost").patch("/v1/users/ghost", {{"set", {{"invisible", false}}}});
  eventually("it is", [&] { return count() == 2; });
  app.user("bob").patch("/v1/users/bob", {{"set", {{"invisible", true}}}});
  eventually("bob is not any more", [&] { return count() == 1; });
}

TEST_CASE("large: no setting of a channel or its type brings typing, read and delivery events or push back", "[api][large][overrides][ws]") {
  TestApp app;
  app.add_users({"host", "bob"});
  const std::string show = "/v1/channels/livestream/show";
  REQUIRE(app.user("host").post(show, {{"members", {"bob"}}}).status == 201);
  for (const char* name : {"typing_events", "read_events", "delivery_events", "push"}) {
    CHECK(app.server().patch("/v1/channel_types/livestream", {{"settings", {{name, true}}}}).pointer() == "#/settings/" + std::string(name));
    REQUIRE(app.server().patch(show, {{"set", {{"settings", {{name, true}}}}}}).status == 200);
  }
  auto host = app.connect("host");
  REQUIRE(app.user("host").post(show + "/messages", {{"text", "on air"}}).status == 201);
  CHECK(app.user("bob").post(show + "/typing").code() == "forbidden");
  CHECK(app.user("bob").post(show + "/read").status == 200);
  app.user("bob").post("/v1/delivered", {{"channels", {{{"cid", "livestream:show"}}}}});
  for (const auto& frame : host.drain(std::chrono::milliseconds(300))) {
    CHECK(frame["type"] != "message.read");
    CHECK(frame["type"] != "message.delivered");
  }
}
