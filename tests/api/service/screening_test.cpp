#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kRules = "/v1/moderation/rules";
const std::string kChannel = "/v1/channels/messaging/general";
const std::string kSecond = "/v1/channels/messaging/second/messages";
const std::string kLink = "see https://example.com/now";
const Json kOneNode{{"messages", {{"hard", 1'000'000}}}};   // counts are exact at once

/// alice, who owns two channels, bob and mallory.
struct Room : TestApp {
  explicit Room(const Json& limits = Json::object()) : TestApp(limits) {
    add_users({"alice", "bob", "mallory"});
    for (const char* channel : {"general", "second"}) add_channel(channel, {"alice", "bob", "mallory"});
  }
  Answer put(const std::vector<Json>& rules) { return server().put(kRules, {{"rules", rules}}); }
  void set_rules(const std::vector<Json>& rules) {
    const auto answer = put(rules);
    INFO(answer.http.body);
    REQUIRE(answer.status == 200);
  }
  Answer say(const std::string& user_id, const std::string& text, Json more = Json::object(), const std::string& where = kMessages) {
    more["text"] = text;
    return user(user_id).post(where, more);
  }
  void make_old(const std::string& user_id) const { change("update users set created_at = now() - interval '30 days'", user_id); }
  void change(const std::string& what, const std::string& user_id) const {
    Probe(superuser_database().dsn).run(what + " where app_id = '" + AppId::parse(id())->text() + "' and user_id = '" + user_id + "'");
  }
  [[nodiscard]] int flags(const std::string& rule) const { return rows("moderation_flags", "source = 'rule' and rule = '" + rule + "'"); }
  [[nodiscard]] int sent() const { return rows("messages", "type = 'regular'"); }
};

Json rule(const std::string& kind, const std::string& then, Json more = Json::object()) {
  more["kind"] = kind;
  more["then"] = then;
  if (!more.contains("name")) more["name"] = "my-" + kind;
  return more;
}

}  // namespace

TEST_CASE("screening: rules are set whole, have a version, and hold at once", "[api][screening]") {
  Room room;
  const auto none = room.server().get(kRules).body["moderation_rules"];
  CHECK(none == Json{{"version", 0}, {"rules", Json::array()}});
  CHECK(room.say("mallory", kLink).status == 201);
  const auto set = room.put({rule("links", "block", {{"reason", "No links."}})});
  REQUIRE(set.status == 200);
  CHECK(set.body["moderation_rules"]["version"] == 1);
  CHECK(set.body["moderation_rules"]["rules"][0]["exempt_roles"] == Json{"moderator", "admin", "owner"});
  CHECK(room.server().get(kRules).body == set.body);
  eventually("every node knows", [&] { return room.say("mallory", kLink).status == 403; });
  const auto stale = room.server().put(kRules, {{"rules", Json::array()}, {"version", 0}});
  CHECK(stale.code() == "conflict");
  CHECK(stale.pointer() == "#/version");
  CHECK(room.server().put(kRules, {{"rules", Json::array()}, {"version", 1}}).body["moderation_rules"]["version"] == 2);
  eventually("every node knows", [&] { return room.say("mallory", kLink).status == 201; });
  CHECK(room.server().get("/v1/app/audit").body["audit"][0]["action"] == "moderation_rules.put");
}

TEST_CASE("screening: mistakes are named at their place, and the rules before stay in force", "[api][screening]") {
  Room room;
  room.set_rules({rule("links", "block")});
  CHECK(room.put({rule("links", "block"), rule("caps", "flag", {{"max", 101}})}).pointer() == "#/rules/1/max");
  CHECK(room.put({rule("shouting", "block")}).pointer() == "#/rules/0/kind");
  CHECK(room.put({rule("repeats", "block", {{"windows", 5}})}).pointer() == "#/rules/0/windows");
  CHECK(room.server().put(kRules, Json::object()).pointer() == "#/rules");
  CHECK(room.server().get(kRules).body["moderation_rules"]["version"] == 1);
  CHECK(room.say("mallory", kLink).code() == "forbidden");
}

TEST_CASE("screening: only servers set rules, of their own application", "[api][screening][tenancy]") {
  Room room;
  TestApp other;
  room.set_rules({rule("links", "block")});
  CHECK(room.user("alice").get(kRules).code() == "forbidden");
  CHECK(room.user("alice").put(kRules, {{"rules", Json::array()}}).code() == "forbidden");
  CHECK(room.user("alice").post(kRules + "/test", {{"text", "x"}, {"user_id", "bob"}, {"cid", "messaging:general"}}).code() == "forbidden");
  CHECK(other.server().get(kRules).body["moderation_rules"]["version"] == 0);
  other.add_users({"mallory"});
  other.add_channel("general", {"mallory"});
  CHECK(other.user("mallory").post(kMessages, {{"text", kLink}}).status == 201);
}

TEST_CASE("screening: what a rule blocks is refused in its words, and leaves nothing", "[api][screening]") {
  Room room;
  room.set_rules({rule("links", "block", {{"reason", "No links before tomorrow."}, {"account_younger_than_s", 86'400}}),
                  rule("attachments", "block", {{"member_for_less_than_s", 86'400}})});
  const auto refused = room.say("mallory", kLink);
  CHECK(refused.code() == "forbidden");
  CHECK(refused.body["detail"] == "No links before tomorrow.");
  CHECK(refused.pointer() == "#/text");
  const auto picture = room.say("mallory", "look", {{"attachments", {{{"type", "image"}, {"image_url", "https://example.com/a.png"}}}}});
  CHECK(picture.code() == "forbidden");
  CHECK(picture.pointer() == "#/attachments");
  CHECK(room.say("mallory", "no link").status == 201);
  CHECK(room.say("alice", kLink).status == 201);   // an owner
  room.make_old("bob");
  CHECK(room.say("bob", kLink).status == 201);     // not new
  CHECK(room.sent() == 3);
  CHECK(room.rows("outbox") == 0);
  CHECK(room.rows("moderation_flags") == 0);
  CHECK(room.server().post(kMessages, {{"text", kLink}, {"user_id", "mallory"}}).status == 201);
}

TEST_CASE("screening: a rule flags, holds or shadows, and each finding names it", "[api][screening][pending]") {
  Room room;
  room.set_rules({rule("links", "flag", {{"name", "watch-links"}}), rule("caps", "hold", {{"name", "no-shouting"}}),
                  rule("mentions", "shadow", {{"name", "crowd"}, {"max", 1}})});
  const auto flagged = room.say("mallory", kLink);
  REQUIRE(flagged.status == 201);
  CHECK(room.flags("watch-links") == 1);
  const auto held = room.say("mallory", "BUY THESE VERY CHEAP WATCHES NOW");
  CHECK(held.status == 202);
  CHECK(room.rows("pending_messages", "findings @> '[{\"source\": \"rule\", \"rule\": \"no-shouting\"}]'") == 1);
  const auto shadowed = room.say("mallory", "you there", {{"mentions", {"bob", "alice"}}});
  REQUIRE(shadowed.status == 201);
  CHECK(shadowed.body["message"]["seq"] == 0);
  CHECK(room.flags("crowd") == 1);
  CHECK(room.user("bob").get(kMessages).body["messages"].size() == 1);
  CHECK(room.user("mallory").get(kMessages).body["messages"].size() == 2);
  CHECK(room.user("bob").get("/v1/unread").body["mentions"] == 0);
  const auto both = room.say("mallory", "LOOK AT THIS WONDERFUL THING " + kLink, {{"mentions", {"bob", "alice"}}});
  CHECK(both.status == 201);                   // the stronger of hold and shadow
  CHECK(both.body["message"]["seq"] == 0);
  CHECK(room.flags("crowd") == 2);
  CHECK(room.flags("watch-links") == 2);
  CHECK(room.say("mallory", "quiet").body["message"]["seq"] == flagged.body["message"]["seq"].get<int>() + 1);
}

TEST_CASE("screening: the same text by one user is counted over channels, and once for a request that is repeated", "[api][screening]") {
  Room room(kOneNode);
  room.set_rules({rule("repeats", "block", {{"max", 2}, {"window_s", 600}})});
  const std::string offer = "Hello friend, I sell very cheap watches today";
  for (int i = 0; i < 4; ++i) CHECK(room.say("mallory", offer, {{"nonce", "one"}}).status / 100 == 2);
  CHECK(room.say("mallory", "HELLO friend... I sell very cheap watches, today!", {}, kSecond).status == 201);
  CHECK(room.say("mallory", offer).code() == "forbidden");
  CHECK(room.say("mallory", offer, {}, kSecond).code() == "forbidden");
  CHECK(room.say("bob", offer).status == 201);
  CHECK(room.say("mallory", "I am sorry, that was too much of it").status == 201);
  for (int i = 0; i < 5; ++i) CHECK(room.say("mallory", "ok").status == 201);   // short texts are fine
}

TEST_CASE("screening: the nonce of a refused message lets no other one pass uncounted", "[api][screening]") {
  Room room(kOneNode);
  room.set_rules({rule("repeats", "block", {{"max", 2}, {"window_s", 600}})});
  const std::string offer = "Hello friend, I sell very cheap watches today", other = "The best holidays of all are booked with us alone";
  for (int i = 0; i < 2; ++i) CHECK(room.say("mallory", offer).status == 201);
  CHECK(room.say("mallory", offer, {{"nonce", "ticket"}}).code() == "forbidden");
  CHECK(room.say("mallory", other, {{"nonce", "ticket"}}).status == 201);
  CHECK(room.say("mallory", other).status == 201);
  CHECK(room.say("mallory", other).code() == "forbidden");
}

TEST_CASE("screening: links in attachments are links, too, pictures are not", "[api][screening]") {
  Room room;
  room.set_rules({rule("links", "block", {{"max", 1}})});
  const auto send = [&](const std::string& text, const Json& attachment) { return room.say("mallory", text, {{"attachments", {attachment}}}); };
  const Json link{{"type", "link"}, {"title", "Cheap"}, {"title_link", "https://example.com/now"}};
  CHECK(send("look", link).status == 201);
  CHECK(send(kLink, link).code() == "forbidden");
  CHECK(send(kLink, {{"type", "image"}, {"image_url", "https://example.com/a.png"}}).status == 201);
}

TEST_CASE("screening: many at once pass a rate exactly as often as it allows", "[api][screening]") {
  Room room(kOneNode);
  room.set_rules({rule("message_rate", "block", {{"max", 10}, {"window_s", 3'600}})});
  std::atomic<int> sent = 0, refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        auto mallory = room.user("mallory");
        for (int i = 0; i < 5; ++i) {
          const auto answer = mallory.post(t % 2 == 0 ? kMessages : kSecond, {{"text", "message " + std::to_string(t * 5 + i)}});
          (answer.status == 201 ? sent : refused) += 1;
        }
      });
  }
  CHECK(sent == 10);
  CHECK(refused == 30);
  CHECK(room.sent() == 10);
  CHECK(room.say("bob", "hello").status == 201);
}

TEST_CASE("screening: mentions are counted in a while", "[api][screening]") {
  Room room(kOneNode);
  room.set_rules({rule("mentions", "block", {{"max", 3}, {"window_s", 600}})});
  CHECK(room.say("mallory", "one", {{"mentions", {"bob", "alice"}}}).status == 201);
  CHECK(room.say("mallory", "two", {{"mention_roles", {"member"}}}).status == 201);
  CHECK(room.say("mallory", "three", {{"mentions", {"bob"}}}, kSecond).code() == "forbidden");
  CHECK(room.say("mallory", "nobody is mentioned").status == 201);
}

TEST_CASE("screening: a timeout keeps its author from the channel for a while, a stranger from nothing", "[api][screening][bans][ws]") {
  Room room;
  room.add_users({"stranger"});
  room.set_rules({rule("links", "timeout", {{"timeout_s", 600}, {"reason", "Spam."}})});
  auto bob = room.connect("bob");
  CHECK(room.user("stranger").post(kMessages, {{"text", kLink}}).code() == "forbidden");
  CHECK(room.rows("channel_bans") == 0);
  CHECK(room.say("mallory", kLink).code() == "forbidden");
  CHECK(hear(bob, "member.banned")["data"]["ban"]["user_id"] == "mallory");
  const auto bans = room.user("alice").get(kChannel + "/bans").body["bans"];
  REQUIRE(bans.size() == 1);
  CHECK(bans[0]["reason"] == "Spam.");
  CHECK(bans[0].contains("expires_at"));
  CHECK(room.say("mallory", "no link").code() == "forbidden");
  CHECK(room.say("mallory", "elsewhere", {}, kSecond).status == 201);
  CHECK(room.say("mallory", kLink).code() == "forbidden");
  CHECK(room.user("alice").get(kChannel + "/bans").body["bans"] == bans);   // as it was
  CHECK(room.sent() == 1);
}

TEST_CASE("screening: changes, forwarded copies and scheduled messages are judged, too", "[api][screening][scheduled]") {
  Room room;
  const auto plain = room.send("mallory", "general", "plain");
  const auto linked = room.send("mallory", "second", kLink);
  const auto at = format_time(system_clock().now() + std::chrono::hours(1));
  REQUIRE(room.user("mallory").post(kChannel + "/scheduled_messages", {{"message", {{"text", kLink}}}, {"send_at", at}}).status == 201);
  room.set_rules({rule("links", "block", {{"reason", "No links."}})});
  const auto path = kMessages + "/" + plain["id"].get<std::string>();
  eventually("every node knows", [&] { return room.user("mallory").patch(path, {{"set", {{"text", kLink}}}}).status == 403; });
  const auto changed = room.user("mallory").patch(path, {{"set", {{"text", kLink}}}});
  CHECK(changed.body["detail"] == "No links.");
  CHECK(changed.pointer() == "#/set/text");
  CHECK(room.user("mallory").patch(path, {{"set", {{"text", "still plain"}}}}).status == 200);
  CHECK(room.user("mallory").post(kMessages, {{"forward", {{"cid", "messaging:second"}, {"message_id", linked["id"]}}}}).code() == "forbidden");
  Probe(superuser_database().dsn).run("update scheduled_messages set send_at = now() - interval '1 second' where app_id = '" + AppId::parse(room.id())->text() + "'");
  eventually("it is refused", [&] {
    Service::get().node().run_job("send_scheduled");
    return room.rows("scheduled_messages", "failed_code = 'forbidden'") == 1;
  });
  CHECK(room.sent() == 2);
  room.set_rules({rule("links", "shadow")});
  const auto hidden = room.say("mallory", kLink);
  REQUIRE(hidden.body["message"]["seq"] == 0);
  const auto own = kMessages + "/" + hidden.body["message"]["id"].get<std::string>();
  CHECK(room.user("mallory").patch(own, {{"set", {{"text", "again, " + kLink}}}}).status == 200);   // it is in the shadow already
}

TEST_CASE("screening: a rule may concern some channel types, roles and servers", "[api][screening]") {
  Room room;
  REQUIRE(room.server().post("/v1/channels/team/other", {{"created_by", "alice"}, {"members", {"mallory"}}}).status == 201);
  const std::string team = "/v1/channels/team/other/messages";
  room.set_rules({rule("links", "block", {{"channel_types", {"team"}}, {"exempt_roles", {"member"}}, {"includes_servers", true}})});
  eventually("every node knows", [&] { return room.say("alice", kLink, {}, team).status == 403; });   // an owner, but no member
  CHECK(room.say("mallory", kLink, {}, team).status == 201);
  CHECK(room.say("alice", kLink).status == 201);
  CHECK(room.server().post(team, {{"text", kLink}, {"user_id", "alice"}}).code() == "forbidden");
  CHECK(room.server().post(team, {{"text", kLink}, {"user_id", "mallory"}}).status == 201);
}

TEST_CASE("screening: a test says what would happen and why, and counts nothing", "[api][screening]") {
  Room room(kOneNode);
  room.make_old("bob");
  room.set_rules({rule("links", "timeout", {{"timeout_s", 60}, {"account_younger_than_s", 86'400}, {"reason", "Too early."}}), rule("message_rate", "hold", {{"max", 1}})});
  const auto test = [&](const std::string& user_id, Json more = Json::object()) {
    more.update({{"text", kLink}, {"user_id", user_id}, {"cid", "messaging:general"}});
    return room.server().post(kRules + "/test", more);
  };
  for (int i = 0; i < 3; ++i) {
    const auto new_one = test("mallory").body;
    CHECK(new_one["verdict"] == "block");
    CHECK(new_one["reason"] == "Too early.");
    CHECK(new_one["timeout_s"] == 60);
    CHECK(new_one["fired"] == Json::array({Json{{"rule", "my-links"}, {"kind", "links"}, {"then", "timeout"}, {"measured", 1}, {"max", 0}, {"exempt", false}}}));
  }
  const auto old_one = test("bob").body;
  CHECK(old_one["verdict"] == "pass");
  CHECK(old_one["fired"][0]["exempt"] == true);
  CHECK(test("mallory", {{"rules", Json::array({rule("links", "flag")})}}).body["verdict"] == "flag");
  CHECK(test("mallory", {{"rules", Json::array({rule("links", "laugh")})}}).pointer() == "#/rules/0/then");
  CHECK(test("nobody").pointer() == "#/user_id");
  CHECK(room.server().post(kRules + "/test", {{"text", "x"}, {"user_id", "bob"}, {"cid", "nonsense"}}).pointer() == "#/cid");
  CHECK(room.say("bob", "first").status == 201);
  CHECK(test("bob").body["fired"].size() == 2);
  CHECK(room.rows("channel_bans") == 0);
  CHECK(room.sent() == 1);
}

TEST_CASE("screening: a plan without moderation has no rules", "[api][screening][limits]") {
  Room room;
  room.set_rules({rule("links", "block")});
  eventually("every node knows", [&] { return room.say("mallory", kLink).status == 403; });
  auto operators = Service::get().operators();
  const auto plan = "p-" + room.id().substr(4);
  const auto made = operators.put("/operator/v1/plans/" + plan, {{"name", "P"}, {"limits", Json::array()}, {"features", {{"moderation", false}}}});
  INFO(made.http.body);
  REQUIRE(made.status == 200);
  REQUIRE(operators.patch("/operator/v1/applications/" + room.id(), {{"set", {{"plan", plan}}}}).status == 200);
  eventually("every node knows", [&] { return room.say("mallory", kLink).status == 201; });
  CHECK(room.put({rule("links", "block")}).code() == "limit_reached");
}

TEST_CASE("nodes: what rules count on one node, the other counts within a second", "[.][nodes][screening]") {
  const auto ports = Service::get().ports();
  REQUIRE(ports.size() == 2);
  constexpr int kMax = 100;                    // more than a node takes in the second in which it is told
  Room room;
  room.set_rules({rule("message_rate", "block", {{"max", kMax}, {"window_s", 3'600}})});
  const auto at = [&](std::uint16_t port) { return Actor(port, {{"X-API-Key", room.key()}, {"Authorization", "Bearer " + room.token("mallory")}}); };
  eventually("the second node knows the rules", [&] { return at(ports[1]).get("/v1/users/mallory").status == 200; });
  for (int i = 0; i < kMax; ++i) CHECK(at(ports[0]).post(kMessages, {{"text", "message " + std::to_string(i)}}).status == 201);
  int sent = 0;
  eventually("the other node refuses", [&] {
    const auto answer = at(ports[1]).post(kMessages, {{"text", "from elsewhere " + std::to_string(sent)}});
    sent += answer.status == 201;
    return answer.status == 403;
  });
  CHECK(sent < kMax);                          // it alone would have let as many pass again
}
