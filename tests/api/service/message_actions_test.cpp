#include <catch2/catch.hpp>

#include "tests/support/contract.h"
#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob"});
  }
  /// With a button.
  std::string offer() {
    const Json attachments{{{"type", "order"}, {"actions", {{{"name", "approve"}, {"text", "Approve"}}, {{"name", "reject"}}}}}};
    const auto sent = user("alice").post(kMessages, {{"text", "One laptop?"}, {"attachments", attachments}});
    REQUIRE(sent.status == 201);
    return sent.body["message"]["id"];
  }
};

std::string path_of(const std::string& message) { return kMessages + "/" + message + "/actions"; }

}  // namespace

TEST_CASE("message actions: what a user runs is told to the backend, over sockets and for certain to endpoints, and to nobody else", "[api][message_actions][ws]") {
  Room room, other;
  Hooked hooked, messages_only;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.action"}}});
  subscribe(room, messages_only.url(), {{"events", {"message.new"}}});
  auto backend = room.connect(""), alice = room.connect("alice"), stranger = other.connect("");
  const auto message = room.offer();
  const auto run = room.user("bob").post(path_of(message), {{"name", "approve"}, {"data", {{"amount", 3}}}});
  REQUIRE(run.status == 202);
  const auto heard = hear(backend, "message.action");
  CHECK(heard["id"] == run.body["event_id"]);
  CHECK(heard["cid"] == "messaging:general");
  CHECK(heard["data"] == Json{{"action", {{"name", "approve"}, {"data", {{"amount", 3}}}}}, {"user_id", "bob"}, {"message_id", message}});
  eventually("the endpoint to hear", [&] { return !hooked.all("message.action").empty(); }, std::chrono::seconds(20));
  const auto got = hooked.all().at(0);
  CHECK(endpoint.verify(got) == "");
  CHECK(got.id == heard["id"]);
  CHECK(got.frame()["data"] == heard["data"]);
  CHECK(Contract::get().check_event(got.body).empty());
  CHECK_FALSE(alice.find("message.action", std::chrono::milliseconds(100)));
  CHECK_FALSE(stranger.find("message.action", std::chrono::milliseconds(50)));
  CHECK(messages_only.all("message.action").empty());
  CHECK(room.server().post(path_of(message), {{"name", "reject"}, {"user_id", "bob"}}).status == 202);
  CHECK(hear(backend, "message.action")["data"]["action"] == Json{{"name", "reject"}, {"data", Json::object()}});
}

TEST_CASE("message actions: the same request twice is told once", "[api][message_actions]") {
  Room room;
  subscribe(room, "https://example.com/", {{"events", {"message.action"}}});
  const auto message = room.offer();
  const HttpHeaders once{{"Idempotency-Key", "press-1"}};
  auto bob = room.user("bob");
  const auto first = bob.post(path_of(message), {{"name", "approve"}}, once);
  REQUIRE(first.status == 202);
  CHECK(bob.post(path_of(message), {{"name", "approve"}}, once).body == first.body);
  eventually("one delivery", [&] { return room.rows("webhook_deliveries") == 1 && room.rows("outbox") == 0; }, std::chrono::seconds(20));
}

TEST_CASE("message actions: refused without a trace", "[api][message_actions][tenancy][permissions]") {
  Room room, other;
  subscribe(room, "https://example.com/", {{"events", {"message.action"}}});
  const auto message = room.offer();
  const auto plain = room.send("alice", "general", "no buttons")["id"].get<std::string>();
  auto bob = room.user("bob");
  CHECK(bob.post(path_of(message), {{"name", "destroy"}}).pointer() == "#/name");
  CHECK(bob.post(path_of(message), {{"name", "destroy"}}).code() == "not_found");
  CHECK(bob.post(path_of(plain), {{"name", "approve"}}).code() == "not_found");
  CHECK(bob.post(path_of(message), Json::object()).pointer() == "#/name");
  CHECK(bob.post(path_of(message), {{"name", "approve"}, {"data", 3}}).pointer() == "#/data");
  CHECK(bob.post(path_of(message), {{"name", "approve"}, {"value", 3}}).code() == "unknown_field");
  CHECK(room.user("carol").post(path_of(message), {{"name", "approve"}}).status >= 403);
  CHECK(other.server().post(path_of(message), {{"name", "approve"}, {"user_id", "bob"}}).code() == "not_found");
  CHECK(room.server().post(path_of(message), {{"name", "approve"}}).pointer() == "#/user_id");
  REQUIRE(room.user("alice").del(kMessages + "/" + message).status == 200);
  CHECK(bob.post(path_of(message), {{"name", "approve"}}).code() == "not_found");
  CHECK(room.rows("outbox") == 0);
  CHECK(room.rows("webhook_deliveries") == 0);
}
