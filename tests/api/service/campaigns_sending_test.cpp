#include <catch2/catch.hpp>

#include <thread>

#include "platform/chat/campaigns/sending.sql.h"
#include "platform/chat/channels/channels.h"
#include "tests/api/service/campaigns_stage.h"

// What happens on the way: two at once, a claim whose holder died, limits, a rate, a sender who goes.
using namespace chat;
using namespace chat::test;

TEST_CASE("campaigns: sent once, though jobs run side by side and one dies before it kept the ends", "[api][campaigns][concurrency]") {
  Shop shop(many(300));
  const auto campaign = shop.draft_for(many(300));
  shop.start(campaign);
  std::thread beside([] { Service::get().node().run_job("send_campaigns"); });
  Service::get().node().run_job("send_campaigns");
  beside.join();
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 300);
  CHECK(shop.rows("messages") == 300);
  // As after a crash between the sends and the keeping of their ends: messages are there, their recipients wait.
  shop.sql("update campaign_recipients set state = 'waiting', claimed_until = now() - interval '1 second', message_id = null, sent_at = null where state = 'sent'");
  shop.sql("update campaigns set status = 'sending', finished_at = null, next_at = now() where status = 'completed'");
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 300);
  CHECK(shop.rows("messages") == 300);
  CHECK(shop.rows("campaign_recipients", "message_id in (select id from messages)") == 300);
}

TEST_CASE("campaigns: while others write it goes on, in short pages", "[api][campaigns]") {
  Shop shop(many(150));
  auto other = shop.user("u0");
  const auto messages = "/v1/channels/messaging/" + other.post("/v1/channels/messaging", {{"members", {"u1"}}}).body["channel"]["id"].get<std::string>() + "/messages";
  const auto write = [&] {
    for (const char* node : {"one", "and the other"}) CHECK(other.post(messages, {{"text", node}}).status == 201);
  };
  const auto campaign = shop.draft_for(many(150));
  write();
  shop.start(campaign);
  eventually("the campaign is completed", [&] {
    write();
    return shop.show(campaign)["status"] == "completed";
  }, std::chrono::milliseconds(30'000));
  Probe probe(superuser_database().dsn);
  CHECK(probe.value("select max(n) from (select count(*) as n from campaign_recipients where app_id = '" + AppId::parse(shop.id())->text() +
                    "' group by sent_at) pages") == "4");
}

TEST_CASE("campaigns: who was sent to and then forgotten by a dead node is not sent to again, however long ago it was", "[api][campaigns]") {
  Shop shop;
  const auto campaign = shop.draft_for({"alice", "bob"});
  shop.run(campaign);
  const auto first = shop.recipients(campaign).at("bob")["message_id"];
  shop.sql("update message_nonces set created_at = now() - interval '9 days' where nonce like 'campaign/%'");
  shop.sql("update campaign_recipients set state = 'waiting', claimed_until = now() - interval '9 days', message_id = null, sent_at = null "
           "where target_id = (select id from users where user_id = 'bob' and users.app_id = campaign_recipients.app_id)");
  eventually("alice's nonce is swept", [&] {
    Service::get().node().run_job("sweep_message_nonces");
    return shop.rows("message_nonces", "nonce like 'campaign/%'") == 1;
  });
  shop.sql("update campaigns set status = 'sending', finished_at = null, next_at = now() where status = 'completed'");
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 2);
  CHECK(shop.recipients(campaign).at("bob")["message_id"] == first);
  CHECK(shop.inbox("bob").size() == 1);
}

TEST_CASE("campaigns: who was sent to has it, though its end was lost and it wants none any more, or it counted as failed", "[api][campaigns]") {
  Shop shop({"alice", "bob", "carol"});
  const auto campaign = shop.draft_for({"alice", "bob", "carol"});
  shop.run(campaign);
  const auto first = shop.recipients(campaign);
  const auto lose = [&](const std::string& user, const std::string& state) {
    shop.sql("update campaign_recipients set state = '" + state + "', claimed_until = null, message_id = null, sent_at = null "
             "where target_id = (select id from users where user_id = '" + user + "' and users.app_id = campaign_recipients.app_id)");
  };
  lose("alice", "waiting");
  lose("bob", "failed");
  REQUIRE(shop.server().put("/v1/users/alice/campaign_preferences", {{"campaigns", false}}).status == 200);
  shop.sql("update message_nonces set created_at = now() - interval '9 days' where nonce like 'campaign/%'");
  eventually("carol's nonce is swept", [&] {
    Service::get().node().run_job("sweep_message_nonces");
    return shop.rows("message_nonces", "nonce like 'campaign/%'") < 3;
  });
  REQUIRE(shop.act(campaign, "resend").status == 200);
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 3);
  for (const auto& [user, recipient] : shop.recipients(campaign)) CHECK(recipient.value("message_id", "") == first.at(user)["message_id"]);
  CHECK(shop.rows("messages", "type = 'regular'") == 3);
}

TEST_CASE("campaigns: who was held has it when it is approved, and counts then", "[api][campaigns][pending]") {
  Shop shop;
  REQUIRE(shop.server().put("/v1/moderation/rules", {{"rules", {{{"name", "no-links"}, {"kind", "links"}, {"then", "hold"}, {"exempt_roles", Json::array()}, {"includes_servers", true}}}}}).status == 200);
  const auto campaign = shop.draft_for({"alice", "bob"}, {{"variants", {{{"text", "Look at https://example.com/now"}}}}});
  CHECK(shop.run(campaign)["progress"]["skipped"] == 2);
  CHECK(shop.recipients(campaign).at("alice")["reason"] == "held");
  CHECK(shop.rows("usage_metrics", "meter = 'campaign_recipients'") == 0);
  const auto pending = "/v1/channels/messaging/" + channels::distinct_id({"alice", "shop"}) + "/pending_messages";
  const auto held = shop.server().get(pending).body["pending_messages"][0]["id"].get<std::string>();
  REQUIRE(shop.server().post(pending + "/" + held + "/approve").status == 202);
  eventually("alice has it", [&] {
    Service::get().node().run_job("send_approved");
    return shop.show(campaign)["progress"]["sent"] == 1;
  });
  const auto recipients = shop.recipients(campaign);
  CHECK(recipients.at("alice").contains("sent_at"));
  CHECK_FALSE(recipients.at("alice").contains("reason"));
  CHECK(shop.rows("messages", "id = (select message_id from campaign_recipients r where r.app_id = messages.app_id and r.state = 'sent')") == 1);
  CHECK(recipients.at("bob")["reason"] == "held");
  CHECK(shop.rows("usage_metrics", "meter = 'campaign_recipients' and value = 1") == 1);
}

TEST_CASE("campaigns: sent again, those who failed wait some at a time, and it is not over before all have had their turn", "[api][campaigns]") {
  Shop shop;
  const auto campaign = shop.draft_for({"alice", "bob"});
  shop.run(campaign);
  Probe(superuser_database().dsn).run("insert into campaign_recipients (app_id, campaign_id, target_id, state, reason, updated_at) select app_id, id, gen_random_uuid(), "
                                      "'failed', 'unavailable', now() from campaigns, generate_series(1, 2500) where app_id = '" + AppId::parse(shop.id())->text() + "'");
  CHECK(shop.act(campaign, "resend").body["campaign"]["status"] == "sending");
  const auto done = shop.run_until(campaign, "completed")["progress"];
  CHECK(done["failed"] == 0);
  CHECK(done["skipped"] == 2500);
  CHECK(Probe(superuser_database().dsn).value("select max(n) <= 1000 from (select count(*) as n from campaign_recipients where state = 'skipped' and app_id = '" +
                                              AppId::parse(shop.id())->text() + "' group by due_at) slices") == "t");
  CHECK(shop.act(campaign, "resend").code() == "conflict");
}

TEST_CASE("campaigns: a direct channel that is frozen, or in which the sender is banned, is left alone", "[api][campaigns][bans]") {
  Shop shop({"alice", "bob", "carol"});
  auto server = shop.server();
  std::map<std::string, std::string> channels;
  for (const char* user : {"alice", "bob", "carol"})
    channels[user] = "/v1/channels/messaging/" + shop.user(user).post("/v1/channels/messaging", {{"members", {"shop"}}}).body["channel"]["id"].get<std::string>();
  REQUIRE(server.patch(channels["alice"], {{"set", {{"frozen", true}}}}).status == 200);
  REQUIRE(server.put(channels["bob"] + "/bans/shop", Json::object()).status / 100 == 2);
  const auto campaign = shop.draft_for({"alice", "bob", "carol"});
  CHECK(shop.run(campaign)["progress"]["sent"] == 1);
  const auto skipped = shop.recipients(campaign, "skipped");
  CHECK(skipped.at("alice")["reason"] == "frozen");
  CHECK(skipped.at("bob")["reason"] == "banned");
  CHECK(shop.rows("messages", "type = 'regular'") == 1);
}

TEST_CASE("campaigns: a nonce that a user calls like a campaign's is swept as any other", "[api][campaigns]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (const char* nonce : {"campaign/x/y", "campaign/01890000-0000-7000-8000-000000000000/01890000-0000-7000-8000-000000000000"})
    app.send("alice", "general", nonce, {{"nonce", nonce}});
  Probe(superuser_database().dsn).run("update message_nonces set created_at = now() - interval '9 days' where app_id = '" + AppId::parse(app.id())->text() + "'");
  eventually("they are gone", [&] {
    Service::get().node().run_job("sweep_message_nonces");
    return app.rows("message_nonces") == 0;
  });
}

TEST_CASE("campaigns: one that can't be planned holds up no other", "[api][campaigns][ws]") {
  Shop broken, unreadable, healthy;
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  const auto segment = unreadable.server().post("/v1/segments", {{"name", "All"}, {"of", "users"}, {"filter", {{"type", "regular"}}}}).body["segment"]["id"];
  auto wants_segment = later;
  wants_segment["segments"] = {segment};
  const auto put_off = broken.draft_for({"alice", "bob"}, later), failed = unreadable.draft(wants_segment), well = healthy.draft_for({"alice"}, later);
  for (auto* one : {&broken, &unreadable, &healthy})
    one->start(one == &broken ? put_off : one == &unreadable ? failed : well);
  // Neither can be asked for: as if an older version had taken them.
  broken.sql("update campaigns set definition = definition || '{\"schedule\": {\"local_time\": \"2026-12-01T09:00\", \"time_zone\": \"No/Where\"}}' where true");
  unreadable.sql("update segments set filter = '{\"colour\": \"red\"}' where true");
  for (auto* one : {&broken, &unreadable, &healthy})
    one->sql("update campaigns set starts_at = now() - interval '1 minute', next_at = '-infinity' where status = 'scheduled'");
  auto backend = unreadable.connect("");
  CHECK(healthy.run_until(well, "completed")["progress"]["sent"] == 1);
  CHECK(unreadable.run_until(failed, "failed")["reason"] == "segment_unreadable");
  eventually("it is put off", [&] {
    Service::get().node().run_job("send_campaigns");
    return broken.rows("campaigns", "status = 'scheduled' and plan_after > now()") == 1;
  });
  CHECK(broken.rows("messages") == 0);
  broken.sql("update campaigns set definition = definition - 'schedule', plan_after = now() where true");
  CHECK(broken.run_until(put_off, "completed")["progress"]["sent"] == 2);
}

TEST_CASE("campaigns: a deleted one is gone at once, its rows with time, those on their way last", "[api][campaigns]") {
  Shop shop(many(7));
  auto server = shop.server();
  const auto campaign = shop.draft_for(many(7));
  shop.run(campaign);
  shop.sql("update campaign_recipients set state = 'waiting', claimed_until = now() + interval '1 hour' where target_id = (select id from users where user_id = 'u0' and "
           "users.app_id = campaign_recipients.app_id)");
  REQUIRE(server.del(Shop::path_of(campaign)).status == 204);
  CHECK(server.get(Shop::path_of(campaign)).code() == "not_found");
  CHECK(server.del(Shop::path_of(campaign)).code() == "not_found");
  CHECK(shop.act(campaign, "resend").code() == "not_found");
  CHECK(server.get("/v1/campaigns").body["campaigns"].empty());
  eventually("six are gone", [&] {
    Service::get().node().run_job("sweep_campaigns");
    return shop.rows("campaign_recipients") == 1;
  });
  CHECK(shop.rows("usage_removed", "meter = 'campaign_recipients' and value = 6") == 1);
  shop.sql("update campaign_recipients set claimed_until = now() where state = 'waiting'");
  eventually("all of it", [&] {
    shop.sql("update campaigns set plan_after = now() where status = 'deleted'");
    Service::get().node().run_job("sweep_campaigns");
    return shop.rows("campaigns") + shop.rows("campaign_recipients") == 0;
  });
  CHECK(shop.rows("messages") == 7);
}

TEST_CASE("campaigns: more than the plan has left is refused at the start; what runs out on the way pauses it", "[api][campaigns][limits][ws]") {
  Shop shop({"alice", "bob", "carol"}, {{"campaign_recipients", {{"hard", 2}}}});
  const auto all = shop.draft_for({"alice", "bob", "carol"});
  const auto refused = shop.act(all, "start");
  CHECK(refused.code() == "quota_exceeded");
  CHECK(refused.pointer() == "limit:campaign_recipients");
  CHECK(shop.show(all)["status"] == "draft");
  CHECK(shop.rows("messages") == 0);
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  auto backend = shop.connect("");
  shop.start(shop.draft_for({"alice", "bob"}, later));
  shop.start(shop.draft_for({"carol", "alice"}, later));   // there was room for each, not for both
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  eventually("one is paused", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.server().get("/v1/campaigns?status=paused").body["campaigns"].size() == 1;
  });
  CHECK(hear(backend, "campaign.paused")["data"]["campaign"]["reason"] == "quota_exceeded");
  eventually("nothing is under way", [&] { return shop.rows("campaign_recipients", "state = 'sent'") == 2; });
  CHECK(shop.rows("messages") == 2);
}

TEST_CASE("campaigns: a rate is kept, whoever sends", "[api][campaigns]") {
  Shop shop(many(12));
  const auto campaign = shop.draft_for(many(12), {{"rate", 4}});
  const auto before = std::chrono::steady_clock::now();
  shop.run(campaign);
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(2'900));   // the first after a quarter of a second
  CHECK(shop.rows("messages") == 12);
}

TEST_CASE("campaigns: a sender who goes ends it, and who comes back goes on", "[api][campaigns][ws]") {
  Shop shop;
  auto backend = shop.connect("");
  const Json later{{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}};
  const auto campaign = shop.draft_for({"alice", "bob"}, later);
  shop.start(campaign);
  REQUIRE(shop.server().post("/v1/users/shop/deactivate").status == 200);
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  CHECK(shop.run_until(campaign, "failed")["reason"] == "sender_gone");
  CHECK(hear(backend, "campaign.failed")["data"]["campaign"]["reason"] == "sender_gone");
  REQUIRE(shop.server().post("/v1/users/shop/reactivate").status == 200);
  REQUIRE(shop.act(campaign, "resend").status == 200);
  CHECK(shop.run_until(campaign, "completed")["progress"]["sent"] == 2);
  CHECK(shop.rows("messages") == 2);
}

TEST_CASE("campaigns: a direct channel is the one that users would have opened themselves", "[api][campaigns]") {
  Shop shop({"Zed", "alice_1", "a.b@c"});
  shop.run(shop.draft_for({"Zed", "alice_1", "a.b@c"}));
  for (const char* user : {"Zed", "alice_1", "a.b@c"}) {
    const auto opened = shop.user(user).post("/v1/channels/messaging", {{"members", {"shop"}}});
    CHECK(opened.status == 200);
    CHECK(opened.body["channel"]["id"] == channels::distinct_id({user, "shop"}));
  }
  CHECK(shop.rows("channels") == 3);
  const auto without = shop.draft_for({"Zed"}, {{"channel", {{"type", "team"}, {"create", false}}}});
  shop.run(without);
  CHECK(shop.recipients(without, "skipped").at("Zed")["reason"] == "no_channel");
}

TEST_CASE("campaigns: a plan without them refuses, and pauses what was begun", "[api][campaigns][limits]") {
  Shop shop({"alice"}, {{"message_bytes", {{"hard", 20'000}}}});   // one node: the other would know of the plan later
  const auto campaign = shop.draft_for({"alice"}, {{"schedule", {{"at", format_time(system_clock().now() + std::chrono::hours(1)).substr(0, 19)}}}});
  shop.start(campaign);
  auto operators = Service::get().operators();
  REQUIRE(operators.put("/operator/v1/plans/p-" + shop.id().substr(4), {{"name", "Less"}, {"limits", Json::array()}, {"features", {{"campaigns", false}}}}).status / 100 == 2);
  REQUIRE(operators.patch("/operator/v1/applications/" + shop.id(), {{"set", {{"plan", "p-" + shop.id().substr(4)}}}}).status == 200);
  eventually("the plan holds", [&] { return shop.server().get("/v1/campaigns").code() == "limit_reached"; });
  shop.sql("update campaigns set starts_at = now() where status = 'scheduled'");
  eventually("it is paused", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.rows("campaigns", "status = 'paused' and reason = 'plan'") == 1;
  });
  CHECK(shop.rows("messages") == 0);
}

TEST_CASE("campaigns: keeping a page's ends reads that page, however many wait", "[api][campaigns]") {
  Shop shop;
  const auto campaign = shop.draft_for({"alice"});
  Probe probe(superuser_database().dsn);
  probe.run("begin; set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off");   // rolled back: no node sees these
  const auto ours = "app_id = '" + AppId::parse(shop.id())->text() + "'";
  probe.run("insert into campaign_recipients (app_id, campaign_id, target_id, due_at, updated_at) "
            "select app_id, id, gen_random_uuid(), now(), now() from campaigns, generate_series(1, 3000) where " + ours);
  const auto read = [&] { return std::stoll(probe.value("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'campaign_recipients'")); };
  probe.run("prepare keep_ends (uuid, uuid, uuid[], text[], text[], text[], text[], text[], uuid[], timestamptz, timestamptz) as " +
            std::string(campaigns::sql::keep_ends.text));
  const auto page = probe.rows("select app_id, campaign_id, array_agg(target_id) from (select * from campaign_recipients where " + ours +
                               " and due_at is not null limit 8) few group by 1, 2").at(0);
  const auto before = read();
  const auto kept = probe.rows("execute keep_ends ('" + page[0] + "', '" + page[1] + "', '" + page[2] + "', array_fill('failed'::text, '{8}'), array_fill('internal_error'::text, '{8}'), " +
                               "array_fill(null::text, '{8}'), array_fill(''::text, '{8}'), array_fill(''::text, '{8}'), array_fill(null::uuid, '{8}'), now(), now())");
  CHECK(kept.size() == 8);
  CHECK(read() - before <= 16);
  probe.run("rollback");
}
