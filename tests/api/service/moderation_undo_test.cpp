#include <catch2/catch.hpp>

#include "platform/base/metrics.h"
#include "tests/support/moderation.h"

// What decisions, their undoing and their consequences leave of one another.
using namespace chat;
using namespace chat::test;

namespace {

const std::string kBans = "/v1/channels/messaging/general/bans";

Json bans(Court& court) { return court.user("alice").get(kBans).body["bans"]; }

double runs_of(const std::string& statement) {
  return metrics::counter("chat_statement_runs_total", "Executions of each SQL statement.", {{"statement", statement}}).value();
}

}  // namespace

TEST_CASE("moderation: points never replace a ban that is as strong", "[api][moderation]") {
  Court court;
  court.settings({{"thresholds", Json::array({Json{{"points", 4}, {"action", "timeout"}, {"minutes", 60}}, Json{{"points", 6}, {"action", "shadow_ban"}},
                                              Json{{"points", 8}, {"action", "ban"}}})}});
  auto alice = court.user("alice"), maud = court.user("maud");
  court.decided(alice, court.flagged("one"), "ban", {{"reason", "For good"}});
  const auto before = bans(court);
  court.decided(maud, court.item_of(court.judged_by_server("two")), "delete", {{"points", 2}});
  CHECK(bans(court) == before);                // no timeout of an hour
  court.decided(maud, court.item_of(court.judged_by_server("three")), "delete", {{"points", 2}});
  CHECK(bans(court) == before);                // nor a ban that is lighter
  CHECK(court.rows("moderation_log", "by = 'automatic'") == 0);
  REQUIRE(alice.put(kBans + "/mallory", {{"shadow", true}, {"reason", "Unheard"}}).status == 200);
  court.decided(maud, court.item_of(court.judged_by_server("four")), "delete", {{"points", 2}});
  CHECK(bans(court)[0]["shadow"] == false);    // a heavier one does
  CHECK(bans(court)[0]["reason"] == "9 points");
}

TEST_CASE("moderation: points make a ban that ends sooner last longer", "[api][moderation]") {
  Court court;
  court.settings({{"thresholds", Json::array({Json{{"points", 1}, {"action", "timeout"}, {"minutes", 60}},
                                              Json{{"points", 2}, {"action", "timeout"}, {"minutes", 600}}})}});
  auto alice = court.user("alice");
  court.decided(alice, court.flagged("one"), "delete");
  const auto first = bans(court)[0]["expires_at"].get<std::string>();
  const auto second = court.decided(alice, court.item_of(court.judged_by_server("two")), "delete");
  CHECK(bans(court)[0]["expires_at"].get<std::string>() > first);
  CHECK(court.undo(alice, second).status == 200);
  CHECK(bans(court)[0]["expires_at"] == first);
}

TEST_CASE("moderation: who leaves on probation comes back on probation", "[api][moderation]") {
  Court court;
  court.settings({{"thresholds", Json::array({Json{{"points", 1}, {"action", "probation"}, {"minutes", 60}}})}});
  court.decided(court.user("alice"), court.flagged(), "delete");
  auto mallory = court.user("mallory");
  const auto join = [&] {
    return court.user("alice").post("/v1/channels/messaging/general/members", {{"members", Json::array({Json{{"user_id", "mallory"}}})}}).status == 200;
  };
  REQUIRE(mallory.del("/v1/channels/messaging/general/members/mallory").status / 100 == 2);
  REQUIRE(join());
  CHECK(mallory.post(kMessages, {{"text", "again"}}).status == 202);
  REQUIRE(mallory.del("/v1/channels/messaging/general/members/mallory").status / 100 == 2);
  court.settings({{"probation_holds", false}});
  REQUIRE(join());
  CHECK(mallory.post(kMessages, {{"text", "free"}}).status == 201);
}

TEST_CASE("moderation: on probation nobody edits, suggests, or is free where it is no member", "[api][moderation][polls]") {
  Court court;
  court.settings({{"thresholds", Json::array({Json{{"points", 1}, {"action", "probation"}, {"minutes", 60}}})}});
  REQUIRE(court.server().patch("/v1/channel_types/messaging", {{"settings", {{"open", true}}}}).status == 200);
  auto mallory = court.user("mallory");
  const auto path = kMessages + "/" + court.send("mallory", "general", "harmless")["id"].get<std::string>();
  const Json poll{{"question", "Where?"}, {"options", {"Here", "There"}}, {"allow_suggestions", true}};
  const auto asked = kMessages + "/" + court.send("bob", "general", "", {{"poll", poll}})["id"].get<std::string>();
  const auto edit = [&] { return mallory.patch(path, {{"set", {{"text", "Buy now!"}}}}); };
  const auto suggest = [&](const std::string& text) { return mallory.post(asked + "/poll/options", {{"text", text}}); };
  CHECK(suggest("At sea").status == 201);
  const auto decision = court.decided(court.user("alice"), court.flagged(), "delete");
  CHECK(edit().code() == "forbidden");
  CHECK(suggest("Buy now!").code() == "forbidden");
  CHECK(court.server().patch(path, {{"set", {{"text", "by the server"}}}, {"user_id", "mallory"}}).status == 200);
  REQUIRE(mallory.del("/v1/channels/messaging/general/members/mallory").status / 100 == 2);
  CHECK(mallory.post(kMessages, {{"text", "as a guest"}}).status == 202);
  CHECK(edit().code() == "forbidden");
  court.settings({{"probation_holds", false}});
  CHECK(mallory.post(kMessages, {{"text", "as a guest"}}).status == 201);
  court.settings({{"probation_holds", true}});
  CHECK(court.undo(court.user("alice"), decision).status == 200);
  CHECK(mallory.post(kMessages, {{"text", "free"}}).status == 201);
  CHECK(edit().status == 200);
}

TEST_CASE("moderation: decisions are undone in any order, and what was undone does not come back", "[api][moderation]") {
  for (const bool last_first : {true, false}) {
    INFO(last_first);
    Court court;
    auto alice = court.user("alice"), maud = court.user("maud");
    const auto item = court.flagged("one");
    const auto warned = court.decided(alice, court.flagged("two"), "warn"), again = court.decided(alice, court.flagged("three"), "warn");
    const auto banned = court.decided(alice, item, "ban", {{"reason", "First"}});
    const auto other = court.decided(maud, court.item_of(court.judged_by_server("four")), "ban", {{"reason", "Second"}});
    CHECK(bans(court)[0]["reason"] == "Second");
    CHECK(court.undo(maud, last_first ? other : banned).status == 200);
    CHECK(bans(court)[0]["reason"] == (last_first ? "First" : "Second"));
    CHECK(court.undo(maud, last_first ? banned : other).status == 200);
    CHECK(bans(court).empty());
    CHECK_FALSE(court.standing().contains("ban_reason"));
    CHECK(court.undo(alice, last_first ? again : warned).status == 200);
    CHECK(court.standing().contains("last_warning_at"));
    CHECK(court.undo(alice, last_first ? warned : again).status == 200);
    CHECK_FALSE(court.standing().contains("last_warning_at"));
  }
}

TEST_CASE("moderation: who deletes its message first does not bring it back once another has deleted it", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice"), mallory = court.user("mallory");
  const auto item = court.flagged();
  const auto path = kMessages + "/" + item["message_id"].get<std::string>();
  REQUIRE(mallory.del(path).status == 200);
  const auto decision = court.decided(alice, item, "delete");
  REQUIRE(mallory.del(path).status == 200);
  CHECK(mallory.post(path + "/undelete").code() == "forbidden");
  CHECK(court.undo(alice, decision).status == 200);
  CHECK(court.history("bob")[0].contains("deleted_at"));                 // by its author, as before
  CHECK(mallory.post(path + "/undelete").status == 200);
  REQUIRE(mallory.del(path).status == 200);
  const auto again = court.decided(alice, item, "delete");
  REQUIRE(alice.post(path + "/undelete").status == 200);
  REQUIRE(alice.del(path).status == 200);
  CHECK(court.undo(alice, again).status == 200);
  CHECK(mallory.post(path + "/undelete").code() == "forbidden");         // alice deleted it later
  const auto other = kMessages + "/" + court.send("mallory", "general", "x")["id"].get<std::string>();
  REQUIRE(mallory.del(other).status == 200);
  REQUIRE(alice.del(other).status == 200);
  CHECK(mallory.post(other + "/undelete").code() == "forbidden");
}

TEST_CASE("moderation: two bans of one call are two", "[api][moderation]") {
  Court court;
  const auto one = court.flagged("one"), two = court.flagged("two");
  auto alice = court.user("alice");
  const auto results = alice.post(kDecisions, {{"item_ids", {one["item_id"], two["item_id"]}}, {"action", "ban"}, {"reason", "Both"}}).body["results"];
  REQUIRE(results.size() == 2);
  CHECK(court.undo(alice, results[0]["decision"]).status == 200);
  CHECK(bans(court).size() == 1);
  CHECK(court.undo(alice, results[1]["decision"]).status == 200);
  CHECK(bans(court).empty());
}

TEST_CASE("moderation: the application's moderators act against none of its admins", "[api][moderation]") {
  Court court;
  REQUIRE(court.server().post("/v1/users", {{"users", {{{"user_id", "boss"}, {"role", "admin"}}, {{"user_id", "chief"}, {"role", "admin"}}}}}).status == 200);
  REQUIRE(court.user("bob").post("/v1/users/boss/flag", {{"reason", "spam"}}).status == 201);
  const auto item = court.items(court.server(), {{"filter", {{"user_id", "boss"}}}})[0];
  CHECK(court.decide(court.user("maud"), item, "ban")["error"]["code"] == "forbidden");
  CHECK(court.rows("application_bans") == 0);
  CHECK(court.rows("moderation_log") == 0);
  CHECK(court.decide(court.user("chief"), item, "ban")["status"] == "decided");
}

TEST_CASE("moderation: what rules find in a change is flagged with it, and a change that is refused leaves nothing", "[api][moderation]") {
  Court court;
  const auto make = [&](const std::string& name, const std::string& behaviour, const std::string& word) {
    REQUIRE(court.server().put("/v1/block_lists/" + name, {{"kind", "word"}, {"behaviour", behaviour}}).status == 201);
    REQUIRE(court.server().post("/v1/block_lists/" + name + "/entries", {{"add", {word}}}).status == 200);
    REQUIRE(court.server().put("/v1/block_lists/" + name + "/use", Json::object()).status / 100 == 2);
    eventually("every node knows " + word, [&] {
      for (int i = 0; i < 4; ++i) {
        const auto checked = court.server().post("/v1/check_text", {{"text", word}, {"channel_type", "messaging"}, {"channel_id", "general"}});
        if (checked.status != 200 || checked.body["matches"].size() != 1) return false;
      }
      return true;
    });
  };
  make("watched", "flag", "watches");
  make("forbidden", "block", "bombs");
  const auto message = court.send("mallory", "general", "Good morning");
  const auto change = [&](const std::string& text) {
    return court.user("mallory").patch(kMessages + "/" + message["id"].get<std::string>(), {{"set", {{"text", text}}}});
  };
  CHECK(change("Good evening").status == 200);
  CHECK(court.rows("moderation_items") == 0);
  CHECK(change("Buy bombs and watches").code() == "forbidden");
  CHECK(court.rows("moderation_items") == 0);
  CHECK(court.history("bob")[0]["text"] == "Good evening");
  CHECK(change("Buy watches").status == 200);
  const auto items = court.items(court.user("alice"));
  REQUIRE(items.size() == 1);
  CHECK(items[0]["findings"] == 1);
  CHECK(items[0]["evidence"]["text"] == "Buy watches");
  CHECK(change("Buy more watches").status == 200);
  CHECK(change("Good night").status == 200);
  const auto shown = court.user("alice").get(kItems + "/" + items[0]["item_id"].get<std::string>()).body;
  CHECK(shown["item"]["findings"] == 2);
  CHECK(shown["item"]["evidence"]["text"] == "Buy watches");
  REQUIRE(shown["flags"].size() == 2);
  CHECK(shown["flags"][0]["rule"] == "watched");
  CHECK(shown["flags"][0]["evidence"]["text"] == "Buy more watches");
}

TEST_CASE("moderation: a message in which nothing was found costs no statement more", "[api][moderation]") {
  Court court;
  const auto before = runs_of("flags.flag_messages"), sent = runs_of("send.send_messages");
  court.judged("mallory", "Good morning", "", false);
  CHECK(runs_of("flags.flag_messages") == before);
  court.judged("mallory", "Buy now!", R"([{"source":"list","rule":"ads"}])", false);
  CHECK(runs_of("flags.flag_messages") == before + 1);
  CHECK(runs_of("send.send_messages") >= sent + 2);
}
