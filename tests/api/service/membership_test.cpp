#include <catch2/catch.hpp>

#include "platform/base/clock.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kMembership = kChannel + "/membership";

std::vector<std::string> listed(Actor actor, const Json& query = Json::object()) {
  std::vector<std::string> ids;
  const auto answer = actor.post("/v1/channels/query", query);
  for (const auto& item : answer.body["channels"]) ids.push_back(item["channel"]["id"]);
  return ids;
}

std::string in(std::chrono::seconds time) { return format_time(system_clock().now() + time); }

Json own(TestApp& app, const std::string& user) { return app.user(user).get(kChannel).body["membership"]; }

}  // namespace

TEST_CASE("membership: a mute is the member's own and ends by the clock", "[api][membership][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto device = app.connect("bob");
  auto alice = app.connect("alice");
  auto muted = app.user("bob").patch(kMembership, {{"set", {{"muted", true}, {"mute_expires_at", in(std::chrono::seconds(1))}}}});
  CHECK(muted.body["membership"]["muted"] == true);
  CHECK(muted.body["membership"].contains("mute_expires_at"));
  auto event = hear(device, "membership.updated");
  CHECK(event["cid"] == "messaging:general");
  CHECK(event["data"]["membership"]["muted"] == true);
  CHECK_FALSE(event.contains("seq"));
  CHECK_FALSE(alice.find("membership.updated", std::chrono::milliseconds(150)));
  CHECK(own(app, "alice")["muted"] == false);
  eventually("the mute's end", [&] { return own(app, "bob")["muted"] == false; });
  CHECK_FALSE(own(app, "bob").contains("mute_expires_at"));
  CHECK(app.user("bob").patch(kMembership, {{"set", {{"muted", true}}}}).body["membership"]["muted"] == true);
  CHECK(listed(app.user("bob"), {{"filter", {{"muted", true}}}}) == std::vector<std::string>{"general"});
  CHECK(app.user("bob").patch(kMembership, {{"set", {{"muted", false}}}}).body["membership"]["muted"] == false);
}

TEST_CASE("membership: a hidden channel comes back with the next message that counts", "[api][membership]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("alice", "general", "old");
  auto bob = app.user("bob");
  CHECK(bob.patch(kMembership, {{"set", {{"hidden", true}}}}).body["membership"]["hidden"] == true);
  CHECK(listed(bob).empty());
  CHECK(listed(app.user("alice")).size() == 1);
  CHECK(listed(bob, {{"filter", {{"hidden", true}}}}).size() == 1);
  app.send("alice", "general", "quiet", {{"silent", true}});
  CHECK(listed(bob).empty());
  app.send("alice", "general", "new");
  CHECK(listed(bob).size() == 1);
  CHECK(own(app, "bob")["hidden"] == false);
  CHECK(bob.get(kMessages).body["messages"].size() == 3);
  bob.patch(kMembership, {{"set", {{"hidden", true}}}});
  CHECK(bob.patch(kMembership, {{"set", {{"hidden", false}}}}).body["membership"]["hidden"] == false);
  CHECK(listed(bob).size() == 1);
}

TEST_CASE("membership: cleared history stays cleared when the channel comes back, for this member alone", "[api][membership]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto old = app.send("alice", "general", "old");
  app.send("alice", "general", "older news");
  auto bob = app.user("bob");
  auto cleared = bob.patch(kMembership, {{"set", {{"hidden", true}}}, {"clear_history", true}});
  CHECK(cleared.body["membership"]["unread"] == 0);
  auto fresh = app.send("alice", "general", "new", {{"quoted_message_id", old["id"]}});
  CHECK(listed(bob).size() == 1);
  auto window = bob.get(kMessages).body;
  REQUIRE(window["messages"].size() == 1);
  CHECK(window["messages"][0]["id"] == fresh["id"]);
  CHECK_FALSE(window["messages"][0].contains("quoted_message"));
  CHECK(window["has_older"] == false);
  CHECK(own(app, "bob")["unread"] == 1);
  const auto id = old["id"].get<std::string>();
  CHECK(bob.get(kMessages + "/" + id).code() == "not_found");
  CHECK(bob.get(kMessages + "?around=" + id).code() == "not_found");
  CHECK(bob.get(kMessages + "?after=" + id).body["messages"].size() == 1);
  CHECK(bob.post(kChannel + "/read", {{"message_id", id}}).code() == "not_found");
  CHECK(bob.post(kChannel + "/read").body["unread"] == 0);
  CHECK(app.user("alice").get(kMessages).body["messages"].size() == 3);
}

TEST_CASE("membership: pinned channels stand first, archived ones can be left out", "[api][membership]") {
  TestApp app;
  app.add_users({"alice"});
  for (const auto* id : {"a", "b", "c", "d"}) app.add_channel(id, {"alice"});
  for (const auto* id : {"a", "b", "c", "d"}) app.send("alice", id, "x");
  auto alice = app.user("alice");
  auto set = [&](const std::string& id, const Json& what) {
    return alice.patch("/v1/channels/messaging/" + id + "/membership", {{"set", what}});
  };
  auto first = set("b", {{"pinned", true}}).body["membership"]["pinned_at"];
  set("a", {{"pinned", true}});
  CHECK(set("b", {{"pinned", true}}).body["membership"]["pinned_at"] == first);
  const Json by_pin{{"sort", {{{"field", "pinned_first"}}}}};
  CHECK(listed(alice, by_pin) == std::vector<std::string>{"a", "b", "d", "c"});
  Json page = by_pin;
  page["limit"] = 3;
  page["next"] = alice.post("/v1/channels/query", page).body["next"];
  CHECK(listed(alice, page) == std::vector<std::string>{"c"});
  set("d", {{"archived", true}});
  CHECK(listed(alice, {{"filter", {{"archived", false}}}, {"sort", by_pin["sort"]}}) == std::vector<std::string>{"a", "b", "c"});
  CHECK(listed(alice, {{"filter", {{"archived", true}}}, {"sort", {{{"field", "archived_at"}}}}}) == std::vector<std::string>{"d"});
  CHECK(listed(alice, {{"filter", {{"pinned", true}}}, {"sort", {{{"field", "pinned_at"}, {"order", "asc"}}}}}) == std::vector<std::string>{"b", "a"});
  CHECK(listed(alice, {{"sort", {{{"field", "unread"}}}}}).size() == 4);
  CHECK_FALSE(set("b", {{"pinned", false}}).body["membership"].contains("pinned_at"));
}

TEST_CASE("membership: custom data is the member's, and shown to all", "[api][membership][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto alice = app.connect("alice");
  app.user("bob").patch(kMembership, {{"set", {{"custom", {{"nick", "B"}, {"seat", 3}}}}}});
  CHECK(hear(alice, "member.updated")["data"]["member"]["custom"]["nick"] == "B");
  CHECK(app.user("bob").patch(kMembership, {{"unset", {"custom.seat"}}}).body["membership"]["custom"] == Json({{"nick", "B"}}));
  CHECK(app.user("alice").patch(kChannel + "/members/bob", {{"custom", {{"desk", 7}}}}).body["member"]["custom"] == Json({{"nick", "B"}, {"desk", 7}}));
  CHECK(app.user("bob").patch(kChannel + "/members/bob", {{"custom", {{"desk", 8}}}}).code() == "forbidden");
  CHECK(app.user("alice").patch(kChannel + "/members/bob", Json::object()).pointer() == "#/role");
  const std::string large(3000, 'x');
  CHECK(app.user("bob").patch(kMembership, {{"set", {{"custom", {{"a", large}}}}}}).status == 200);
  const auto events = app.rows("channel_events");
  CHECK(app.user("bob").patch(kMembership, {{"set", {{"custom", {{"b", large + large.substr(500)}}}, {"pinned", true}}}}).code() == "invalid_field");
  CHECK(app.rows("channel_events") == events);
  CHECK_FALSE(own(app, "bob").contains("pinned_at"));
}

TEST_CASE("membership: of members only, and one's own", "[api][membership][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "carol"});
  other.add_users({"alice"});
  app.add_channel("general", {"alice"});
  const Json pin{{"set", {{"pinned", true}}}};
  CHECK(app.user("carol").patch(kMembership, pin).code() == "not_found");
  CHECK(other.user("alice").patch(kMembership, pin).code() == "not_found");
  CHECK(app.server().patch(kMembership, pin).pointer() == "#/user_id");
  CHECK(app.server().patch(kMembership, {{"set", {{"pinned", true}}}, {"user_id", "alice"}}).status == 200);
  CHECK(app.user("alice").patch(kMembership, {{"set", {{"pinned", true}}}, {"user_id", "carol"}}).code() == "forbidden");
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  CHECK(app.user("carol").patch("/v1/channels/livestream/show/membership", pin).code() == "forbidden");
  auto alice = app.user("alice");
  CHECK(alice.patch(kMembership, {{"set", {{"mute_expires_at", in(std::chrono::seconds(60))}}}}).pointer() == "#/set/mute_expires_at");
  CHECK(alice.patch(kMembership, {{"set", {{"muted", true}, {"mute_expires_at", "2020-01-01T00:00:00Z"}}}}).pointer() == "#/set/mute_expires_at");
  CHECK(alice.patch(kMembership, {{"unset", {"pinned"}}}).pointer() == "#/unset/0");
  CHECK(alice.patch(kMembership, {{"set", {{"loud", true}}}}).pointer() == "#/set/loud");
}
