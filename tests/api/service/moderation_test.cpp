#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/moderation.h"
#include "tests/support/teams.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("moderation: who flags, once, makes an item that moderators see and nobody else", "[api][moderation]") {
  Court court;
  const auto message = court.send("mallory", "general", "Buy now!", {{"custom", {{"k", 1}}}});
  auto first = court.flag("bob", message, "spam", {{"custom", {{"screen", "chat"}}}});
  CHECK(first.status == 201);
  CHECK(first.body["flag"]["user_id"] == "bob");
  auto again = court.flag("bob", message, "hate");
  CHECK(again.status == 200);
  CHECK(again.body["flag"] == first.body["flag"]);
  CHECK(court.flag("alice", message, "harassment").status == 201);
  for (auto who : {court.user("alice"), court.user("maud"), court.server()}) {
    const auto items = court.items(who);
    REQUIRE(items.size() == 1);
    CHECK(items[0]["flags"] == 2);
    CHECK(items[0]["severity"] == 2);
    CHECK(items[0]["priority"] == 2020);
    CHECK(items[0]["user_id"] == "mallory");
    CHECK(items[0]["evidence"]["text"] == "Buy now!");
    CHECK(items[0]["evidence"]["custom"] == Json({{"k", 1}}));
    CHECK(items[0]["evidence"]["author"]["user_id"] == "mallory");
  }
  CHECK(court.items(court.user("bob")).empty());
  const auto path = kItems + "/" + court.item_of(message)["item_id"].get<std::string>();
  CHECK(court.user("bob").get(path).code() == "not_found");
  CHECK(court.user("mallory").get(path).code() == "not_found");
  const auto shown = court.user("alice").get(path).body;
  CHECK(shown["flags"].size() == 2);
  CHECK(shown["flags"][1]["custom"] == Json({{"screen", "chat"}}));
  CHECK(shown["decisions"].empty());
}

TEST_CASE("moderation: what was decided is flagged again, by the same user, too", "[api][moderation]") {
  Court court;
  const Json spam{{"reason", "spam"}};
  const auto flag = [&] { return court.user("bob").post("/v1/users/mallory/flag", spam); };
  const auto first = flag();
  CHECK(first.status == 201);
  CHECK(flag().body == first.body);
  const auto item = court.items(court.server())[0];
  const auto decision = court.decided(court.user("maud"), item, "approve");
  const auto second = flag();
  CHECK(second.status == 201);
  CHECK(flag().body == second.body);
  CHECK(court.rows("moderation_items", "decided_at is null") == 1);
  CHECK(court.undo(court.user("maud"), decision).status == 200);           // the other round stays open, this one decided
  CHECK(flag().body == second.body);
  CHECK(court.rows("moderation_flags") == 2);
}

TEST_CASE("moderation: a refused flag leaves nothing", "[api][moderation]") {
  Court court;
  TestApp other;
  const auto message = court.send("mallory", "general", "x");
  CHECK(court.flag("mallory", message).code() == "forbidden");
  CHECK(court.flag("bob", message, "unheard_of").code() == "invalid_field");
  CHECK(court.flag("bob", message, "unheard_of").pointer() == "#/reason");
  CHECK(court.flag("maud", message).code() == "not_found");                     // no member of the channel
  CHECK(court.flag("bob", message, "spam", {{"custom", {{"k", std::string(6'000, 'x')}}}}).code() == "invalid_field");
  CHECK(court.user("bob").post("/v1/users/nobody/flag", {{"reason", "spam"}}).code() == "not_found");
  CHECK(court.user("bob").post("/v1/users/bob/flag", {{"reason", "spam"}}).code() == "forbidden");
  other.add_users({"eve"});
  CHECK(other.user("eve").post("/v1/users/mallory/flag", {{"reason", "spam"}}).code() == "not_found");
  court.user("mallory").del(kMessages + "/" + message["id"].get<std::string>());
  CHECK(court.flag("bob", message).code() == "not_found");
  CHECK(court.rows("moderation_items") == 0);
  CHECK(court.rows("moderation_flags") == 0);
  const auto item = court.flagged();
  CHECK(other.server().get(kItems + "/" + item["item_id"].get<std::string>()).code() == "not_found");
  CHECK(other.server().post(kItems + "/query").body["items"].empty());
}

TEST_CASE("moderation: users and channels can be flagged, and two at once make one item", "[api][moderation][concurrency]") {
  Court court;
  const Json spam{{"reason", "spam"}};
  std::thread beside([&] { court.user("alice").post("/v1/users/mallory/flag", spam); });
  CHECK(court.user("bob").post("/v1/users/mallory/flag", spam).status == 201);
  beside.join();
  CHECK(court.server().post("/v1/users/mallory/flag", spam).body["flag"]["source"] == "server");
  CHECK(court.user("bob").post("/v1/users/mallory/flag", spam).status == 200);      // once is enough
  for (const int status : {201, 200}) CHECK(court.user("bob").post("/v1/channels/messaging/general/flag", spam).status == status);
  const auto whole = court.items(court.user("maud"));
  CHECK(whole.size() == 2);
  CHECK(whole[0]["subject_type"] == "user");
  CHECK(whole[0]["flags"] == 3);
  court.add_users({"mod"});
  REQUIRE(court.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}}).status == 200);
  CHECK(court.items(court.user("alice")).empty());                // she made the channel: it concerns her
  const auto of_channel = court.items(court.user("mod"));         // of a user, only the application's moderators know
  REQUIRE(of_channel.size() == 1);
  CHECK(of_channel[0]["subject_type"] == "channel");
  CHECK(of_channel[0]["evidence"]["channel"]["cid"] == "messaging:general");
  CHECK(court.decide(court.user("maud"), whole[0], "delete")["error"]["code"] == "invalid_field");
  const auto ban = court.decided(court.user("maud"), whole[0], "ban", {{"reason", "Enough"}});
  CHECK(court.user("mallory").get("/v1/channels/messaging/general").code() == "forbidden");
  CHECK(court.undo(court.user("maud"), ban).status == 200);
  CHECK(court.user("mallory").get("/v1/channels/messaging/general").status == 200);
}

TEST_CASE("moderation: the queue is filtered, sorted and paged, and every field is checked", "[api][moderation]") {
  Court court;
  for (int i = 0; i < 3; ++i) court.flagged("spam " + std::to_string(i));
  court.flag("bob", court.send("alice", "general", "worse"), "hate");
  auto maud = court.user("maud");
  CHECK(court.items(maud)[0]["evidence"]["text"] == "worse");
  CHECK(court.items(maud, {{"filter", {{"user_id", "mallory"}, {"status", "pending"}, {"cid", "messaging:general"}}}}).size() == 3);
  CHECK(court.items(maud, {{"filter", {{"reason", "hate"}}}}).size() == 1);
  CHECK(court.items(maud, {{"filter", {{"source", {{"$in", {"user"}}}}, {"severity", {{"$gte", 2}}}}}}).size() == 1);
  CHECK(court.items(maud, {{"filter", {{"assigned_to", "alice"}}}}).empty());
  auto first = maud.post(kItems + "/query", {{"limit", 3}, {"sort", {{{"field", "created_at"}, {"order", "asc"}}}}});
  REQUIRE(first.body.contains("next"));
  auto second = maud.post(kItems + "/query", {{"limit", 3}, {"sort", {{{"field", "created_at"}, {"order", "asc"}}}}, {"next", first.body["next"]}});
  CHECK(second.body["items"].size() == 1);
  CHECK(second.body["items"][0]["evidence"]["text"] == "worse");
  CHECK(maud.post(kItems + "/query", {{"filter", {{"colour", "red"}}}}).code() == "invalid_field");
  CHECK(maud.post(kItems + "/query", {{"filter", {{"status", 1}}}}).pointer() == "#/filter/status");
  CHECK(maud.post(kItems + "/query", {{"user_id", "alice"}}).code() == "forbidden");
  CHECK(court.server().post(kItems + "/query", {{"user_id", "bob"}}).body["items"].empty());
}

TEST_CASE("moderation: a deletion goes and comes back, exactly once, and the log shows both", "[api][moderation]") {
  Court court;
  const auto item = court.flagged();
  const auto decision = court.decided(court.user("alice"), item, "delete", {{"reason", "Advertising"}, {"rule", "no-ads"}});
  CHECK(decision["by"] == "moderator");
  CHECK(decision["moderator_id"] == "alice");
  CHECK(decision["points"] == 1);
  CHECK(court.history("bob")[0].contains("deleted_at"));
  auto now = court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body;
  CHECK(now["item"]["status"] == "rejected");
  CHECK(now["item"]["outcome"] == "delete");
  CHECK(now["item"]["evidence"]["text"] == "Buy now!");
  CHECK(court.standing()["strike_count"] == 1);
  CHECK(court.decide(court.user("alice"), item, "approve")["error"]["code"] == "conflict");
  CHECK(court.undo(court.user("bob"), decision).code() == "not_found");
  CHECK(court.undo(court.user("alice"), decision).body["decision"]["undoes"] == decision["decision_id"]);
  CHECK(court.history("bob")[0]["text"] == "Buy now!");
  CHECK(court.standing()["strike_count"] == 0);
  CHECK(court.undo(court.user("alice"), decision).code() == "conflict");
  now = court.user("alice").get(kItems + "/" + item["item_id"].get<std::string>()).body;
  CHECK(now["item"]["status"] == "pending");
  CHECK_FALSE(now["item"].contains("decided_at"));
  CHECK(now["decisions"].size() == 2);
  CHECK(now["decisions"][1]["undone_by"] == now["decisions"][0]["decision_id"]);
  const auto log = court.user("maud").post("/v1/moderation/log/query", {{"filter", {{"rule", "no-ads"}, {"undone", true}}}}).body["decisions"];
  REQUIRE(log.size() == 1);
  CHECK(log[0]["reason"] == "Advertising");
  CHECK(court.user("bob").post("/v1/moderation/log/query").body["decisions"].empty());
}

TEST_CASE("moderation: undoing leaves alone what was changed since", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice");
  const auto item = court.flagged();
  const auto path = kMessages + "/" + item["message_id"].get<std::string>();
  const auto decision = court.decided(alice, item, "timeout", {{"expires_at", "2100-01-01T00:00:00Z"}, {"delete_message", true}});
  CHECK(court.user("mallory").get(kMessages).code() == "forbidden");
  REQUIRE(alice.post(path + "/undelete").status == 200);
  REQUIRE(alice.del("/v1/channels/messaging/general/bans/mallory").status == 204);
  REQUIRE(alice.put("/v1/channels/messaging/general/bans/mallory", {{"reason", "Another"}}).status == 200);
  REQUIRE(alice.del(path).status == 200);
  CHECK(court.undo(alice, decision).status == 200);
  CHECK(court.history("bob")[0].contains("deleted_at"));                 // deleted by alice herself, later
  CHECK(alice.get("/v1/channels/messaging/general/bans").body["bans"][0]["reason"] == "Another");
}

TEST_CASE("moderation: a ban's undoing brings back the ban that stood before", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice");
  const auto item = court.flagged();
  REQUIRE(alice.put("/v1/channels/messaging/general/bans/mallory", {{"shadow", true}, {"reason", "Before"}}).status == 200);
  const auto before = alice.get("/v1/channels/messaging/general/bans").body["bans"];
  const auto decision = court.decided(court.user("maud"), item, "ban", {{"reason", "Now"}});
  CHECK(alice.get("/v1/channels/messaging/general/bans").body["bans"][0]["banned_by"] == "maud");
  CHECK(court.standing()["ban_reason"]["reason"] == "Now");
  CHECK(court.undo(court.server(), decision).body["decision"]["by"] == "server");
  CHECK(alice.get("/v1/channels/messaging/general/bans").body["bans"] == before);
  CHECK_FALSE(court.standing().contains("ban_reason"));
  const auto bans = [&] { return court.server().get("/v1/bans").body["bans"]; };
  REQUIRE(court.server().put("/v1/bans/mallory", {{"reason", "Before"}}).status == 200);
  const auto whole = bans();
  const auto again = court.decided(court.user("maud"), item, "ban", {{"scope", "application"}, {"reason", "Now"}});
  CHECK(bans()[0]["reason"] == "Now");
  CHECK(court.undo(court.server(), again).status == 200);
  CHECK(bans() == whole);
}

TEST_CASE("moderation: a channel's moderator acts in the channel, and not against stronger roles", "[api][moderation]") {
  Court court;
  court.add_users({"mod"});
  REQUIRE(court.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "mod"}, {"role", "moderator"}}}}}).status == 200);
  const auto item = court.flagged();
  CHECK(court.decide(court.user("mod"), item, "ban", {{"scope", "application"}})["error"]["code"] == "forbidden");
  CHECK(court.decide(court.user("bob"), item, "approve")["error"]["code"] == "not_found");
  court.flag("bob", court.send("alice", "general", "x"));
  const auto owners = court.items(court.user("mod"), {{"filter", {{"user_id", "alice"}}}})[0];
  CHECK(court.decide(court.user("mod"), owners, "ban")["error"]["code"] == "forbidden");
  CHECK(court.rows("moderation_log") == 0);
  CHECK(court.rows("channel_bans") == 0);
  CHECK(court.rows("moderation_strikes") == 0);
  CHECK(court.decide(court.user("maud"), owners, "ban")["status"] == "decided");   // the application's moderators rank above
  const auto type = court.server().patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"moderator", {"chat:channel:read", "chat:moderation:review"}}}}}}});
  REQUIRE(type.status == 200);
  CHECK(court.items(court.user("mod")).size() == 2);
  CHECK(court.decide(court.user("mod"), item, "approve")["error"]["code"] == "forbidden");
}

TEST_CASE("moderation: many are decided at once, each on its own", "[api][moderation]") {
  Court court;
  const auto one = court.flagged("one"), two = court.flagged("two");
  court.decided(court.user("alice"), one, "approve");
  const auto ghost = "mdi_01m7yzmjq2e60tak362xesvjfr";
  const auto answer = court.user("alice").post(kDecisions, {{"item_ids", {one["item_id"], ghost, two["item_id"]}}, {"action", "delete"}});
  REQUIRE(answer.body["results"].size() == 3);
  CHECK(answer.body["results"][0]["error"]["code"] == "conflict");
  CHECK(answer.body["results"][1]["error"]["code"] == "not_found");
  CHECK(answer.body["results"][2]["decision"]["item_id"] == two["item_id"]);
  CHECK(court.rows("messages", "deleted_at is not null") == 1);
  for (const Json& wrong : {Json{{"item_ids", Json::array()}, {"action", "delete"}}, Json{{"item_ids", {"mdi_x"}}, {"action", "delete"}},
                            Json{{"item_ids", {ghost}}, {"action", "paint"}}, Json{{"item_ids", {ghost, ghost}}, {"action", "approve"}},
                            Json{{"item_ids", {ghost}}, {"action", "approve"}, {"points", 3}}, Json{{"item_ids", {ghost}}, {"action", "approve"}, {"hard", true}}})
    CHECK(court.user("alice").post(kDecisions, wrong).code() == "invalid_field");
  CHECK(court.decide(court.user("alice"), court.flagged("three"), "timeout")["error"]["code"] == "invalid_field");
}

TEST_CASE("moderation: of two moderators who decide at once one wins, and undoing at once happens once", "[api][moderation][concurrency]") {
  Court court;
  const auto item = court.flagged();
  Json results[2];
  std::thread beside([&] { results[0] = court.decide(court.user("maud"), item, "delete"); });
  results[1] = court.decide(court.user("alice"), item, "delete");
  beside.join();
  CHECK((results[0]["status"] == "decided") != (results[1]["status"] == "decided"));
  const auto& won = results[0]["status"] == "decided" ? results[0] : results[1];
  int statuses[2] = {0, 0};
  std::thread other([&] { statuses[0] = court.undo(court.user("maud"), won["decision"]).status; });
  statuses[1] = court.undo(court.user("alice"), won["decision"]).status;
  other.join();
  CHECK((statuses[0] == 200) != (statuses[1] == 200));
  CHECK(court.rows("moderation_log", "undoes is not null") == 1);
  CHECK(court.history("bob")[0]["text"] == "Buy now!");
}

TEST_CASE("moderation: escalated and assigned, an item stays open, for the one who is named", "[api][moderation]") {
  Court court;
  const auto item = court.flagged();
  const auto path = kItems + "/" + item["item_id"].get<std::string>();
  CHECK(court.user("alice").post(path + "/assign", {{"moderator_id", "bob"}}).code() == "not_found");
  CHECK(court.user("alice").post(path + "/assign", {{"moderator_id", "alice"}}).body["item"]["assigned_to"] == "alice");
  CHECK(court.items(court.user("maud"), {{"filter", {{"assigned_to", "alice"}}}}).size() == 1);
  const auto escalation = court.decided(court.user("alice"), item, "escalate", {{"assign_to", "maud"}});
  auto now = court.user("maud").get(path).body["item"];
  CHECK(now["status"] == "escalated");
  CHECK(now["assigned_to"] == "maud");
  CHECK(court.undo(court.user("alice"), escalation).status == 200);
  now = court.user("maud").get(path).body["item"];
  CHECK(now["status"] == "pending");
  CHECK(now["assigned_to"] == "alice");
  CHECK_FALSE(court.user("alice").post(path + "/assign").body["item"].contains("assigned_to"));
  court.decided(court.user("maud"), item, "reject");
  CHECK(court.user("alice").post(path + "/assign", {{"moderator_id", "alice"}}).code() == "conflict");
}

TEST_CASE("moderation: a message that was deleted comes back by a decision", "[api][moderation]") {
  Court court;
  const auto item = court.flagged();
  CHECK(court.decide(court.user("alice"), item, "restore")["error"]["code"] == "conflict");
  REQUIRE(court.user("mallory").del(kMessages + "/" + item["message_id"].get<std::string>()).status == 200);
  const auto restored = court.decided(court.user("alice"), item, "restore");
  CHECK(court.history("bob")[0]["text"] == "Buy now!");
  CHECK(court.undo(court.user("alice"), restored).status == 200);
  CHECK(court.history("bob")[0].contains("deleted_at"));
}

TEST_CASE("moderation: what a decision restored stays when somebody else has restored it since", "[api][moderation]") {
  Court court;
  auto alice = court.user("alice");
  const auto item = court.flagged();
  const auto path = kMessages + "/" + item["message_id"].get<std::string>();
  REQUIRE(court.user("mallory").del(path).status == 200);
  const auto restored = court.decided(alice, item, "restore");
  REQUIRE(alice.post(path + "/undelete").status == 200);                   // it is not deleted: changes nothing
  REQUIRE(alice.del(path).status == 200);
  REQUIRE(alice.post(path + "/undelete").status == 200);
  CHECK(court.undo(alice, restored).status == 200);
  CHECK(court.history("bob")[0]["text"] == "Buy now!");
}

TEST_CASE("moderation: moderators and the backend hear, and nobody else", "[api][moderation][ws]") {
  Court court;
  auto alice = court.connect("alice"), bob = court.connect("bob"), mallory = court.connect("mallory"), backend = court.connect("");
  const auto item = court.flagged();
  const auto told = hear(alice, "moderation.flagged")["data"];
  CHECK(told["item"]["item_id"] == item["item_id"]);
  CHECK(told["flag"]["user_id"] == "bob");
  CHECK(hear(backend, "moderation.flagged")["data"]["flag"]["reason"] == "spam");
  const auto decision = court.decided(court.user("alice"), item, "warn", {{"reason", "Once"}});
  CHECK(hear(alice, "moderation.decided")["data"]["decision"]["decision_id"] == decision["decision_id"]);
  CHECK(hear(backend, "moderation.decided")["data"]["decision"]["action"] == "warn");
  const auto notice = hear(mallory, "moderation.warned")["data"]["notice"];
  CHECK(notice["reason"] == "Once");
  CHECK_FALSE(notice.contains("moderator_id"));
  CHECK(court.standing().contains("last_warning_at"));
  court.undo(court.user("alice"), decision);
  CHECK(hear(alice, "moderation.undone")["data"]["decision"]["undoes"] == decision["decision_id"]);
  CHECK_FALSE(court.standing().contains("last_warning_at"));
  court.send("alice", "general", "the end");
  for (auto* other : {&bob, &mallory}) {
    hear(*other, "message.new");
    CHECK_FALSE(other->find("moderation.flagged", std::chrono::milliseconds(50)));
    CHECK_FALSE(other->find("moderation.decided", std::chrono::milliseconds(50)));
    CHECK_FALSE(other->find("moderation.undone", std::chrono::milliseconds(50)));
  }
  CHECK_FALSE(bob.find("moderation.warned", std::chrono::milliseconds(50)));
}

TEST_CASE("moderation: no application's flags wait behind another's", "[api][moderation][tenancy][ws]") {
  TestApp many, few;
  const auto uuid = [](const TestApp& app) { return AppId::parse(app.id())->text(); };
  Probe probe(superuser_database().dsn);
  probe.run("begin");
  for (const auto* app : {&many, &few}) {
    const auto id = uuid(*app);
    const std::string count = app == &many ? "300" : "1";
    probe.run("insert into moderation_items (app_id, id, subject_type, subject_id, severity, created_at, updated_at) values ('" + id +
              "', gen_random_uuid(), 'message', gen_random_uuid(), 1, now(), now());"
              "insert into moderation_flags (app_id, id, item_id, subject_type, subject_id, source, severity, created_at)"
              " select app_id, gen_random_uuid(), id, 'message', subject_id, 'server', 1, '2020-01-01' from moderation_items, generate_series(1, " + count +
              ") where app_id = '" + id + "'");
  }
  const auto untold = [&](const std::string& after) {
    return probe.rows("select app_id, count(*) from untold_flags(20, 200, '" + after + "') with ordinality where app_id in ('" + uuid(many) + "', '" +
                      uuid(few) + "') group by app_id order by min(ordinality)");
  };
  const std::vector<std::string> of_many{uuid(many), "20"}, of_few{uuid(few), "1"};
  CHECK(untold("00000000-0000-0000-0000-000000000000") == std::vector<std::vector<std::string>>{of_many, of_few});
  CHECK(untold(uuid(many)) == std::vector<std::vector<std::string>>{of_few, of_many});
  probe.run("rollback");
}

TEST_CASE("moderation: a flag that can't be told keeps no other from it", "[api][moderation][tenancy][ws]") {
  Court broken, court;
  Probe probe(superuser_database().dsn);
  probe.run("create function refuse_flag() returns trigger language plpgsql as $$ begin raise exception 'never'; end $$;"
            "create trigger refuse_flag before update on moderation_flags for each row when (new.app_id = '" + AppId::parse(broken.id())->text() +
            "') execute function refuse_flag()");
  auto backend = court.connect("");
  broken.flagged();
  const auto item = court.flagged();
  CHECK(hear(backend, "moderation.flagged")["data"]["item"]["item_id"] == item["item_id"]);
  CHECK(broken.rows("moderation_flags", "told_at is null") == 1);
  probe.run("drop function refuse_flag() cascade");
  eventually("it is told when it can be", [&] { return broken.rows("moderation_flags", "told_at is null") == 0; });
}

TEST_CASE("moderation: what concerns a moderator itself is out of its sight", "[api][moderation][ws]") {
  Court court;
  auto alice = court.connect("alice"), backend = court.connect("");
  const auto message = court.send("alice", "general", "rude");
  REQUIRE(court.flag("bob", message).status == 201);
  const auto item = court.item_of(message);
  const auto path = kItems + "/" + item["item_id"].get<std::string>();
  CHECK(court.items(court.user("alice")).empty());
  CHECK(court.user("alice").get(path).code() == "not_found");
  CHECK(court.decide(court.user("alice"), item, "approve")["error"]["code"] == "not_found");
  hear(backend, "moderation.flagged");
  CHECK_FALSE(alice.find("moderation.flagged", std::chrono::milliseconds(100)));
  const auto decision = court.decided(court.user("maud"), item, "warn");
  CHECK(court.undo(court.user("alice"), decision).code() == "not_found");
  CHECK(court.user("alice").post("/v1/moderation/log/query").body["decisions"].empty());
  CHECK(court.user("alice").get("/v1/moderation/notices").body["notices"].size() == 1);
  CHECK_FALSE(alice.find("moderation.decided", std::chrono::milliseconds(100)));
}

TEST_CASE("moderation: teams keep moderators apart", "[api][moderation][teams]") {
  TestApp app;
  Teams teams(app);
  REQUIRE(app.server().post("/v1/users", {{"users", {{{"user_id", "maud"}, {"role", "moderator"}, {"teams", {"blue"}}}}}}).status == 200);
  const auto sent = app.user("robin").post("/v1/channels/messaging/red-room/messages", {{"text", "x"}}).body["message"];
  REQUIRE(app.user("rita").post("/v1/channels/messaging/red-room/messages/" + sent["id"].get<std::string>() + "/flag", {{"reason", "spam"}}).status == 201);
  CHECK(app.user("rita").post(kItems + "/query").body["items"].size() == 1);
  CHECK(app.user("maud").post(kItems + "/query").body["items"].empty());
  REQUIRE(app.user("rita").post("/v1/users/robin/flag", {{"reason", "spam"}}).status == 201);
  CHECK(app.user("maud").post(kItems + "/query").body["items"].empty());
  CHECK(app.server().post(kItems + "/query").body["items"].size() == 2);
}
