#include <catch2/catch.hpp>

#include "tests/support/moderation.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kNotices = "/v1/moderation/notices";
const std::string kFound = R"([{"source":"list","rule":"profanity","severity":3,"word":"buy"},{"source":"rule","rule":"links"}])";

/// Lines of a user's export, by kind.
std::map<std::string, std::vector<Json>> exported(TestApp& app, const std::string& user) {
  const auto path = "/v1/tasks/" + app.server().post("/v1/users/" + user + "/export").body["task"]["task_id"].get<std::string>();
  Json task;
  eventually("the export", [&] { return (task = app.server().get(path).body["task"])["status"] == "done"; }, std::chrono::seconds(30));
  std::map<std::string, std::vector<Json>> lines;
  for (int part = 1; part <= task["parts"].get<int>(); ++part) {
    std::istringstream text(app.server().get(path + "/parts/" + std::to_string(part)).http.body);
    for (std::string line; std::getline(text, line);) {
      auto parsed = Json::parse(line);
      lines[parsed["kind"]].push_back(parsed["data"]);
    }
  }
  return lines;
}

Answer appeal(Court& court, const std::string& who, const Json& decision, const std::string& text = "It was a joke.") {
  return court.user(who).post(kDecisions + "/" + decision["decision_id"].get<std::string>() + "/appeal", {{"text", text}});
}
Answer judge(Actor who, const Answer& appealed, const std::string& how, const std::string& answer) {
  return who.post("/v1/moderation/appeals/" + appealed.body["appeal"]["appeal_id"].get<std::string>() + "/decide", {{"decision", how}, {"answer", answer}});
}

}  // namespace

TEST_CASE("moderation: what rules found is flagged with the message, in its transaction", "[api][moderation]") {
  Court court;
  const auto message = court.judged("mallory", "Buy now!", kFound, false);
  CHECK(court.history("bob").size() == 1);
  const auto items = court.items(court.user("alice"));
  REQUIRE(items.size() == 1);
  CHECK(items[0]["message_id"] == message.id.wire());
  CHECK(items[0]["findings"] == 2);
  CHECK(items[0]["flags"] == 0);
  CHECK(items[0]["priority"] == 3002);
  const auto shown = court.user("alice").get(kItems + "/" + items[0]["item_id"].get<std::string>()).body;
  REQUIRE(shown["flags"].size() == 2);
  CHECK(shown["flags"][1]["source"] == "list");
  CHECK(shown["flags"][1]["rule"] == "profanity");
  CHECK(shown["flags"][1]["detail"] == Json({{"word", "buy"}}));
  CHECK(court.items(court.user("maud"), {{"filter", {{"rule", "links"}}}}).size() == 1);
  court.judged("mallory", "harmless", "", false);
  CHECK(court.rows("moderation_items") == 1);
  CHECK_THROWS_AS(court.judged("nobody", "Buy now!", kFound, false), Error);
  CHECK(court.rows("moderation_items") == 1);
  CHECK(court.flag("bob", {{"id", message.id.wire()}}).status == 201);       // the same item
  CHECK(court.rows("moderation_items") == 1);
}

TEST_CASE("moderation: a shadowed message is its author's alone", "[api][moderation]") {
  Court court;
  court.judged("mallory", "Buy now!", kFound, true);
  court.send("mallory", "general", "hello");
  CHECK(court.history("bob").size() == 1);
  CHECK(court.history("mallory").size() == 2);
  CHECK(court.history("alice").size() == 2);                               // moderators see it
  CHECK(court.user("bob").get("/v1/channels/messaging/general").body["membership"]["unread"] == 1);
  const auto items = court.items(court.user("alice"));
  REQUIRE(items.size() == 1);
  CHECK(items[0]["evidence"]["shadowed"] == true);
  CHECK(court.decide(court.user("alice"), items[0], "delete")["status"] == "decided");
  CHECK(court.history("bob").size() == 1);
}

TEST_CASE("moderation: points lead to what the thresholds say, and go with the decision", "[api][moderation]") {
  Court court;
  court.settings({{"thresholds", {{{"points", 2}, {"action", "probation"}, {"minutes", 60}}, {{"points", 4}, {"action", "timeout"}, {"minutes", 60}}}}});
  auto alice = court.user("alice");
  court.decided(alice, court.flagged("one"), "delete");
  CHECK_FALSE(court.standing().contains("probation_until"));
  const auto second = court.decided(alice, court.flagged("two"), "delete");
  CHECK(court.standing()["strike_count"] == 2);
  CHECK(court.standing().contains("probation_until"));
  auto held = court.user("mallory").post(kMessages, {{"text", "may I?"}});
  CHECK(held.status == 202);                                               // on probation it waits for approval
  CHECK(court.user("bob").post(kMessages, {{"text", "me too"}}).status == 201);
  CHECK(court.undo(alice, second).status == 200);
  CHECK(court.standing()["strike_count"] == 1);
  CHECK_FALSE(court.standing().contains("probation_until"));
  CHECK(court.user("mallory").post(kMessages, {{"text", "free"}}).status == 201);
  const auto heavy = court.decided(court.user("maud"), court.flagged("three"), "warn", {{"points", 3}});
  CHECK(court.user("mallory").get(kMessages).code() == "forbidden");
  const auto log = court.items(alice).size();
  CHECK(log == 3);
  const auto automatic = alice.post("/v1/moderation/log/query", {{"filter", {{"by", "automatic"}, {"action", "timeout"}}}}).body["decisions"];
  REQUIRE(automatic.size() == 1);
  CHECK(automatic[0]["reason"] == "4 points");
  CHECK(automatic[0]["rule"] == "threshold");
  CHECK(court.undo(alice, heavy).status == 200);
  CHECK(court.user("mallory").get(kMessages).status == 200);
  CHECK(court.standing("")["strike_count"] == 1);
}

TEST_CASE("moderation: who moderates a channel gives the settings' points at most, and none to stronger roles", "[api][moderation]") {
  Court court;
  court.settings({{"thresholds", {{{"points", 4}, {"action", "ban"}, {"scope", "application"}}}}, {"points", {{"delete", 0}}}});
  court.add_users({"mod"});
  REQUIRE(court.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}}).status == 200);
  REQUIRE(court.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "maud"}}}}}).status == 200);
  auto mod = court.user("mod");
  const auto item = court.flagged();
  CHECK(court.decide(mod, item, "warn", {{"points", 1'000}})["error"]["code"] == "forbidden");
  CHECK(court.decide(mod, item, "delete", {{"points", 1}})["error"]["code"] == "forbidden");
  for (const auto* stronger : {"alice", "maud"}) {
    const auto message = court.send(stronger, "general", "rude");
    REQUIRE(court.flag("bob", message).status == 201);
    for (const auto* action : {"warn", "shadow_ban"}) CHECK(court.decide(mod, court.item_of(message), action)["error"]["code"] == "forbidden");
    CHECK(court.decide(mod, court.item_of(message), "delete")["status"] == "decided");   // without points it is as any deletion
  }
  CHECK(court.rows("moderation_strikes") == 0);
  CHECK(court.decided(mod, item, "warn", {{"points", 1}})["points"] == 1);
  CHECK(court.rows("application_bans") == 0);
  court.decided(court.user("maud"), court.flagged("two"), "warn", {{"points", 3}});
  CHECK(court.rows("application_bans") == 1);
}

TEST_CASE("moderation: points decay, and without decay they stay", "[api][moderation]") {
  Court court;
  court.decided(court.user("maud"), court.flagged(), "delete", {{"points", 5}});
  CHECK(court.standing()["strike_count"] == 5);
  Probe(superuser_database().dsn).run("update moderation_strikes set expires_at = now() where app_id = '" + AppId::parse(court.id())->text() + "'");
  CHECK(court.standing()["strike_count"] == 0);
  court.settings({{"decay_days", 0}});
  court.decided(court.user("maud"), court.flagged(), "delete", {{"points", 2}});
  CHECK(court.rows("moderation_strikes", "expires_at is null") == 1);
  CHECK(court.user("bob").get(kStanding).body["standings"].empty());
  CHECK(court.user("alice").get(kStanding).body["standings"].size() == 1);       // of her channel alone
  CHECK(court.user("maud").get(kStanding).body["standings"].size() == 2);
  CHECK(court.server().get("/v1/moderation/users/nobody/standing").code() == "not_found");
}

TEST_CASE("moderation: settings are checked, kept and taken back", "[api][moderation]") {
  Court court;
  auto server = court.server();
  const std::string path = "/v1/moderation/settings";
  const auto defaults = server.get(path).body["settings"];
  CHECK(defaults["decay_days"] == 90);
  CHECK(defaults["thresholds"].empty());
  CHECK(court.user("bob").get(path).code() == "forbidden");
  CHECK(court.user("maud").patch(path, {{"set", {{"decay_days", 1}}}}).code() == "forbidden");
  court.settings({{"reasons", {{{"reason", "rude"}, {"severity", 3}}}}, {"points", {{"warn", 7}}}});
  CHECK(court.user("bob").get("/v1/moderation/reasons").body["reasons"] == Json::array({"rude"}));
  CHECK(server.get(path).body["settings"]["points"] == Json({{"ban", 3}, {"delete", 1}, {"shadow_ban", 3}, {"timeout", 2}, {"warn", 7}}));
  const auto refused = [&](const Json& set) { return server.patch(path, {{"set", set}}).pointer(); };
  CHECK(refused({{"reasons", {{{"reason", "Not OK"}}}}}) == "#/set/reasons/0/reason");
  CHECK(refused({{"reasons", {{{"reason", "a"}}, {{"reason", "a"}}}}}) == "#/set/reasons/1/reason");
  CHECK(refused({{"thresholds", {{{"points", 1}, {"action", "timeout"}}}}}) == "#/set/thresholds/0/minutes");
  CHECK(refused({{"points", {{"approve", 1}}}}) == "#/set/points/approve");
  CHECK(refused({{"evidence_days", 0}}) == "#/set/evidence_days");
  CHECK(server.patch(path, {{"unset", {"colour"}}}).pointer() == "#/unset/0");
  CHECK(server.patch(path, {{"unset", {"reasons", "points"}}}).body["settings"] == defaults);
}

TEST_CASE("moderation: who a decision concerns is told of it, without who decided", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice");
  const auto decision = court.decided(alice, court.flagged(), "delete", {{"reason", "Advertising"}});
  court.decided(alice, court.flagged("fine"), "approve");
  court.decided(court.user("maud"), court.flagged(), "shadow_ban");
  const auto notices = court.user("mallory").get(kNotices).body["notices"];
  REQUIRE(notices.size() == 1);                                            // nothing of the shadow
  CHECK(notices[0]["decision_id"] == decision["decision_id"]);
  CHECK(notices[0]["reason"] == "Advertising");
  CHECK_FALSE(notices[0].contains("moderator_id"));
  CHECK(court.user("bob").get(kNotices).body["notices"].empty());
  CHECK(court.server().get(kNotices).code() == "invalid_field");
  CHECK(court.server().get(kNotices + "?user_id=mallory").body["notices"] == notices);
}

TEST_CASE("moderation: an appeal is heard once; accepted, the decision is undone and the item ends", "[api][moderation][ws]") {
  Court court;
  const auto item = court.flagged();
  const auto decision = court.decided(court.user("alice"), item, "delete");
  CHECK(appeal(court, "bob", decision).code() == "not_found");
  auto alice = court.connect("alice"), mallory = court.connect("mallory"), bob = court.connect("bob");
  auto appealed = appeal(court, "mallory", decision);
  CHECK(appealed.status == 201);
  CHECK(appealed.body["appeal"]["status"] == "pending");
  CHECK(appeal(court, "mallory", decision).code() == "already_exists");
  CHECK(hear(alice, "moderation.appealed")["data"]["appeal"]["text"] == "It was a joke.");
  CHECK(court.user("alice").post("/v1/moderation/appeals/query", {{"filter", {{"status", "pending"}}}}).body["appeals"].size() == 1);
  CHECK(court.user("bob").post("/v1/moderation/appeals/query").body["appeals"].empty());
  CHECK(judge(court.user("mallory"), appealed, "accept", "Me!").code() == "not_found");
  auto accepted = judge(court.user("alice"), appealed, "accept", "You are right.");
  CHECK(accepted.body["appeal"]["decided_by"] == "alice");
  const auto heard = hear(mallory, "moderation.appeal_decided")["data"]["appeal"];
  CHECK(heard["status"] == "accepted");
  CHECK(heard["answer"] == "You are right.");
  CHECK_FALSE(heard.contains("decided_by"));
  CHECK(court.history("bob")[0]["text"] == "Buy now!");
  CHECK(court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body["item"]["status"] == "approved");
  CHECK(judge(court.user("maud"), appealed, "refuse", "No.").code() == "conflict");
  CHECK(court.user("mallory").get(kNotices).body["notices"][0]["appeal"]["status"] == "accepted");
  CHECK_FALSE(bob.find("moderation.appeal_decided", std::chrono::milliseconds(100)));
}

TEST_CASE("moderation: a refused appeal changes nothing else; what is undone or too old is not appealed", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice");
  const auto decision = court.decided(alice, court.flagged(), "delete");
  CHECK(judge(alice, appeal(court, "mallory", decision), "refuse", "Read the rules.").body["appeal"]["status"] == "refused");
  CHECK(court.history("bob")[0].contains("deleted_at"));
  const auto second = court.decided(alice, court.flagged("two"), "delete");
  court.undo(alice, second);
  CHECK(appeal(court, "mallory", second).code() == "conflict");
  const auto third = court.decided(alice, court.flagged("three"), "delete");
  CHECK(appeal(court, "mallory", third, std::string(5'001, 'x')).code() == "invalid_field");
  court.settings({{"appeal_days", 0}});
  CHECK(appeal(court, "mallory", third).code() == "conflict");
  CHECK(court.rows("moderation_appeals") == 1);
}

TEST_CASE("moderation: evidence stays as it was, and goes when the message is erased and decided", "[api][moderation]") {
  Court court;
  const auto item = court.flagged();
  const auto message = kMessages + "/" + item["message_id"].get<std::string>();
  REQUIRE(court.user("mallory").patch(message, {{"set", {{"text", "Nothing to see"}}}}).status == 200);
  REQUIRE(court.flag("alice", {{"id", item["message_id"]}}).status == 201);
  auto shown = court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body;
  CHECK(shown["item"]["evidence"]["text"] == "Buy now!");
  CHECK(shown["flags"][0]["evidence"]["text"] == "Nothing to see");
  REQUIRE(court.user("mallory").del(message + "?mode=hard").status == 200);
  shown = court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body;
  CHECK(shown["item"]["evidence"]["text"] == "Buy now!");
  court.decided(court.user("alice"), item, "warn");
  shown = court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body;
  CHECK_FALSE(shown["item"].contains("evidence"));
  CHECK_FALSE(shown["flags"][0].contains("evidence"));
  const auto second = court.flagged("again");
  court.decided(court.user("alice"), second, "delete", {{"hard", true}});
  CHECK(court.rows("moderation_items", "evidence is not null") == 0);
}

TEST_CASE("moderation: the evidence has the poll, as it was when it was flagged", "[api][moderation][polls]") {
  Court court;
  const Json poll{{"question", "Who buys?"}, {"options", {"You", "Me"}}, {"allow_suggestions", true}};
  const auto message = court.send("mallory", "general", "", {{"poll", poll}});
  REQUIRE(court.flag("bob", message).status == 201);
  CHECK(court.item_of(message)["evidence"]["poll"] == Json{{"question", "Who buys?"}, {"options", {"You", "Me"}}});
  REQUIRE(court.user("bob").post(kMessages + "/" + message["id"].get<std::string>() + "/poll/options", {{"text", "All"}}).status == 201);
  REQUIRE(court.flag("alice", message).status == 201);
  const auto shown = court.user("alice").get(kItems + "/" + court.item_of(message)["item_id"].get<std::string>()).body;
  CHECK(shown["item"]["evidence"]["poll"]["options"].size() == 2);
  CHECK(shown["flags"][0]["evidence"]["poll"]["options"] == Json({"You", "Me", "All"}));
  CHECK_FALSE(court.flagged()["evidence"].contains("poll"));
}

TEST_CASE("moderation: old evidence is forgotten, by the application's setting", "[api][moderation]") {
  Court court;
  court.settings({{"evidence_days", 10}});
  court.decided(court.user("alice"), court.flagged(), "approve");
  const auto open = court.flagged("open");
  Probe(superuser_database().dsn).run("update moderation_items set decided_at = decided_at - interval '11 days' where decided_at is not null and app_id = '" +
                                      AppId::parse(court.id())->text() + "'");
  Service::get().node().run_job("sweep_evidence");
  CHECK(court.rows("moderation_items", "evidence is null") == 1);
  CHECK(court.item_of({{"id", open["message_id"]}})["evidence"]["text"] == "open");
}

TEST_CASE("moderation: no application's old evidence keeps another's from being forgotten", "[api][moderation][tenancy]") {
  TestApp many, few;
  Probe probe(superuser_database().dsn);
  for (const auto* app : {&many, &few})
    probe.run("insert into moderation_items (app_id, id, subject_type, subject_id, severity, evidence, created_at, updated_at, decided_at) select '" +
              AppId::parse(app->id())->text() + "', gen_random_uuid(), 'message',"
              " gen_random_uuid(), 1, '{}', now(), now(), '2020-01-01' from generate_series(1, 30)");
  probe.run("begin");
  probe.run("select sweep_moderation_evidence(now(), 40)");
  for (const auto* app : {&many, &few})
    CHECK(probe.value("select count(*) from moderation_items where evidence is null and app_id = '" + AppId::parse(app->id())->text() + "'") == "2");
  probe.run("rollback");
  Service::get().node().run_job("sweep_evidence");
  CHECK(many.rows("moderation_items", "evidence is not null") + few.rows("moderation_items", "evidence is not null") == 0);
}

TEST_CASE("moderation: a user's export holds its flags, points, appeals and what it was told", "[api][moderation]") {
  Court court;
  const auto decision = court.decided(court.user("alice"), court.flagged(), "warn", {{"reason", "Once"}});
  appeal(court, "mallory", decision);
  auto mallory = exported(court, "mallory");
  CHECK(mallory["moderation_strike"].size() == 1);
  CHECK(mallory["moderation_appeal"][0]["text"] == "It was a joke.");
  CHECK(mallory["moderation_notice"][0]["reason"] == "Once");
  CHECK(mallory["moderation_standing"].size() == 1);
  auto bob = exported(court, "bob");
  CHECK(bob["moderation_flag"][0]["reason"] == "spam");
  CHECK(bob["moderation_flag"].size() == 1);
  CHECK(bob["moderation_notice"].empty());
}

TEST_CASE("moderation: erasing a user erases the evidence of its content and what it flagged", "[api][moderation]") {
  Court court;
  court.decided(court.user("alice"), court.flagged(), "delete");
  court.flag("mallory", court.send("bob", "general", "x"));
  REQUIRE(court.server().del("/v1/users/mallory?mode=hard&messages=erase").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return court.rows("user_erasures") == 0;
  });
  CHECK(court.rows("moderation_items") == 1);                              // bob's
  CHECK(court.rows("moderation_flags") == 0);
  CHECK(court.rows("moderation_strikes") == 0);
  CHECK(court.rows("moderation_log") == 1);
  CHECK(court.server().post("/v1/moderation/log/query").body["decisions"].size() == 1);
}

TEST_CASE("moderation: the statistics count days by source, reason and decision, in pages", "[api][moderation]") {
  Court court;
  court.decided(court.user("alice"), court.flagged("one"), "delete");
  court.decided(court.user("alice"), court.flagged("two"), "approve");
  court.judged("mallory", "Buy now!", kFound, false);
  auto maud = court.user("maud");
  const auto decisions = maud.get("/v1/moderation/stats").body["stats"];
  REQUIRE(decisions.size() == 2);
  CHECK(decisions[0]["value"] == "approve");
  CHECK(decisions[0]["count"] == 1);
  CHECK(decisions[0]["median_seconds"].get<double>() >= 0);
  auto sources = maud.get("/v1/moderation/stats?by=source&limit=1");
  CHECK(sources.body["stats"][0]["value"] == "list");
  std::string next = sources.body["next"];
  CHECK(maud.get("/v1/moderation/stats?by=source&limit=1&next=" + next).body["stats"][0]["value"] == "rule");
  CHECK(maud.get("/v1/moderation/stats?by=reason").body["stats"].size() == 2);
  CHECK(court.user("alice").get("/v1/moderation/stats").code() == "forbidden");
  CHECK(maud.get("/v1/moderation/stats?from=2026-01-01&to=2026-12-31").code() == "invalid_field");
  CHECK(maud.get("/v1/moderation/stats?from=yesterday").code() == "invalid_field");
}
