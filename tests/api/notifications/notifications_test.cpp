#include <catch2/catch.hpp>

#include "platform/base/crypto.h"
#include "platform/push/keys.h"
#include "tests/support/push_services.h"
#include "tests/support/service.h"

// Credentials, preferences, templates and the check of one device. Who is notified of what: notifying_test.
using namespace chat;
using namespace chat::test;

namespace {

PushServices& services() { return push_services(); }

Json google() { return {{"provider", "fcm"}, {"service_account", services().service_account()}}; }
Json apple() {
  return {{"provider", "apns"}, {"name", "phones"}, {"private_key", PushServices::apple_key()}, {"key_id", "ABC123DEFG"}, {"team_id", "DEF123GHIJ"},
          {"topic", "com.example.shop"}};
}
Json browsers() { return {{"provider", "web"}, {"contact", "mailto:ops@example.com"}}; }

}  // namespace

TEST_CASE("notifications: credentials are checked, kept sealed, listed without their secrets", "[api][notifications]") {
  TestApp app, other;
  auto server = app.server();
  CHECK(server.post("/v1/push/providers", google()).status == 201);
  CHECK(server.post("/v1/push/providers", google()).status == 200);
  CHECK(server.post("/v1/push/providers", apple()).status == 201);
  CHECK(server.post("/v1/push/providers", browsers()).status == 201);
  auto list = server.get("/v1/push/providers");
  REQUIRE(list.body["push_providers"].size() == 3);
  CHECK(list.body["push_providers"][0]["topic"] == "com.example.shop");
  CHECK(list.body["push_providers"][1]["project_id"] == "shop-1");
  CHECK(list.http.body.find("PRIVATE KEY") == std::string::npos);
  CHECK(app.rows("push_providers", "position('PRIVATE' in encode(sealed, 'escape')) > 0 or shown::text like '%PRIVATE%'") == 0);
  CHECK(other.server().get("/v1/push/providers").body["push_providers"].empty());
  CHECK(other.server().del("/v1/push/providers/fcm/default").code() == "not_found");
  CHECK(server.del("/v1/push/providers/fcm/default").status == 204);
  CHECK(server.del("/v1/push/providers/fcm/default").code() == "not_found");
}

TEST_CASE("notifications: a browser's key is made once and stays", "[api][notifications]") {
  TestApp app;
  app.add_users({"bob"});
  CHECK(app.user("bob").get("/v1/push/web_key").code() == "not_found");
  auto made = app.server().post("/v1/push/providers", browsers()).body["push_provider"];
  CHECK(crypto::parse_base64url(made["public_key"].get<std::string>()).value().size() == 65);
  auto again = browsers();
  again["contact"] = "https://example.com/contact";
  auto changed = app.server().post("/v1/push/providers", again).body["push_provider"];
  CHECK(changed["public_key"] == made["public_key"]);
  CHECK(changed["contact"] == "https://example.com/contact");
  CHECK(app.user("bob").get("/v1/push/web_key").body["public_key"] == made["public_key"]);
  CHECK(app.user("bob").get("/v1/push/web_key?name=other").code() == "not_found");
}

TEST_CASE("notifications: credentials that can't be used are refused without a trace", "[api][notifications][limits][permissions]") {
  TestApp app;
  app.add_users({"bob"});
  auto server = app.server();
  auto with = [](Json body, const char* member, const Json& value) {
    body[member] = value;
    return body;
  };
  CHECK(app.user("bob").post("/v1/push/providers", google()).code() == "forbidden");
  CHECK(server.post("/v1/push/providers", {{"provider", "pigeon"}}).pointer() == "#/provider");
  CHECK(server.post("/v1/push/providers", with(google(), "service_account", Json{{"project_id", "x"}})).pointer() == "#/service_account");
  CHECK(server.post("/v1/push/providers", with(apple(), "private_key", "no key")).pointer() == "#/private_key");
  CHECK(server.post("/v1/push/providers", with(apple(), "contact", "mailto:a@b.c")).code() == "unknown_field");
  CHECK(server.post("/v1/push/providers", with(browsers(), "contact", "nobody")).pointer() == "#/contact");
  CHECK(server.post("/v1/push/providers", with(browsers(), "private_key", "short")).pointer() == "#/private_key");
  CHECK(server.post("/v1/push/providers", with(browsers(), "name", "No Name")).pointer() == "#/name");
  CHECK(app.rows("push_providers") == 0);
  for (int i = 0; i < 10; ++i) REQUIRE(server.post("/v1/push/providers", with(browsers(), "name", "n" + std::to_string(i))).status == 201);
  CHECK(server.post("/v1/push/providers", with(browsers(), "name", "n10")).code() == "limit_reached");
  CHECK(server.post("/v1/push/providers", with(browsers(), "name", "n9")).status == 200);
}

TEST_CASE("notifications: a check says what the provider answered, in its words", "[api][notifications]") {
  TestApp app;
  app.add_users({"bob"});
  REQUIRE(app.server().post("/v1/push/providers", google()).status == 201);
  const std::string token = "check-" + app.id();
  const Json bobs{{"user_id", "bob"}, {"device_id", "phone"}};
  CHECK(app.server().post("/v1/push/check", bobs).code() == "not_found");
  REQUIRE(app.user("bob").post("/v1/devices", {{"device_id", "phone"}, {"provider", "fcm"}, {"platform", "android"}, {"token", token}}).status == 201);
  auto fine = app.server().post("/v1/push/check", {{"user_id", "bob"}, {"device_id", "phone"}, {"title", "Hello"}});
  CHECK(fine.body["verdict"] == "sent");
  REQUIRE(services().got(token).size() == 1);
  CHECK(services().got(token)[0].body["message"]["notification"]["title"] == "Hello");
  services().answer(token, 404, R"({"error":{"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}})");
  auto gone = app.server().post("/v1/push/check", bobs);
  CHECK(gone.body["verdict"] == "gone");
  CHECK(gone.body["detail"].get<std::string>().find("UNREGISTERED") != std::string::npos);
  CHECK(app.rows("user_devices") == 1);        // a check changes nothing
  CHECK(app.rows("usage_metrics", "meter = 'push'") == 0);
  CHECK(app.user("bob").post("/v1/push/check", bobs).code() == "forbidden");
  CHECK(app.server().post("/v1/push/check", {{"user_id", "bob"}}).pointer() == "#/device_id");
  REQUIRE(app.server().del("/v1/push/providers/fcm/default").status == 204);
  CHECK(app.server().post("/v1/push/check", bobs).code() == "not_found");
}

TEST_CASE("notifications: preferences are a user's own, whole, and take effect as they are shown", "[api][notifications]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto bob = app.user("bob");
  CHECK(bob.get("/v1/push/preferences").body["push_preferences"] == Json{{"level", "all"}});
  const Json wanted{{"level", "mentions"},
                    {"muted_until", "2030-01-01T00:00:00Z"},
                    {"quiet", {{"from", "22:00"}, {"to", "07:30"}, {"days", {5, 1, 5}}, {"time_zone", "Europe/Berlin"}}},
                    {"language", "pt-br"}};
  auto set = bob.put("/v1/push/preferences", wanted).body["push_preferences"];
  CHECK(set["quiet"] == Json{{"from", "22:00"}, {"to", "07:30"}, {"days", {1, 5}}, {"time_zone", "Europe/Berlin"}});
  CHECK(set["language"] == "pt-br");
  CHECK(bob.get("/v1/push/preferences").body["push_preferences"] == set);
  CHECK(app.user("alice").get("/v1/push/preferences").body["push_preferences"]["level"] == "all");
  auto bare = bob.put("/v1/push/preferences", Json::object()).body["push_preferences"];
  CHECK(bare["level"] == "all");
  CHECK_FALSE(bare.contains("quiet"));
  const std::string in_channel = "/v1/channels/messaging/general/push_preference";
  CHECK(bob.get(in_channel).body["push_preference"] == Json{{"cid", "messaging:general"}});
  CHECK(bob.put(in_channel, {{"level", "none"}}).body["push_preference"]["level"] == "none");
  CHECK(bob.get(in_channel).body["push_preference"]["level"] == "none");
  CHECK(app.rows("channel_push_preferences") == 1);
  CHECK_FALSE(bob.put(in_channel, Json::object()).body["push_preference"].contains("level"));
  CHECK(app.rows("channel_push_preferences") == 0);
}

TEST_CASE("notifications: preferences that make no sense are refused", "[api][notifications][input]") {
  TestApp app, other;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice"});
  auto bob = app.user("bob");
  auto refused = [&](const Json& body, const std::string& at) { CHECK(bob.put("/v1/push/preferences", body).pointer() == at); };
  refused({{"level", "some"}}, "#/level");
  refused({{"quiet", {{"from", "22:00"}, {"to", "07:00"}, {"time_zone", "Mars/Olympus"}}}}, "#/quiet/time_zone");
  refused({{"quiet", {{"from", "24:00"}, {"to", "07:00"}, {"time_zone", "UTC"}}}}, "#/quiet/from");
  refused({{"quiet", {{"from", "22:00"}, {"to", "7 am."}, {"time_zone", "UTC"}}}}, "#/quiet/to");
  refused({{"quiet", {{"from", "22:00"}, {"to", "07:00"}, {"time_zone", "UTC"}, {"days", {8}}}}}, "#/quiet/days");
  refused({{"language", "English!"}}, "#/language");
  CHECK(app.server().put("/v1/push/preferences", Json::object()).pointer() == "#/user_id");
  CHECK(app.server().get("/v1/push/preferences?user_id=nobody").code() == "not_found");
  CHECK(bob.put("/v1/channels/messaging/general/push_preference", {{"level", "none"}}).code() == "not_found");
  CHECK(app.rows("push_preferences") + app.rows("channel_push_preferences") == 0);
}

TEST_CASE("templates: saved by event and language, previewed, deleted", "[api][templates]") {
  TestApp app;
  auto server = app.server();
  const std::string path = "/v1/push/templates/message.new";
  CHECK(server.put(path, {{"title", "{{sender.name}}"}, {"body", "{{message.text|5}}"}}).status == 201);
  CHECK(server.put(path, {{"title", "{{ sender.name }} in {{channel.name}}"}, {"body", "{{message.text|5}}"}}).status == 200);
  CHECK(server.put(path, {{"title", "{{sender.name}} schreibt"}, {"body", "{{message.text}}"}, {"language", "de"}}).status == 201);
  CHECK(server.get("/v1/push/templates").body["push_templates"].size() == 2);
  auto preview = [&](Json body) { return server.post("/v1/push/templates/preview", body).body; };
  CHECK(preview({{"event", "message.new"}, {"message_text", "Größenwahn"}}) == Json{{"title", "Alice Adams in General"}, {"body", "Größ…"}});
  CHECK(preview({{"event", "message.new"}, {"language", "de-at"}})["title"] == "Alice Adams schreibt");
  CHECK(preview({{"event", "message.new"}, {"language", "fr"}})["title"] == "Alice Adams in General");
  CHECK(preview({{"event", "mention"}})["title"] == "Alice Adams @ General");
  CHECK(preview({{"event", "mention"}, {"body", "\\{{ {{message.text}}"}, {"message_text", "{{sender.name}}\n\x01!"}})["body"] == "{{ {{sender.name}}  !");
  CHECK(server.del(path + "?language=de").status == 204);
  CHECK(server.del(path + "?language=de").code() == "not_found");
  CHECK(app.rows("push_templates") == 1);
}

TEST_CASE("templates: what is no template is refused without a trace", "[api][templates][input][limits]") {
  TestApp app;
  app.add_users({"bob"});
  auto server = app.server();
  const std::string path = "/v1/push/templates/message.new";
  auto refused = [&](const std::string& body) { CHECK(server.put(path, {{"title", "x"}, {"body", body}}).pointer() == "#/body"); };
  refused("{{message.password}}");
  refused("{{message.text");
  refused("{{message.text|0}}");
  refused("{{message.text|1001}}");
  refused("{{message.text|many}}");
  refused(std::string(501, 'x'));
  CHECK(server.put(path, {{"title", "x"}, {"body", "x"}, {"language", "DE"}}).pointer() == "#/language");
  CHECK(server.put("/v1/push/templates/unheard.of", {{"title", "x"}, {"body", "x"}}).code() == "not_found");
  CHECK(app.user("bob").put(path, {{"title", "x"}, {"body", "x"}}).code() == "forbidden");
  CHECK(app.rows("push_templates") == 0);
  Probe(superuser_database().dsn).run("insert into push_templates (app_id, event, language, title, body, created_at, updated_at) select '" +
                                      AppId::parse(app.id())->text() + "', 'mention', 'l' || n, '', '', now(), now() from generate_series(1, 100) n");
  CHECK(server.put(path, {{"title", "x"}, {"body", "x"}}).code() == "limit_reached");
  CHECK(app.rows("push_templates") == 100);
}
