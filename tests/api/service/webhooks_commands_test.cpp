#include <catch2/catch.hpp>

#include "tests/support/contract.h"
#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

// Custom actions: what users invoke with a slash reaches the customer's own server for certain.
namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    REQUIRE(server().put("/v1/commands/giphy", {{"description", "Posts a picture"}}).status == 201);
    REQUIRE(server().put("/v1/commands/order", {{"description", "Orders lunch"}, {"visible", false}}).status == 201);
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"giphy", "order"}}}}}).status == 200);
  }
  Answer say(const std::string& who, const std::string& text, Json more = Json::object()) {
    more["text"] = text;
    return user(who).post(kMessages, more);
  }
};

void wait_for(const Hooked& hooked, std::size_t count) {
  eventually(std::to_string(count) + " commands", [&] { return hooked.all("command.invoked").size() >= count; }, std::chrono::seconds(20));
  for (const auto& got : hooked.all("command.invoked"))
    for (const auto& mistake : Contract::get().check_event(got.body)) FAIL_CHECK(mistake << " in " << got.body);
}

}  // namespace

TEST_CASE("webhooks: a command that is sent as a message reaches endpoints as it reaches sockets, once", "[api][webhooks][commands][ws]") {
  Room room, other;
  Hooked hooked, strangers, messages_only;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"command.invoked"}}});
  subscribe(other, strangers.url());
  subscribe(room, messages_only.url(), {{"events", {"message.new"}}});
  auto backend = room.connect("");
  const auto sent = room.say("alice", "/giphy two cats", {{"nonce", "n1"}});
  REQUIRE(sent.status == 201);
  CHECK(room.say("alice", "/giphy two cats", {{"nonce", "n1"}}).status == 200);
  const auto heard = hear(backend, "command.invoked");
  wait_for(hooked, 1);
  const auto got = hooked.all().at(0);
  CHECK(endpoint.verify(got) == "");
  CHECK(got.id == heard["id"]);
  const auto frame = got.frame();
  CHECK(frame["cid"] == "messaging:general");
  CHECK(frame["data"] == heard["data"]);
  CHECK(frame["data"]["command"] == Json{{"name", "giphy"}, {"args", "two cats"}});
  CHECK(frame["data"]["message"]["id"] == sent.body["message"]["id"]);
  room.say("alice", "no command");
  room.say("alice", "/giphy again");
  wait_for(hooked, 2);
  CHECK(hooked.all().size() == 2);
  CHECK(hooked.all().at(1).frame()["data"]["command"]["args"] == "again");
  eventually("its messages", [&] { return messages_only.all("message.new").size() == 3; }, std::chrono::seconds(20));
  CHECK(messages_only.all("command.invoked").empty());
  CHECK(strangers.all("command.invoked").empty());
  eventually("one line for each", [&] { return room.rows("webhook_deliveries", "type = 'command.invoked' and state = 'succeeded'") == 2; }, std::chrono::seconds(20));
}

TEST_CASE("webhooks: a command is not told when its message is gone by then, nor of who is in the shadow", "[api][webhooks][commands][shadow]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"command.invoked"}}});
  auto server = room.server();
  REQUIRE(server.put("/v1/bans/bob", {{"shadow", true}}).status < 300);
  REQUIRE(server.post(endpoint.path("/pause")).status == 200);
  const std::string hard = room.say("alice", "/giphy secret").body["message"]["id"], soft = room.say("alice", "/giphy regretted").body["message"]["id"];
  CHECK(room.say("bob", "/giphy shadow").status == 201);
  CHECK(room.say("alice", "/giphy fine").status == 201);
  REQUIRE(room.user("alice").del(kMessages + "/" + hard + "?mode=hard").status == 200);
  REQUIRE(room.user("alice").del(kMessages + "/" + soft).status == 200);
  eventually("all to wait", [&] { return room.rows("webhook_deliveries", "state = 'pending'") == 3; }, std::chrono::seconds(20));
  REQUIRE(server.post(endpoint.path("/resume")).status == 200);
  wait_for(hooked, 1);
  eventually("the others to end", [&] { return room.rows("webhook_deliveries", "state = 'skipped'") == 2; }, std::chrono::seconds(20));
  CHECK(hooked.all().size() == 1);
  CHECK(hooked.all().at(0).frame()["data"]["command"]["args"] == "fine");
}

TEST_CASE("webhooks: a command that is not sent has an id of its time, the same under the same nonce, and other words under it are refused", "[api][webhooks][commands]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"command.invoked"}}});
  std::vector<std::string> nonces{"n1", "n1", "n2", "n3", "n4"};
  for (const auto& nonce : nonces) CHECK(room.say("alice", "/order soup", {{"nonce", nonce}}).status == 202);
  CHECK(room.say("alice", "/order cake", {{"nonce", "n1"}}).code() == "idempotency_mismatch");
  CHECK(room.say("alice", "just cake", {{"nonce", "n1"}}).code() == "idempotency_mismatch");
  CHECK(room.say("bob", "/order soup", {{"nonce", "n1"}}).status == 202);   // another user's nonce
  wait_for(hooked, 5);
  eventually("all to end", [&] { return room.rows("outbox") == 0 && room.rows("webhook_deliveries", "state = 'pending'") == 0; }, std::chrono::seconds(20));
  CHECK(room.rows("webhook_deliveries") == 5);
  CHECK(room.rows("webhook_deliveries", "event_id between uuid7_floor(now() - interval '1 hour') and uuid7_floor(now() + interval '1 hour')") == 5);
  const auto listed = room.server().get(endpoint.path("/deliveries")).body["deliveries"];
  CHECK(listed.size() == 5);
  Service::get().node().run_job("sweep_webhooks");
  CHECK(room.rows("webhook_deliveries") == 5);
  CHECK(room.rows("messages") == 0);
}
