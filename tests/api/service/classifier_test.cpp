#include <catch2/catch.hpp>

#include <mutex>
#include <thread>

#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kClassifier = "/v1/moderation/classifier";

http::Response scores(const Json& labels) { return http::json(200, Json{{"labels", labels}}.dump()); }

/// alice and bob in a channel, whose messages a classifier is asked about. It calls everything with "fool" in it toxic.
struct Judged : TestApp {
  explicit Judged(Json more = Json::object(), const Json& limits = Json::object()) : TestApp(limits) {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    judge.answer_with([](const Hooked::Got& got, const http::Responder& respond) {
      const std::string text = got.frame()["data"]["message"]["text"];
      respond(scores({{"toxicity", text.find("fool") != std::string::npos ? 0.95 : 0.1}, {"spam", text.find("buy") != std::string::npos ? 0.7 : 0.0}}));
    });
    const auto made = put(std::move(more));
    INFO(made.http.body);
    REQUIRE(made.status == 201);
    secret = made.body["secret"];
  }
  Answer put(Json more) {
    Json body{{"url", judge.url("/classify")},
              {"thresholds", {{{"label", "toxicity"}, {"at", 0.9}, {"then", "block"}}, {{"label", "spam"}, {"at", 0.5}, {"then", "flag"}},
                              {{"label", "secret"}, {"at", 0.5}, {"then", "shadow"}}, {{"label", "unsure"}, {"at", 0.5}, {"then", "hold"}}}}};
    body.update(more);
    return server().put(kClassifier, body);
  }
  Answer say(const std::string& text) { return user("bob").post(kMessages, {{"text", text}}); }
  void answer_with_label(const std::string& label) {
    judge.answer_with([label](const Hooked::Got&, const http::Responder& respond) { respond(scores({{label, 1}})); });
  }
  std::int64_t calls() {
    Service::get().node().run_job("count_moderation_calls");
    return std::stoll(Probe(superuser_database().dsn).value("select coalesce(sum(value), 0) from usage_metrics where meter = 'moderation_calls' and app_id = '" +
                                                            AppId::parse(id())->text() + "'"));
  }
  Hooked judge;
  std::string secret;
};

}  // namespace

TEST_CASE("classifier: its labels let a message pass, flag, hold, shadow or block it", "[api][classifier][screening]") {
  Judged app;
  CHECK(app.say("hello").status == 201);
  const auto blocked = app.say("you fool");
  CHECK(blocked.code() == "forbidden");
  CHECK(blocked.pointer() == "#/text");
  CHECK(app.say("buy this").status == 201);
  CHECK(app.rows("moderation_flags", "source = 'classifier' and rule = 'spam'") == 1);
  app.answer_with_label("unsure");
  CHECK(app.say("hm").status == 202);
  app.answer_with_label("secret");
  CHECK(app.say("whisper").body["message"]["seq"] == 0);
  CHECK(app.user("alice").get(kMessages).body["messages"].size() == 3);
  CHECK(app.rows("messages", "type = 'regular'") == 3);
  const auto got = app.judge.all().at(0);
  CHECK(Subscribed{"", app.secret}.verify(got) == "");
  CHECK(got.frame()["type"] == "moderation.classify");
  CHECK(got.frame()["cid"] == "messaging:general");
  CHECK(got.frame()["data"]["message"] == Json{{"user_id", "bob"}, {"type", "regular"}, {"text", "hello"}});
  const auto before = app.judge.all().size();
  CHECK(app.server().post(kMessages, {{"text", "from the backend"}, {"user_id", "bob"}}).status == 201);
  CHECK(app.judge.all().size() == before);
}

TEST_CASE("classifier: without an answer that can be used the policy holds, after five failures at once", "[api][classifier][screening]") {
  Judged app(Json{{"timeout_ms", 100}, {"on_failure", "block"}});
  std::mutex mutex;
  std::vector<http::Responder> held;
  app.judge.answer_with([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  for (int i = 0; i < 15; ++i) CHECK(app.say("hello?").body["detail"] == "This message could not be checked; try again later.");
  CHECK(app.judge.all().size() <= 10);         // the breaker: of each node's first five
  CHECK(app.rows("messages", "type = 'regular'") == 0);
  CHECK(app.put({{"on_failure", "hold"}}).status == 200);
  app.judge.answer_with(500);
  eventually("every node knows", [&] { return app.say("and now?").status == 202; });
  CHECK(app.rows("pending_messages", "findings @> '[{\"source\": \"classifier\", \"rule\": \"no_answer\"}]'") >= 1);
  CHECK(app.put({{"on_failure", "allow"}}).status == 200);
  eventually("every node knows", [&] { return app.say("open").status == 201; });
  app.judge.answer_with([](const Hooked::Got&, const http::Responder& respond) { respond(http::json(200, R"({"labels":{"toxicity":"much"}})")); });
  CHECK(app.say("what it says is no score").status == 201);
  CHECK(app.calls() == 0);
}

TEST_CASE("classifier: one that hangs holds up nobody else, and no connection to the database", "[api][classifier][screening]") {
  TestApp other;
  other.add_users({"carol"});
  other.add_channel("general", {"carol"});
  Judged app(Json{{"timeout_ms", 5'000}, {"max_in_flight", 64}, {"on_failure", "allow"}});
  std::mutex mutex;
  std::vector<http::Responder> held;
  app.judge.answer_with([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 24; ++i) waiting.emplace_back([&] { CHECK(app.say("patience").status == 201); });
  eventually("all of them wait for the classifier", [&] { return app.judge.all().size() == 24; }, std::chrono::seconds(20));
  CHECK(other.user("carol").post(kMessages, {{"text", "hello"}}).status == 201);
  CHECK(app.server().post(kMessages, {{"text", "from the backend"}, {"user_id", "bob"}}).status == 201);
  CHECK(app.rows("messages", "type = 'regular'") == 1);
  const std::lock_guard lock(mutex);
  for (auto& respond : held) respond(scores({{"toxicity", 0.0}}));
}

TEST_CASE("classifier: questions beyond max_in_flight are as if they were not answered", "[api][classifier][screening]") {
  Judged app(Json{{"timeout_ms", 5'000}, {"max_in_flight", 1}, {"on_failure", "hold"}}, Json{{"messages", {{"hard", 1'000'000}}}});
  std::mutex mutex;
  std::vector<http::Responder> held;
  app.judge.answer_with([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  std::jthread first([&] { CHECK(app.say("first").status == 201); });
  eventually("it is asked", [&] { return app.judge.all().size() == 1; });
  CHECK(app.say("second").status == 202);
  CHECK(app.judge.all().size() == 1);
  eventually("it can be answered", [&] {
    const std::lock_guard lock(mutex);
    return held.size() == 1;
  });
  held[0](scores({{"toxicity", 0.0}}));
}

TEST_CASE("classifier: asked about what is marked alone, it hears of what was found", "[api][classifier][screening]") {
  Judged app(Json{{"asks", "marked"}});
  REQUIRE(app.server().put("/v1/moderation/rules", {{"rules", {{{"name", "links"}, {"kind", "links"}, {"then", "flag"}}}}}).status == 200);
  eventually("every node knows", [&] {
    app.say("see https://example.com/");
    return app.judge.all().size() >= 2;
  });
  const auto before = app.judge.all().size();
  CHECK(app.say("you fool").status == 201);
  CHECK(app.judge.all().size() == before);
  CHECK(app.say("you fool, see https://example.com/").code() == "forbidden");
  CHECK(app.user("alice").post(kMessages, {{"text", "you fool, see https://example.com/"}}).status == 201);   // an owner is exempt, so nothing is marked
}

TEST_CASE("classifier: its answers are counted as moderation calls, and end with the month's limit", "[api][classifier][screening][limits]") {
  Judged app(Json{{"on_failure", "hold"}}, Json{{"moderation_calls", {{"hard", 3}}}});
  for (int i = 0; i < 3; ++i) CHECK(app.say("hello").status == 201);
  CHECK(app.calls() == 3);
  CHECK(app.say("one too many").status == 202);
  CHECK(app.judge.all().size() == 3);
  CHECK(app.server().post(kClassifier + "/test", {{"text", "x"}, {"user_id", "bob"}, {"cid", "messaging:general"}}).body["outcome"] == "quota");
  CHECK(app.rows("usage_metrics", "meter = 'moderation_calls'") > 0);
}

TEST_CASE("classifier: a test shows what it says, and what would follow", "[api][classifier][screening]") {
  Judged app;
  const auto test = [&](const std::string& text) { return app.server().post(kClassifier + "/test", {{"text", text}, {"user_id", "bob"}, {"cid", "messaging:general"}}); };
  const auto answer = test("you fool").body;
  CHECK(answer["outcome"] == "answered");
  CHECK(answer["labels"]["toxicity"] == 0.95);
  CHECK(answer["verdict"] == "block");
  app.judge.answer_with(503);
  const auto failed = test("hello").body;
  CHECK(failed["outcome"] == "failed");
  CHECK(failed["detail"] == "It answered 503, and nothing that can be read.");
  CHECK(failed["verdict"] == "pass");
  CHECK(app.rows("messages", "type = 'regular'") == 0);
  CHECK(app.user("alice").post(kClassifier + "/test", {{"text", "x"}, {"user_id", "bob"}, {"cid", "messaging:general"}}).code() == "forbidden");
  TestApp none;
  CHECK(none.server().post(kClassifier + "/test", {{"text", "x"}, {"user_id", "bob"}, {"cid", "messaging:general"}}).code() == "not_found");
}

TEST_CASE("classifier: set, shown without its secret, changed and taken away; addresses inside are refused", "[api][classifier][screening][tenancy]") {
  Judged app;
  TestApp other;
  const auto shown = app.server().get(kClassifier);
  CHECK(shown.body["classifier"]["on_failure"] == "allow");
  CHECK(shown.http.body.find(app.secret) == std::string::npos);
  CHECK(other.server().get(kClassifier).code() == "not_found");
  CHECK(app.user("alice").get(kClassifier).code() == "forbidden");
  const auto renewed = app.put({{"new_secret", true}});
  CHECK(renewed.status == 200);
  CHECK(renewed.body["secret"] != app.secret);
  CHECK(app.put({{"url", "ftp://example.com"}}).pointer() == "#/url");
  CHECK(app.put({{"thresholds", {{{"label", "a"}, {"at", 2}, {"then", "flag"}}}}}).pointer() == "#/thresholds/0/at");
  CHECK(app.put({{"thresholds", {{{"label", "a"}, {"at", 1}, {"then", "timeout"}}}}}).pointer() == "#/thresholds/0/then");
  CHECK(app.put({{"thresholds", Json::array()}}).pointer() == "#/thresholds");
  const auto audit = app.server().get("/v1/app/audit");
  CHECK(audit.body["audit"][0]["action"] == "classifier.put");
  CHECK(audit.http.body.find("whsec_") == std::string::npos);
  CHECK(app.server().del(kClassifier).status == 204);
  CHECK(app.server().del(kClassifier).code() == "not_found");
  eventually("every node knows", [&] { return app.say("you fool").status == 201; });
}
