#include <catch2/catch.hpp>

#include <thread>

#include "tests/api/service/campaigns_stage.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string clock_of(std::chrono::milliseconds from_now, std::chrono::hours offset = std::chrono::hours(0)) {
  return format_time(system_clock().now() + from_now + offset).substr(0, 19);
}

/// As the ledger has it.
std::string months_usage(const TestApp& app) {
  return Probe(superuser_database().dsn).value("select coalesce(sum(value), 0) from usage_metrics where meter = 'campaign_recipients' and app_id = '" +
                                               AppId::parse(app.id())->text() + "'");
}

}  // namespace

TEST_CASE("campaigns: everybody gets it once, in a direct channel with the sender, and the backend hears of it", "[api][campaigns][ws]") {
  Shop shop;
  auto backend = shop.connect("");
  auto alice = shop.connect("alice");
  REQUIRE(shop.user("bob").post("/v1/channels/messaging", {{"members", {"shop"}}}).status == 201);   // there already
  REQUIRE(shop.server().patch("/v1/users/alice", {{"set", {{"name", "Alice"}}}}).status == 200);
  const auto campaign = shop.draft_for({"alice", "bob"});
  CHECK(campaign["status"] == "draft");
  CHECK(shop.rows("messages") == 0);
  const auto done = shop.run(campaign);
  CHECK(hear(backend, "campaign.started")["data"]["campaign"]["id"] == campaign["id"]);
  CHECK(hear(backend, "campaign.completed")["data"]["campaign"]["status"] == "completed");
  CHECK(hear(alice, "channel.created")["data"]["channel"]["member_count"] == 2);
  const auto message = hear(alice, "message.new")["data"]["message"];
  CHECK(message["text"] == "Hi Alice");
  CHECK(message["user_id"] == "shop");
  CHECK_FALSE(alice.find("campaign.completed", std::chrono::milliseconds(150)));
  CHECK(shop.inbox("bob") == Texts{"Hi there"});
  CHECK(done["progress"]["recipients"] == 2);
  CHECK(done["progress"]["sent"] == 2);
  CHECK(done["progress"]["waiting"] == 0);
  CHECK(shop.recipients(campaign)["alice"]["message_id"] == message["id"]);
  CHECK(shop.rows("channels") == 2);
  CHECK(months_usage(shop) == "2");
  CHECK(shop.act(campaign, "start").code() == "conflict");
  CHECK(shop.rows("messages") == 2);
}

TEST_CASE("campaigns: to channels, and to segments of users, each once though it is in two", "[api][campaigns]") {
  Shop shop({"alice", "bob", "carol"});
  shop.add_channel("one", {"alice", "shop"});
  shop.add_channel("two", {"bob"});
  auto server = shop.server();
  const auto to_channels = shop.draft({{"of", "channels"}, {"recipients", {"messaging:one", Json{{"id", "messaging:two"}, {"data", {{"door", 7}}}}}},
                                       {"variants", {{{"text", "News in {{channel.id}}, door {{data.door|none}}"}}}}});
  shop.run(to_channels);
  CHECK(shop.inbox("alice") == Texts{"News in one, door none"});
  CHECK(shop.inbox("bob") == Texts{"News in two, door 7"});
  CHECK(shop.recipients(to_channels, "sent").at("messaging:two")["data"] == Json{{"door", 7}});
  const auto list = server.post("/v1/segments", {{"name", "List"}, {"of", "users"}, {"targets", {"alice", "bob"}}}).body["segment"]["id"];
  const auto saved = server.post("/v1/segments", {{"name", "Saved"}, {"of", "users"}, {"filter", {{"user_id", {{"$in", {"bob", "carol"}}}}}}}).body["segment"]["id"];
  const auto to_segments = shop.draft({{"segments", {list, saved}}, {"recipients", {"alice"}}, {"variants", {{{"text", "Hello"}}}}});
  CHECK(server.del("/v1/segments/" + list.get<std::string>()).code() == "conflict");
  const auto done = shop.run(to_segments);
  CHECK(done["progress"]["sent"] == 3);
  for (const char* user : {"alice", "bob", "carol"}) {
    const auto texts = shop.inbox(user);
    CHECK(std::count(texts.begin(), texts.end(), "Hello") == 1);
  }
  CHECK(server.del("/v1/segments/" + list.get<std::string>()).status == 204);
}

TEST_CASE("campaigns: who must not or does not want to get it is skipped, with the reason", "[api][campaigns][blocks][bans]") {
  Shop shop({"alice", "blocker", "gone", "away", "banned", "muter", "quiet", "picky", "deaf"});
  auto server = shop.server();
  const auto campaign = shop.draft_for({"alice", "blocker", "gone", "away", "banned", "muter", "quiet", "picky", "deaf", "shop"}, {{"category", "offers"}});
  REQUIRE(shop.user("blocker").post("/v1/users/blocker/blocks", {{"target_id", "shop"}}).status / 100 == 2);
  REQUIRE(server.del("/v1/users/gone").status == 204);
  REQUIRE(server.post("/v1/users/away/deactivate").status == 200);
  REQUIRE(server.put("/v1/bans/banned", Json::object()).status == 200);
  REQUIRE(shop.user("muter").post("/v1/users/muter/mutes", {{"target_id", "shop"}}).status / 100 == 2);
  const auto set = [&](const char* user, const Json& preferences) {
    return shop.user(user).put(std::string("/v1/users/") + user + "/campaign_preferences", preferences);
  };
  CHECK(set("quiet", {{"campaigns", false}}).body["campaign_preferences"]["campaigns"] == false);
  CHECK(set("picky", {{"categories_off", {"offers", "news"}}}).status == 200);
  CHECK(set("deaf", {{"categories_off", {"news"}}}).status == 200);
  CHECK(shop.user("picky").get("/v1/users/picky/campaign_preferences").body["campaign_preferences"]["categories_off"] == Json({"news", "offers"}));
  CHECK(shop.user("alice").put("/v1/users/picky/campaign_preferences", Json::object()).code() == "forbidden");
  const auto trial = shop.act(campaign, "dry_run").body["dry_run"];
  CHECK(trial["would_be_sent"] == 2);
  CHECK(shop.rows("messages") == 0);
  const auto done = shop.run(campaign);
  std::map<std::string, std::string> reasons;
  for (const auto& [user, one] : shop.recipients(campaign, "skipped")) reasons[user] = one["reason"];
  reasons.erase("");
  CHECK(reasons == std::map<std::string, std::string>{{"blocker", "blocked"}, {"gone", "deleted"}, {"away", "deactivated"}, {"banned", "banned"}, {"muter", "muted"},
                                                      {"quiet", "opted_out"}, {"picky", "opted_out"}, {"shop", "sender"}});
  CHECK(done["progress"]["sent"] == 2);
  CHECK(done["progress"]["skipped"] == 8);
  CHECK(shop.rows("messages") == 2);
  CHECK(months_usage(shop) == "2");
  const auto loud = shop.draft_for({"muter"}, {{"skip_muted", false}});
  CHECK(shop.run(loud)["progress"]["sent"] == 1);
}

TEST_CASE("campaigns: texts by language, values by recipient, and nothing half said", "[api][campaigns]") {
  Shop shop({"alice", "bob", "carol", "dave"});
  auto server = shop.server();
  REQUIRE(shop.user("alice").put("/v1/push/preferences", {{"language", "de"}}).status == 200);
  REQUIRE(server.patch("/v1/users/bob", {{"set", {{"custom", {{"language", "pt-BR"}, {"points", 12}}}}}}).status == 200);
  const auto campaign = shop.draft({{"recipients", {{{"id", "alice"}, {"data", {{"code", "A-1"}}}}, {{"id", "bob"}, {"data", {{"code", "B-2"}}}}, {{"id", "carol"}, {"data", {{"code", "C\\{{"}}}}, "dave"}},
                                    {"variants", {{{"text", "Code {{ data.code }}, {{user.custom.points|no}} points \\{{x}}"}, {"texts", {{"de", "Kode {{data.code}}"}, {"pt", "Código {{data.code}}, {{user.custom.points}}"}}}}}}});
  const auto trial = shop.act(campaign, "dry_run", {{"samples", 4}}).body["dry_run"];
  CHECK(trial["skipped"] == Json({{{"reason", "missing_variable"}, {"count", 1}}}));
  CHECK(trial["samples"].size() == 3);
  shop.run(campaign);
  CHECK(shop.inbox("alice") == Texts{"Kode A-1"});
  CHECK(shop.inbox("bob") == Texts{"Código B-2, 12"});
  CHECK(shop.inbox("carol") == Texts{"Code C\\{{, no points {{x}}"});
  CHECK(shop.inbox("dave").empty());
  CHECK(shop.recipients(campaign, "failed")["dave"]["reason"] == "missing_variable");
  REQUIRE(shop.act(campaign, "resend").status == 200);
  CHECK(shop.run_until(campaign, "completed")["progress"]["failed"] == 1);
  CHECK(shop.rows("messages") == 3);
}

TEST_CASE("campaigns: variants divide the recipients by weight, always alike, and are counted apart", "[api][campaigns]") {
  std::vector<std::string> users;
  for (int i = 0; i < 60; ++i) users.push_back("u" + std::to_string(i));
  Shop shop(users);
  const auto campaign = shop.draft_for(users, {{"variants", {{{"name", "short"}, {"text", "S"}}, {{"name", "long"}, {"weight", 3}, {"text", "L"}}}}});
  const auto trial = shop.act(campaign, "dry_run", {{"samples", 0}}).body["dry_run"];
  const auto done = shop.run(campaign);
  std::int64_t sent = 0;
  for (int i = 0; i < 2; ++i) {
    CHECK(done["progress"]["variants"][i]["name"] == trial["variants"][i]["name"]);
    CHECK(done["progress"]["variants"][i]["sent"] == trial["variants"][i]["count"]);
    sent += done["progress"]["variants"][i]["sent"].get<std::int64_t>();
  }
  CHECK(sent == 60);
  CHECK(done["progress"]["variants"][0]["sent"] < done["progress"]["variants"][1]["sent"]);
  const auto all = shop.recipients(campaign);
  for (const auto& user : {"u0", "u1", "u2"}) CHECK(shop.inbox(user) == Texts{all.at(user)["variant"] == "short" ? "S" : "L"});
}

TEST_CASE("campaigns: delivered and read are what the marks say, each recipient once", "[api][campaigns]") {
  Shop shop({"alice", "bob", "carol"});
  const auto campaign = shop.draft_for({"alice", "bob", "carol"});
  auto progress = shop.run(campaign)["progress"];
  CHECK(progress["delivered"] == 0);
  const auto of = shop.recipients(campaign);
  const auto channel = [&](const char* user) { return of.at(user)["cid"].get<std::string>(); };
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(shop.user("alice").post("/v1/delivered", {{"channels", {{{"cid", channel("alice")}}}}}).status / 100 == 2);
    REQUIRE(shop.user("bob").post("/v1/channels/messaging/" + channel("bob").substr(10) + "/read").status / 100 == 2);
  }
  shop.server().post("/v1/channels/messaging/" + channel("bob").substr(10) + "/messages", {{"text", "later"}, {"user_id", "shop"}});
  progress = shop.show(campaign)["progress"];
  CHECK(progress["delivered"] == 2);
  CHECK(progress["read"] == 1);
  CHECK(progress["variants"][0]["read"] == 1);
  const auto now = shop.recipients(campaign, "sent");
  CHECK(now.at("alice")["delivered"] == true);
  CHECK(now.at("alice")["read"] == false);
  CHECK(now.at("bob")["read"] == true);
  CHECK(now.at("carol")["delivered"] == false);
}

TEST_CASE("campaigns: only legal moves, and a paused one sends nothing until it goes on", "[api][campaigns][ws]") {
  Shop shop;
  auto backend = shop.connect("");
  const auto campaign = shop.draft_for({"alice", "bob"}, {{"schedule", {{"at", clock_of(std::chrono::hours(2))}}}});
  for (const char* act : {"pause", "resume", "stop", "resend"}) CHECK(shop.act(campaign, act).code() == "conflict");
  CHECK(shop.start(campaign)["status"] == "scheduled");
  CHECK(shop.server().patch(Shop::path_of(campaign), {{"set", {{"name", "x"}}}}).code() == "conflict");
  CHECK(shop.server().del(Shop::path_of(campaign)).code() == "conflict");
  CHECK(shop.act(campaign, "recipients", {{"recipients", {"alice"}}}).code() == "conflict");
  CHECK(shop.act(campaign, "pause").body["campaign"]["status"] == "paused");
  CHECK(hear(backend, "campaign.paused")["data"]["campaign"]["id"] == campaign["id"]);
  shop.sql("update campaigns set starts_at = now() where status = 'paused'");
  Service::get().node().run_job("send_campaigns");
  CHECK(shop.rows("messages") == 0);
  CHECK(shop.act(campaign, "resume").body["campaign"]["status"] == "scheduled");
  shop.run_until(campaign, "completed");
  CHECK(shop.rows("messages") == 2);
  for (const char* act : {"start", "pause", "resume", "stop", "resend"}) CHECK(shop.act(campaign, act).code() == "conflict");
  const auto other = shop.draft_for({"alice"}, {{"schedule", {{"at", clock_of(std::chrono::hours(2))}}}});
  shop.start(other);
  CHECK(shop.act(other, "stop").body["campaign"]["status"] == "stopped");
  CHECK(hear(backend, "campaign.stopped")["data"]["campaign"]["id"] == other["id"]);
  CHECK(shop.act(other, "start").code() == "conflict");
  CHECK(shop.server().del(Shop::path_of(other)).status == 204);
  CHECK(shop.server().get(Shop::path_of(other)).code() == "not_found");
  CHECK(shop.server().get("/v1/campaigns?status=completed").body["campaigns"].size() == 1);
}

TEST_CASE("campaigns: at a time of a zone, and at each user's own", "[api][campaigns]") {
  Shop shop({"east", "west", "none", "posix", "far"});
  REQUIRE(shop.server().patch("/v1/users/east", {{"set", {{"custom", {{"time_zone", "Asia/Tokyo"}}}}}}).status == 200);
  REQUIRE(shop.server().patch("/v1/users/west", {{"set", {{"custom", {{"time_zone", "No/Where"}}}}}}).status == 200);
  REQUIRE(shop.server().patch("/v1/users/posix", {{"set", {{"custom", {{"time_zone", "UTC+3"}}}}}}).status == 200);   // to PostgreSQL three hours west
  REQUIRE(shop.server().patch("/v1/users/far", {{"set", {{"custom", {{"time_zone", "FOO+167"}}}}}}).status == 200);   // a week
  const auto at = shop.draft_for({"east"}, {{"schedule", {{"at", "2099-07-01T09:00"}, {"time_zone", "Europe/Berlin"}}}});
  CHECK(shop.act(at, "start").code() == "conflict");                             // more than a year ahead
  const auto soon = shop.draft_for({"east"}, {{"schedule", {{"at", clock_of(std::chrono::hours(3), std::chrono::hours(9))}, {"time_zone", "Asia/Tokyo"}}}});
  const auto starts = parse_time(shop.start(soon)["starts_at"].get<std::string>());
  CHECK(*starts - system_clock().now() < std::chrono::hours(3) + std::chrono::seconds(1));
  CHECK(*starts - system_clock().now() > std::chrono::hours(2));
  // Nine hours from now in UTC is the past in Tokyo, where it is that time now.
  const auto local = shop.draft_for({"east", "west", "none", "posix", "far"}, {{"schedule", {{"local_time", clock_of(std::chrono::hours(8))}, {"time_zone", "UTC"}}}});
  shop.start(local);
  eventually("the one in the east has it", [&] {
    Service::get().node().run_job("send_campaigns");
    return shop.show(local)["progress"]["sent"] == 1;
  });
  CHECK(shop.inbox("east").size() == 1);
  const auto waiting = shop.recipients(local, "waiting");
  for (const char* nowhere : {"west", "posix", "far"}) CHECK(waiting.at("none")["due_at"] == waiting.at(nowhere)["due_at"]);
  CHECK(shop.show(local)["status"] == "sending");
  const auto over = shop.draft_for({"east"}, {{"schedule", {{"at", "2020-01-01T09:00"}}}});
  CHECK(shop.act(over, "start").code() == "conflict");
  CHECK(shop.act(over, "start").pointer() == "#/schedule/at");
}

TEST_CASE("campaigns: while nobody is due yet, whoever is planned beside them looks for nobody", "[api][campaigns]") {
  Shop shop({"alice", "bob"});
  const auto campaign = shop.draft_for({"alice", "bob"}, {{"schedule", {{"local_time", clock_of(std::chrono::hours(8))}, {"time_zone", "UTC"}}}});
  shop.start(campaign);
  const auto plan_until_next_is = [&](const std::string& due) {
    eventually("they are planned", [&] {
      Service::get().node().run_job("send_campaigns");
      return shop.rows("campaigns", "planned and next_at = " + due) == 1;
    });
  };
  plan_until_next_is("(select min(due_at) from campaign_recipients r where r.app_id = campaigns.app_id)");
  const auto soon = "'" + format_time(system_clock().now() + std::chrono::hours(2)) + "'";   // whoever looked would find that the first is due later
  shop.sql("update campaigns set planned = false, plan_place = '', next_at = " + soon + " where true");
  plan_until_next_is(soon);
  CHECK(shop.rows("messages") == 0);
}

TEST_CASE("campaigns: a mistake is refused where it is, and leaves nothing", "[api][campaigns][tenancy][permissions]") {
  Shop shop, other;
  auto server = shop.server();
  const auto refused = [&](const Json& more) {
    Json body{{"name", "Sale"}, {"sender_id", "shop"}, {"variants", {{{"text", "Hi"}}}}};
    body.update(more);
    return server.post("/v1/campaigns", body);
  };
  const auto broken = refused({{"variants", {{{"text", "Hi\nyou é {{user.nme}}"}}}}});
  CHECK(broken.pointer() == "#/variants/0/text");
  CHECK(broken.body["errors"][0]["detail"].get<std::string>().starts_with("2:7: There is no variable user.nme here; did you mean user.name?"));
  CHECK(refused({{"variants", {{{"text", "Hi"}, {"texts", {{"de", "{{user.name"}}}}}}}).pointer() == "#/variants/0/texts/de");
  CHECK(refused({{"of", "channels"}, {"variants", {{{"text", "{{user.name}}"}}}}}).pointer() == "#/variants/0/text");
  CHECK(refused({{"variants", Json::array()}}).pointer() == "#/variants");
  CHECK(refused({{"variants", {Json::object()}}}).pointer() == "#/variants/0/text");
  CHECK(refused({{"schedule", {{"at", "tomorrow"}}}}).pointer() == "#/schedule/at");
  CHECK(refused({{"schedule", {{"at", "2026-12-01T09:00"}, {"local_time", "2026-12-01T09:00"}}}}).pointer() == "#/schedule/at");
  CHECK(refused({{"schedule", {{"at", "2026-12-01T09:00"}, {"time_zone", "Mars/Olympus"}}}}).pointer() == "#/schedule/time_zone");
  CHECK(refused({{"sender_id", "nobody"}}).pointer() == "#/sender_id");
  CHECK(refused({{"channel", {{"type", "nothing"}}}}).pointer() == "#/channel/type");
  CHECK(refused({{"channel", {{"type", "messaging"}, {"team", "nothing"}}}}).pointer() == "#/channel/team");
  CHECK(refused({{"recipients", {"alice", "nobody"}}}).pointer() == "#/recipients/1");
  CHECK(refused({{"recipients", {"alice", "alice"}}}).pointer() == "#/recipients/1");
  CHECK(refused({{"segments", {"seg_01m7yzmjq2e60tak362xesvjfr"}}}).pointer() == "#/segments/0");
  CHECK(refused({{"rate", 0}}).pointer() == "#/rate");
  CHECK(refused({{"colour", 1}}).code() == "unknown_field");
  CHECK(shop.rows("campaigns") == 0);
  CHECK(shop.rows("campaign_recipients") == 0);
  const auto campaign = shop.draft();
  CHECK(shop.act(campaign, "start").code() == "conflict");                       // nobody to write to
  CHECK(server.patch(Shop::path_of(campaign), {{"set", {{"variants", {{{"text", "{{x}}"}}}}}}}).pointer() == "#/set/variants/0/text");
  CHECK(server.patch(Shop::path_of(campaign), {{"set", {{"rate", 5}}}}).body["campaign"]["rate"] == 5);
  CHECK_FALSE(server.patch(Shop::path_of(campaign), {{"unset", {"rate"}}}).body["campaign"].contains("rate"));
  CHECK(server.patch(Shop::path_of(campaign), {{"unset", {"name"}}}).pointer() == "#/unset/0");
  CHECK(shop.act(campaign, "recipients", {{"recipients", {"alice", {{"id", "bob"}, {"data", {{"a", 1}}}}}}}).status == 204);
  CHECK(shop.act(campaign, "recipients/remove", {{"recipients", {"alice"}}}).status == 204);
  CHECK(shop.recipients(campaign).size() == 1);
  CHECK(shop.user("alice").get(Shop::path_of(campaign)).code() == "forbidden");
  CHECK(shop.user("alice").post("/v1/campaigns", Json::object()).code() == "forbidden");
  auto stranger = other.server();
  for (const char* act : {"start", "pause", "resume", "stop", "resend", "dry_run"}) CHECK(stranger.post(Shop::path_of(campaign, std::string("/") + act)).code() == "not_found");
  CHECK(stranger.get(Shop::path_of(campaign)).code() == "not_found");
  CHECK(stranger.get(Shop::path_of(campaign, "/recipients")).code() == "not_found");
  CHECK(stranger.post(Shop::path_of(campaign, "/recipients"), {{"recipients", {"alice"}}}).code() == "not_found");
  CHECK(stranger.del(Shop::path_of(campaign)).code() == "not_found");
  CHECK(stranger.get("/v1/campaigns").body["campaigns"].empty());
}

TEST_CASE("campaigns: what users set and what was given for them is theirs: exported, and gone when they are", "[api][campaigns][exports]") {
  Shop shop;
  const auto campaign = shop.draft({{"recipients", {{{"id", "alice"}, {"data", {{"code", "secret"}}}}}}});
  shop.run(campaign);
  REQUIRE(shop.user("alice").put("/v1/users/alice/campaign_preferences", {{"campaigns", false}}).status == 200);
  const auto task = shop.server().post("/v1/users/alice/export").body["task"]["task_id"].get<std::string>();
  eventually("the export is done", [&] {
    Service::get().node().run_job("run_tasks");
    return shop.server().get("/v1/tasks/" + task).body["task"]["status"] == "done";
  });
  const auto exported = shop.server().get("/v1/tasks/" + task + "/parts/1").http.body;
  CHECK(exported.find(R"("kind":"campaign","data":{"data": {"code": "secret"})") != std::string::npos);
  CHECK(exported.find(R"("kind":"campaign_opt_out")") != std::string::npos);
  REQUIRE(shop.server().del("/v1/users/alice?mode=hard").status == 204);
  CHECK(shop.rows("campaign_recipients", "given is not null") == 0);
  eventually("what she set is gone", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return shop.rows("campaign_opt_outs") == 0;
  });
  CHECK(shop.show(campaign)["progress"]["sent"] == 1);
}
