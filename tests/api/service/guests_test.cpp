#include <catch2/catch.hpp>

#include "platform/base/id.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

constexpr int kGuestsPerMinute = 300;          // where a plan says nothing

Actor stranger(const std::string& api_key) { return Actor(Service::get().port(), {{"X-API-Key", api_key}}); }

}  // namespace

TEST_CASE("guests: nobody becomes one until the application takes guests", "[api][guests]") {
  TestApp app;
  auto visitor = stranger(app.key());
  CHECK(visitor.post("/v1/guests").code() == "forbidden");
  CHECK(app.rows("users") == 0);
  app.set({{"guests", true}});
  auto made = visitor.post("/v1/guests", {{"name", "Visitor"}, {"custom", {{"from", "shop"}}}});
  REQUIRE(made.status == 201);
  CHECK(made.body["user"]["type"] == "guest");
  CHECK(made.body["user"]["user_id"].get<std::string>().rfind("guest-", 0) == 0);
  auto guest = app.with_token(made.body["token"]);
  CHECK(guest.get("/v1/users/" + made.body["user"]["user_id"].get<std::string>()).body["user"]["name"] == "Visitor");
  CHECK(stranger("key_00000000000000000000000000").post("/v1/guests").code() == "unauthenticated");
  CHECK(stranger("nonsense").post("/v1/guests").code() == "unauthenticated");
  CHECK(Actor(Service::get().port(), {}).post("/v1/guests").code() == "unauthenticated");
  CHECK(visitor.post("/v1/guests", {{"type", "regular"}}).pointer() == "#/type");
  CHECK(visitor.post("/v1/guests", {{"role", "admin"}}).code() == "unknown_field");
  CHECK(visitor.get("/v1/users/alice").code() == "unauthenticated");
  CHECK(app.rows("users") == 1);
}

TEST_CASE("guests: one talks where it is let in, and makes no channels", "[api][guests]") {
  TestApp app;
  app.set({{"guests", true}});
  app.add_users({"alice"});
  auto made = stranger(app.key()).post("/v1/guests");
  const std::string guest_id = made.body["user"]["user_id"];
  app.add_channel("general", {"alice"});
  auto guest = app.with_token(made.body["token"]);
  CHECK(guest.post("/v1/channels/messaging/own").code() == "forbidden");
  CHECK(app.rows("channels") == 1);
  CHECK(guest.post(kMessages, {{"text", "hi"}}).code() == "not_found");
  REQUIRE(app.server().post("/v1/channels/messaging/general/members", {{"members", {guest_id}}}).status == 200);
  CHECK(guest.post(kMessages, {{"text", "hi"}}).status == 201);
  CHECK(app.server().post("/v1/channels/messaging/for-it", {{"created_by", guest_id}}).status == 201);
  CHECK(guest.patch("/v1/users/" + guest_id, {{"set", {{"type", "regular"}}}}).code() == "forbidden");
  CHECK(app.server().patch("/v1/users/" + guest_id, {{"set", {{"type", "regular"}}}}).body["user"]["type"] == "regular");
  CHECK(guest.post("/v1/channels/messaging/own").status == 201);
}

TEST_CASE("guests: an anonymous user reads open channels and nothing else", "[api][guests]") {
  TestApp app;
  app.set({{"guests", true}});
  app.add_users({"alice"});
  REQUIRE(app.user("alice").post("/v1/channels/livestream/show").status == 201);
  app.user("alice").post("/v1/channels/livestream/show/messages", {{"text", "on air"}});
  auto made = stranger(app.key()).post("/v1/guests", {{"type", "anonymous"}});
  auto anonymous = app.with_token(made.body["token"]);
  auto channel = anonymous.get("/v1/channels/livestream/show");
  CHECK(channel.body["own_capabilities"] == Json({"chat:channel:read"}));
  CHECK(anonymous.get("/v1/channels/livestream/show/messages").body["messages"].size() == 1);
  CHECK(anonymous.post("/v1/channels/livestream/show/messages", {{"text", "x"}}).code() == "forbidden");
  CHECK(anonymous.post("/v1/channels/livestream/other").code() == "forbidden");
  CHECK(app.rows("messages") == 1);
}

TEST_CASE("guests: a token shown once is not shown again", "[api][guests][idempotency]") {
  TestApp app;
  app.set({{"guests", true}});
  auto visitor = stranger(app.key());
  REQUIRE(visitor.post("/v1/guests", Json::object(), {{"Idempotency-Key", "g1"}}).status == 201);
  CHECK(visitor.post("/v1/guests", Json::object(), {{"Idempotency-Key", "g1"}}).code() == "conflict");
  CHECK(app.rows("users") == 1);
}

TEST_CASE("guests: making them and what they ask has limits of its own", "[api][guests][limits]") {
  TestApp app(Json{{"guests_created", {{"hard", 60}, {"burst", 2}}}, {"guest_requests", {{"hard", 60}, {"burst", 3}}}});
  app.set({{"guests", true}});
  app.add_users({"alice"});
  auto visitor = stranger(app.key());
  auto made = visitor.post("/v1/guests");
  CHECK(visitor.post("/v1/guests").status == 201);
  auto refused = visitor.post("/v1/guests");
  CHECK(refused.code() == "rate_limited");
  CHECK(refused.http.header("retry-after"));
  CHECK(app.rows("users", "type = 'guest'") == 2);
  auto guest = app.with_token(made.body["token"]);
  for (int i = 0; i < 3; ++i) CHECK(guest.get("/v1/unread").status == 200);
  CHECK(guest.get("/v1/unread").code() == "rate_limited");
  for (int i = 0; i < 5; ++i) CHECK(app.user("alice").get("/v1/unread").status == 200);
}

TEST_CASE("guests: a plan that says nothing still bounds how many are made", "[api][guests][limits]") {
  TestApp app;
  app.set({{"guests", true}});
  auto made = stranger(app.key()).post("/v1/guests");
  CHECK_THAT(*made.http.header("ratelimit-policy"), Catch::Contains("\"guests\";q=" + std::to_string(kGuestsPerMinute)));
}

TEST_CASE("guests: those who made themselves end when they were away for the setting's days", "[api][guests][users][ws]") {
  TestApp app, other;
  for (auto* one : {&app, &other}) one->set({{"guests", true}});
  app.add_users({"alice"});
  REQUIRE(app.server().post("/v1/users", {{"users", {{{"user_id", "lead-7"}, {"type", "guest"}}, {{"user_id", "guest-of-honour"}, {"type", "guest"}}}}}).status == 200);
  const auto make = [](TestApp& in) {
    const auto made = stranger(in.key()).post("/v1/guests", {{"name", "Visitor"}}).body;
    return std::pair(made["user"]["user_id"].get<std::string>(), made["token"].get<std::string>());
  };
  const auto [gone, gone_token] = make(app);
  const auto [active, active_token] = make(app);
  const auto [fresh, fresh_token] = make(app);
  const auto [regular, regular_token] = make(app);
  const auto [theirs, their_token] = make(other);
  REQUIRE(app.server().patch("/v1/users/" + regular, {{"set", {{"type", "regular"}}}}).status == 200);
  app.add_channel("general", {"alice", gone});
  REQUIRE(app.with_token(gone_token).post(kMessages, {{"text", "hello"}}).status == 201);
  REQUIRE(app.with_token(active_token).get("/v1/unread").status == 200);
  eventually("every node has told who acted", [&] {
    Service::get().node().run_job("flush_usage");
    return app.rows("active_users", "user_id in ('" + gone + "', '" + active + "')") == 2;
  });
  Probe probe(superuser_database().dsn);
  const auto uuids = "('" + AppId::parse(app.id())->text() + "', '" + AppId::parse(other.id())->text() + "')";
  // Away for forty days: all but the fresh one; the active one was seen this month.
  probe.run("update users set created_at = now() - interval '40 days', last_active_at = null where app_id in " + uuids + " and user_id <> '" + fresh + "'");
  probe.run("delete from active_users where app_id in " + uuids + " and user_id <> '" + active + "'");
  other.set({{"guests", true}, {"guest_days", 60}});
  auto backend = app.connect("");
  const auto run = [&] { Service::get().node().run_job("expire_guests"); };
  eventually("the guest is gone", [&] {
    run();
    return app.rows("users", "deleted_at is not null") == 1;
  });
  CHECK(app.rows("users", "deleted_at is not null and user_id = '" + gone + "' and name is null") == 1);
  CHECK(hear(backend, "user.deleted")["data"]["user_id"] == gone);
  run();
  CHECK(app.rows("users", "deleted_at is not null") == 1);
  CHECK(other.rows("users", "deleted_at is not null") == 0);
  eventually("its token is dead", [&] { return app.with_token(gone_token).get("/v1/unread").code() == "user_deactivated"; });
  CHECK(app.user("alice").get(kMessages).body["messages"][0]["text"] == "hello");
  CHECK(app.with_token(fresh_token).get("/v1/unread").status == 200);
  other.set({{"guests", true}, {"guest_days", 20}});
  eventually("the other application's, too", [&] {
    run();
    return other.rows("users", "deleted_at is not null") == 1;
  });
  CHECK(other.rows("users", "deleted_at is not null and user_id = '" + theirs + "'") == 1);
}

TEST_CASE("guests: what keeps the tokens of a deleted one dead goes when they have expired by themselves", "[api][guests]") {
  TestApp app;
  app.set({{"guests", true}});
  const std::string first = stranger(app.key()).post("/v1/guests").body["user"]["user_id"], second = stranger(app.key()).post("/v1/guests").body["user"]["user_id"];
  app.add_users({"alice"});
  for (const auto& user : {first, second, std::string("alice")}) REQUIRE(app.server().del("/v1/users/" + user + "?mode=hard").status == 204);
  Probe(superuser_database().dsn).run("update users set deleted_at = now() - interval '31 days' where user_id in ('" + first + "', 'alice') and app_id = '" + AppId::parse(app.id())->text() + "'");
  eventually("it is forgotten", [&] {
    Service::get().node().run_job("expire_guests");
    return app.rows("user_revocations", "user_id = '" + first + "'") == 0;
  });
  CHECK(app.rows("user_revocations") == 2);
}

TEST_CASE("guests: an application keeps its guests for good when it says so, and nonsense is refused", "[api][guests]") {
  TestApp app;
  app.set({{"guests", true}, {"guest_days", 0}});
  REQUIRE(stranger(app.key()).post("/v1/guests").status == 201);
  Probe(superuser_database().dsn).run("update users set created_at = now() - interval '4000 days' where app_id = '" + AppId::parse(app.id())->text() + "'");
  Service::get().node().run_job("expire_guests");
  CHECK(app.rows("users", "deleted_at is not null") == 0);
  for (const auto& days : {Json(-1), Json(3651), Json("30")})
    CHECK(app.server().patch("/v1/app/settings", {{"set", {{"guest_days", days}}}}).pointer() == "#/set/guest_days");
  CHECK(app.server().patch("/v1/app/settings", {{"unset", {"guest_days"}}}).status == 200);
}
