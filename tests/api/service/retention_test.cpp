#include <catch2/catch.hpp>

#include "tests/support/aging.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
using Strings = std::vector<std::string>;

Strings texts(const Answer& answer) {
  Strings shown;
  for (const auto& message : answer.body["messages"]) shown.push_back(message["text"]);
  return shown;
}

void keep(TestApp& app, int days) {
  CHECK(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"retention_days", days}}}}).status == 200);
  Service::get().node().run_job("keep_retention");
}

struct Stage {
  TestApp app;
  Stage() {
    app.add_users({"alice", "bob"});
    app.add_channel("general", {"alice", "bob"});
  }
};

}  // namespace

TEST_CASE("retention: what is older goes for good, what is younger stays", "[api][retention]") {
  Stage stage;
  auto& app = stage.app;
  app.send("alice", "general", "oldest");
  age(app, 10);
  app.send("alice", "general", "older");
  age(app, 5);
  app.send("alice", "general", "young");
  keep(app, 30);
  CHECK(texts(app.user("bob").get(kMessages)) == Strings{"oldest", "older", "young"});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 3);
  keep(app, 7);                                // a change of the days holds today
  CHECK(texts(app.user("bob").get(kMessages)) == Strings{"older", "young"});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 2);
  keep(app, 2);
  CHECK(texts(app.user("bob").get(kMessages)) == Strings{"young"});
  CHECK(app.user("bob").get("/v1/unread").body["total"] == 1);
  eventually("the removal", [&] { return Service::get().node().run_job("finish_truncations"), app.rows("truncations") == 0; });
  CHECK(app.rows("messages", "text <> ''") == 1);
  CHECK(app.rows("messages") == 2);            // the oldest row is gone, the other one empty until no nonce can name it
  auto next = app.send("bob", "general", "next");
  CHECK(next["message_seq"] == 4);
  keep(app, 0);
  CHECK(texts(app.user("bob").get(kMessages)) == Strings{"young", "next"});
}

TEST_CASE("retention: is told once a day, and only where something went", "[api][retention][ws]") {
  Stage stage;
  auto& app = stage.app;
  app.send("alice", "general", "old");
  age(app, 5);
  app.add_channel("fresh", {"alice", "bob"});
  app.send("alice", "fresh", "new");
  auto bob = app.connect("bob");
  keep(app, 2);
  auto event = hear(bob, "channel.truncated");
  CHECK(event["cid"] == "messaging:general");
  CHECK(event["data"]["hard"] == true);
  CHECK_FALSE(event["data"].contains("user_id"));
  for (int i = 0; i < 3; ++i) Service::get().node().run_job("keep_retention");
  CHECK(app.rows("channel_events", "type = 'channel.truncated'") == 1);
  CHECK(app.rows("retention_sweeps", "complete") == 1);
}

TEST_CASE("retention: of one type and one application leaves the others alone", "[api][retention][tenancy]") {
  Stage stage, other;
  for (auto* one : {&stage, &other}) {
    one->app.add_users({"carol"});
    one->app.server().post("/v1/channels/team/staff", {{"members", {"alice"}}});
    one->app.send("alice", "general", "old");
    one->app.server().post("/v1/channels/team/staff/messages", {{"text", "old"}, {"user_id", "alice"}});
    age(one->app, 5);
  }
  keep(stage.app, 1);
  CHECK(texts(stage.app.server().get(kMessages)).empty());
  CHECK(texts(stage.app.server().get("/v1/channels/team/staff/messages")) == Strings{"old"});
  CHECK(texts(other.app.server().get(kMessages)) == Strings{"old"});
}

TEST_CASE("retention: goes through many channels in slices", "[api][retention]") {
  TestApp app;
  app.add_users({"alice"});
  for (int i = 0; i < 3; ++i) {
    app.add_channel("c" + std::to_string(i), {"alice"});
    app.send("alice", "c" + std::to_string(i), "old");
  }
  age(app, 3);
  Probe probe(superuser_database().dsn);
  const auto uuid = AppId::parse(app.id())->text();
  probe.run("insert into channels (app_id, id, type, channel_id, created_at, updated_at) select '" + uuid +
            "', uuid7_floor(now() - n * interval '1 minute'), 'messaging', 'empty' || n, now(), now() from generate_series(1, 450) n");
  keep(app, 1);
  CHECK(app.rows("retention_sweeps", "complete") == 1);
  CHECK(app.rows("channels", "truncated_message_id is not null") == 3);
}

TEST_CASE("retention: days are bounded, and shown with the type", "[api][retention][types]") {
  TestApp app;
  auto patch = [&](const Json& days) { return app.server().patch("/v1/channel_types/team", {{"settings", {{"retention_days", days}}}}); };
  CHECK(patch(-1).pointer() == "#/settings/retention_days");
  CHECK(patch(3651).pointer() == "#/settings/retention_days");
  CHECK(patch(30).body["channel_type"]["settings"]["retention_days"] == 30);
  CHECK(app.server().get("/v1/channel_types/team").body["channel_type"]["settings"]["retention_days"] == 30);
  CHECK(app.server().get("/v1/channel_types/messaging").body["channel_type"]["settings"]["retention_days"] == 0);
}
