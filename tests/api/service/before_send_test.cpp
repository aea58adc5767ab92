#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kHook = "/v1/webhooks/before_message_send";

http::Response says(const Json& body) { return http::json(200, body.dump()); }

/// alice and bob in a channel, whose messages `judge` is asked about.
struct Judged : TestApp {
  explicit Judged(Json more = Json::object()) {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    Json body{{"url", judge.url("/judge")}};
    body.update(more);
    const auto made = server().put(kHook, body);
    REQUIRE(made.status == 201);
    secret = made.body["secret"];
  }
  Answer say(const std::string& text) { return user("bob").post(kMessages, {{"text", text}, {"custom", {{"k", 1}}}}); }
  Hooked judge;
  std::string secret;
};

}  // namespace

TEST_CASE("before send: the customer's server allows, changes, rejects or holds", "[api][before][webhooks]") {
  Judged app;
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    const std::string text = got.frame()["data"]["message"]["text"];
    if (text == "allow") respond(says({{"action", "allow"}}));
    else if (text == "silent") respond(http::no_content());
    else if (text == "change") respond(says({{"action", "change"}, {"message", {{"text", "ch****"}, {"custom", {{"masked", true}}}}}}));
    else if (text == "reject") respond(says({{"action", "reject"}, {"reason", "No reject here."}}));
    else respond(says({{"action", "hold"}}));
  });
  CHECK(app.say("allow").body["message"]["text"] == "allow");
  CHECK(app.say("silent").status == 201);
  const auto changed = app.say("change").body["message"];
  CHECK(changed["text"] == "ch****");
  CHECK(changed["custom"] == Json{{"masked", true}});
  const auto rejected = app.say("reject");
  CHECK(rejected.code() == "forbidden");
  CHECK(rejected.body["detail"] == "No reject here.");
  const auto held = app.say("hold");
  CHECK(held.status == 202);
  CHECK(held.body["pending_message"]["message"]["text"] == "hold");
  CHECK(app.rows("messages", "type = 'regular'") == 3);
  CHECK(app.rows("pending_messages") == 1);
  const auto got = app.judge.all().at(0);
  CHECK(Subscribed{"", app.secret}.verify(got) == "");
  CHECK(got.frame()["type"] == "before_message_send");
  CHECK(got.frame()["cid"] == "messaging:general");
  CHECK(got.frame()["data"]["message"]["user_id"] == "bob");
  CHECK(got.frame()["data"]["message"]["custom"]["k"] == 1);
}

TEST_CASE("before send: a changed text changes its command, or is none any more", "[api][before][webhooks][commands][ws]") {
  Judged app;
  REQUIRE(app.server().put("/v1/commands/shout", {{"description", "d"}}).status == 201);
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"shout"}}}}}).status == 200);
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    const bool stays = got.frame()["data"]["message"]["text"] == "/shout bad";
    respond(says({{"action", "change"}, {"message", {{"text", stays ? "/shout good" : "never mind"}}}}));
  });
  auto backend = app.connect("");
  CHECK_FALSE(app.say("/shout worse").body["message"].contains("command"));
  CHECK(app.say("/shout bad").body["message"]["command"] == Json({{"name", "shout"}, {"args", "good"}}));
  CHECK(hear(backend, "command.invoked")["data"]["command"]["args"] == "good");
}

TEST_CASE("before send: who forwards is asked, too", "[api][before][webhooks]") {
  Judged app;
  app.add_channel("source", {"alice", "bob"});
  const auto elsewhere = [&](const std::string& text) {
    return app.server().post("/v1/channels/messaging/source/messages", {{"user_id", "alice"}, {"text", text}}).body["message"]["id"];
  };
  const Json bad = elsewhere("bad"), good = elsewhere("good");
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    respond(says({{"action", got.frame()["data"]["message"]["text"] == "bad" ? "reject" : "allow"}}));
  });
  const auto forward = [&](const Json& id) {
    return app.user("bob").post(kMessages, {{"forward", {{"cid", "messaging:source"}, {"message_id", id}}}});
  };
  CHECK(forward(bad).code() == "forbidden");
  CHECK(forward(good).body["message"]["text"] == "good");
  CHECK(app.rows("messages", "type = 'regular'") == 3);
}

TEST_CASE("before send: what a poll asks is told, too", "[api][before][webhooks][polls]") {
  Judged app;
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    const auto poll = got.frame()["data"]["message"]["poll"];
    respond(says({{"action", poll["question"] == "bad" || poll["options"][1]["text"] == "bad" ? "reject" : "allow"}}));
  });
  const auto ask = [&](const char* question, const char* second) {
    return app.user("bob").post(kMessages, {{"poll", {{"question", question}, {"options", {"one", second}}}}});
  };
  CHECK(ask("bad", "two").code() == "forbidden");
  CHECK(ask("good", "bad").code() == "forbidden");
  CHECK(ask("good", "two").status == 201);
  CHECK(app.rows("messages", "type = 'regular'") == 1);
  REQUIRE(app.server().del(kHook).status == 204);
  const auto classifier = app.server().put("/v1/moderation/classifier", {{"url", app.judge.url()}, {"thresholds", {{{"label", "bad"}, {"at", 0.5}, {"then", "block"}}}}});
  REQUIRE(classifier.status == 201);
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    respond(says({{"labels", {{"bad", got.frame()["data"]["message"]["poll"]["question"] == "bad" ? 1 : 0}}}}));
  });
  CHECK(ask("bad", "two").code() == "forbidden");
  CHECK(ask("good", "three").status == 201);
}

TEST_CASE("before send: what was scheduled is asked about when it is sent", "[api][before][webhooks][scheduled]") {
  Judged app;
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    const std::string text = got.frame()["data"]["message"]["text"];
    if (text == "change") return respond(says({{"action", "change"}, {"message", {{"text", "ch****"}}}}));
    respond(says({{"action", text}, {"reason", "Not even later."}}));
  });
  auto bob = app.user("bob");
  for (const char* text : {"allow", "change", "reject", "hold"})
    REQUIRE(bob.post("/v1/channels/messaging/general/scheduled_messages",
                     {{"message", {{"text", text}}}, {"send_at", format_time(system_clock().now() + std::chrono::hours(1))}}).status == 201);
  CHECK(app.judge.all().empty());
  Probe(superuser_database().dsn).run("update scheduled_messages set send_at = now() - interval '1 second' where app_id = '" + AppId::parse(app.id())->text() + "'");
  eventually("all but the refused one are gone", [&] {
    Service::get().node().run_job("send_scheduled");
    return app.rows("scheduled_messages") == 1 && app.rows("scheduled_messages", "failed_code is not null") == 1;
  });
  const auto refused = bob.get("/v1/scheduled_messages").body["scheduled_messages"][0];
  CHECK(refused["message"]["text"] == "reject");
  CHECK(refused["error"]["code"] == "forbidden");
  CHECK(app.rows("messages", "text = 'allow'") == 1);
  CHECK(app.rows("messages", "text = 'ch****'") == 1);
  CHECK(app.rows("messages") == 2);
  CHECK(app.rows("pending_messages") == 1);
  CHECK(app.judge.all().size() == 4);
}

TEST_CASE("before send: without an answer in time the policy holds, and after five failures at once", "[api][before][webhooks]") {
  std::mutex mutex;
  std::vector<http::Responder> held;
  Judged app(Json{{"timeout_ms", 100}, {"on_failure", "reject"}});
  app.judge.answer_with([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  for (int i = 0; i < 24; ++i) CHECK(app.say("hello?").code() == "forbidden");
  CHECK(app.judge.all().size() <= 10);         // the breaker of each node lets five through; callers go round two
  CHECK(app.rows("messages", "type = 'regular'") == 0);
  app.judge.answer_with(204);
  const auto changed = app.server().put(kHook, {{"url", app.judge.url("/judge")}, {"on_failure", "allow"}});
  CHECK(changed.status == 200);
  CHECK_FALSE(changed.body.contains("secret"));
  CHECK(app.say("hello again").status == 201);
  const std::lock_guard lock(mutex);
  for (auto& respond : held) respond(http::no_content());
}

TEST_CASE("before send: an answer that is none counts as a failure", "[api][before][webhooks]") {
  Judged app(Json{{"on_failure", "hold"}});
  app.judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
    const std::string text = got.frame()["data"]["message"]["text"];
    if (text == "status") respond(http::json(500, "{}"));
    else if (text == "words") respond(says({{"action", "maybe"}}));
    else if (text == "nothing") respond(says({{"action", "change"}}));
    else respond({.status = 200, .body = "yes", .content_type = "text/plain"});
  });
  for (const auto* text : {"status", "words", "nothing", "text"}) CHECK(app.say(text).status == 202);
  CHECK(app.rows("pending_messages") == 4);
}

TEST_CASE("before send: servers are not asked, nor other channel types, and nobody when it is gone", "[api][before][webhooks]") {
  Judged app(Json{{"channel_types", {"team"}}});
  CHECK(app.say("another type").status == 201);
  REQUIRE(app.server().put(kHook, {{"url", app.judge.url()}}).status == 200);
  CHECK(app.server().post(kMessages, {{"text", "from the backend"}, {"user_id", "bob"}}).status == 201);
  CHECK(app.judge.all().empty());
  CHECK(app.say("asked").status == 201);
  CHECK(app.judge.all().size() == 1);
  CHECK(app.server().get(kHook).body["before_message_send"]["timeout_ms"] == 1500);
  CHECK(app.server().put(kHook, {{"url", app.judge.url()}, {"new_secret", true}}).body["secret"] != app.secret);
  CHECK(app.server().del(kHook).status == 204);
  CHECK(app.say("not asked").status == 201);
  CHECK(app.judge.all().size() == 1);
  CHECK(app.server().get(kHook).code() == "not_found");
  CHECK(app.server().del(kHook).code() == "not_found");
}

TEST_CASE("before send: refused without a trace, and seen by its own application alone", "[api][before][webhooks][tenancy][permissions]") {
  Judged app;
  TestApp other;
  CHECK(app.user("alice").get(kHook).code() == "forbidden");
  CHECK(other.server().get(kHook).code() == "not_found");
  CHECK(other.server().put(kHook, {{"url", "gopher://x"}}).pointer() == "#/url");
  CHECK(other.server().put(kHook, {{"url", app.judge.url()}, {"timeout_ms", 60000}}).pointer() == "#/timeout_ms");
  CHECK(other.server().put(kHook, {{"url", app.judge.url()}, {"on_failure", "shrug"}}).pointer() == "#/on_failure");
  CHECK(other.rows("before_hooks") == 0);
  other.add_users({"bob"});
  other.add_channel("general", {"bob"});
  CHECK(other.user("bob").post(kMessages, {{"text", "mine"}}).status == 201);
  CHECK(app.judge.all().empty());
}

TEST_CASE("before send: when the key can't be read the policy holds, and nobody is asked", "[api][before][webhooks]") {
  Judged app(Json{{"on_failure", "reject"}});
  Probe(superuser_database().dsn).run("update before_hooks set sealed = decode(repeat('00', 64), 'hex') where app_id = '" + AppId::parse(app.id())->text() + "'");
  for (int i = 0; i < 2; ++i) CHECK(app.say("unjudged").code() == "forbidden");   // of each node
  CHECK(app.rows("messages", "type = 'regular'") == 0);
  CHECK(app.judge.all().empty());
  CHECK(app.server().put(kHook, {{"url", app.judge.url("/judge")}, {"on_failure", "reject"}, {"new_secret", true}}).status == 200);
  CHECK(app.say("judged").status == 201);
  CHECK(app.judge.all().size() == 1);
}

TEST_CASE("before send: a change that leaves nothing of a message refuses it", "[api][before][webhooks]") {
  Judged app;
  app.judge.answer_with([](const Hooked::Got&, const http::Responder& respond) { respond(says({{"action", "change"}, {"message", {{"text", ""}}}})); });
  CHECK(app.user("bob").post(kMessages, {{"text", "all of it"}}).code() == "forbidden");
  CHECK(app.rows("messages", "type = 'regular'") == 0);
  CHECK(app.say("all but custom").body["message"]["text"] == "");
}
