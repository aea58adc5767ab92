#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";

struct Stage {
  TestApp app;
  Stage() {
    app.add_users({"alice", "bob"});
    app.add_channel("general", {"alice", "bob"});
    app.add_channel("other", {"alice", "bob"});
  }
  Answer set(Actor actor, const Json& settings) { return actor.patch(kChannel, {{"set", {{"settings", settings}}}}); }
};

}  // namespace

TEST_CASE("overrides: a channel takes away what its type allows, and nobody else's", "[api][overrides][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto message = app.send("alice", "general", "hello");
  const std::string path = kMessages + "/" + message["id"].get<std::string>();
  auto bob = app.connect("bob");
  auto changed = stage.set(app.user("alice"), {{"reactions", false}, {"replies", false}, {"quotes", false}, {"max_message_bytes", 5}});
  REQUIRE(changed.status == 200);
  CHECK(changed.body["channel"]["settings"] == Json{{"reactions", false}, {"replies", false}, {"quotes", false}, {"max_message_bytes", 5}});
  CHECK(hear(bob, "channel.updated")["data"]["channel"]["settings"]["reactions"] == false);
  CHECK(app.user("bob").post(path + "/reactions", {{"type", "like"}}).code() == "forbidden");
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}, {"parent_id", message["id"]}}).code() == "forbidden");
  CHECK(app.user("bob").post(kMessages, {{"text", "x"}, {"quoted_message_id", message["id"]}}).code() == "forbidden");
  CHECK(app.user("bob").post(kMessages, {{"text", "123456"}}).code() == "too_large");
  CHECK(app.user("bob").post(kMessages, {{"text", "12345"}}).status == 201);
  CHECK(app.user("alice").patch(path, {{"set", {{"text", "123456"}}}}).code() == "too_large");
  app.send("bob", "other", "123456");
  // Each may be taken back, one or all.
  CHECK(app.user("alice").patch(kChannel, {{"unset", {"settings.reactions"}}}).body["channel"]["settings"].size() == 3);
  CHECK(app.user("bob").post(path + "/reactions", {{"type", "like"}}).status == 201);
  CHECK(app.user("alice").patch(kChannel, {{"unset", {"settings"}}}).body["channel"]["settings"].empty());
  CHECK(app.user("bob").post(kMessages, {{"text", "123456"}}).status == 201);
}

TEST_CASE("overrides: marks follow them, one by one and in batches", "[api][overrides][ws]") {
  Stage stage;
  auto& app = stage.app;
  stage.set(app.user("alice"), {{"read_events", false}, {"delivery_events", false}});
  auto alice = app.connect("alice");
  for (const auto* channel : {"general", "other"}) app.send("alice", channel, "hello");
  app.user("bob").post(kChannel + "/read");
  app.user("bob").post("/v1/delivered", {{"channels", {{{"cid", "messaging:general"}}, {{"cid", "messaging:other"}}}}});
  CHECK(hear(alice, "message.delivered")["cid"] == "messaging:other");
  app.user("bob").post("/v1/read", {{"channels", {{{"cid", "messaging:general"}}, {{"cid", "messaging:other"}}}}});
  CHECK(hear(alice, "message.read")["cid"] == "messaging:other");
  CHECK_FALSE(alice.find("message.read", std::chrono::milliseconds(100)));
}

TEST_CASE("overrides: only a server gives more than the type", "[api][overrides]") {
  Stage stage;
  auto& app = stage.app;
  app.server().patch("/v1/channel_types/messaging", {{"settings", {{"reactions", false}, {"max_message_bytes", 10}}}});
  CHECK(stage.set(app.user("alice"), {{"reactions", true}}).pointer() == "#/set/settings/reactions");
  CHECK(stage.set(app.user("alice"), {{"max_message_bytes", 11}}).pointer() == "#/set/settings/max_message_bytes");
  CHECK(stage.set(app.user("alice"), {{"max_message_bytes", 10}}).status == 200);
  CHECK(stage.set(app.server(), {{"reactions", true}, {"max_message_bytes", 11}}).status == 200);
  auto message = app.send("alice", "general", "12345678901");
  CHECK(app.user("bob").post(kMessages + "/" + message["id"].get<std::string>() + "/reactions", {{"type", "like"}}).status == 201);
}

TEST_CASE("overrides: a channel without uploads takes none, another of its type does", "[api][overrides][uploads]") {
  Stage stage;
  auto& app = stage.app;
  const Json file{{"name", "a.txt"}, {"size_bytes", 3}};
  REQUIRE(stage.set(app.user("alice"), {{"uploads", false}}).status == 200);
  CHECK(app.user("bob").post(kChannel + "/uploads", file).code() == "forbidden");
  CHECK(app.rows("uploads") == 0);
  CHECK(app.user("bob").post("/v1/channels/messaging/other/uploads", file).status == 201);
  REQUIRE(app.user("alice").patch(kChannel, {{"unset", {"settings.uploads"}}}).status == 200);
  CHECK(app.user("bob").post(kChannel + "/uploads", file).status == 201);
}

TEST_CASE("overrides: a channel may hold messages for approval, and only a server lets it off", "[api][overrides][pending]") {
  Stage stage;
  auto& app = stage.app;
  REQUIRE(stage.set(app.user("alice"), {{"pending", true}}).status == 200);
  CHECK(app.user("bob").post(kMessages, {{"text", "may I?"}}).status == 202);
  CHECK(app.user("alice").post(kMessages, {{"text", "I may"}}).status == 201);
  CHECK(app.user("bob").post("/v1/channels/messaging/other/messages", {{"text", "here I may"}}).status == 201);
  REQUIRE(app.user("alice").patch(kChannel, {{"unset", {"settings"}}}).status == 200);
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"pending", true}}}}).status == 200);
  CHECK(stage.set(app.user("alice"), {{"pending", false}}).pointer() == "#/set/settings/pending");
  CHECK(app.user("bob").post(kMessages, {{"text", "may I?"}}).status == 202);
  REQUIRE(stage.set(app.server(), {{"pending", false}}).status == 200);
  CHECK(app.user("bob").post(kMessages, {{"text", "now I may"}}).status == 201);
}

TEST_CASE("overrides: links are looked at where the channel says so, whatever its type says", "[api][overrides][previews]") {
  Stage stage;
  auto& app = stage.app;
  const auto queued = [&] { return app.rows("preview_queue") + app.rows("link_previews"); };
  const Json link{{"text", "look: http://127.0.0.1:1/nothing"}};
  REQUIRE(app.user("alice").post(kMessages, link).status == 201);
  CHECK(queued() == 0);
  CHECK(stage.set(app.user("alice"), {{"link_previews", true}}).pointer() == "#/set/settings/link_previews");
  REQUIRE(stage.set(app.server(), {{"link_previews", true}}).status == 200);
  const auto sent = app.user("alice").post(kMessages, link);
  REQUIRE(sent.status == 201);
  eventually("the link is looked at", [&] { return queued() > 0; });
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"link_previews", true}}}}).status == 200);
  REQUIRE(stage.set(app.user("alice"), {{"link_previews", false}}).status == 200);
  eventually("what was begun is done", [&] { return app.rows("preview_queue") == 0; }, std::chrono::seconds(20));
  const auto before = queued();
  REQUIRE(app.user("alice").post(kMessages, link).status == 201);
  CHECK(queued() == before);
}

TEST_CASE("overrides: are few, of their type, and take the right", "[api][overrides][tenancy]") {
  Stage stage;
  auto& app = stage.app;
  CHECK(stage.set(app.user("bob"), {{"reactions", false}}).code() == "forbidden");
  CHECK(stage.set(app.user("alice"), {{"open", true}}).pointer() == "#/set/settings/open");
  CHECK(stage.set(app.user("alice"), {{"grants", Json::object()}}).pointer() == "#/set/settings/grants");
  CHECK(stage.set(app.user("alice"), {{"reactions", "no"}}).pointer() == "#/set/settings/reactions");
  CHECK(stage.set(app.server(), {{"max_message_bytes", 60'001}}).pointer() == "#/set/settings/max_message_bytes");
  CHECK(app.user("alice").patch(kChannel, {{"unset", {"settings.open"}}}).pointer() == "#/unset/0");
  TestApp other;
  CHECK(stage.set(other.server(), {{"reactions", false}}).status == 404);
  CHECK(app.server().get(kChannel).body["channel"]["settings"].empty());
  CHECK(app.rows("channel_events", "type = 'channel.updated'") == 0);
}
