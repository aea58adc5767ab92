#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kDraft = "/v1/channels/messaging/general/draft";
constexpr std::chrono::milliseconds kSilence{150};

Json writing(const std::string& text, Json more = Json::object()) {
  more["text"] = text;
  return {{"message", more}};
}

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    message = send("alice", "general", "Where do we eat?");
  }
  [[nodiscard]] std::string asked() const { return message["id"]; }
  Json message;
};

}  // namespace

TEST_CASE("drafts: the same on all of a user's devices, and nobody else's", "[api][drafts][ws]") {
  Room room;
  auto bob = room.user("bob");
  auto device = room.connect("bob");
  auto bystander = room.connect("alice");
  auto saved = bob.put(kDraft, writing("Lunch at", {{"mentions", {"alice"}}, {"quoted_message_id", room.asked()}}));
  CHECK(saved.status == 201);
  CHECK(hear(device, "draft.updated")["data"]["draft"]["message"]["text"] == "Lunch at");
  CHECK(bob.put(kDraft, writing("Lunch at", {{"quoted_message_id", room.asked()}, {"mentions", {"alice"}}})).status == 200);
  CHECK_FALSE(device.find("draft.updated", kSilence));    // the same again is no news
  CHECK(bob.put(kDraft, writing("Lunch at noon")).status == 200);
  CHECK(hear(device, "draft.updated")["data"]["draft"]["message"] == Json{{"text", "Lunch at noon"}});
  CHECK(bob.get(kDraft).body["draft"]["message"]["text"] == "Lunch at noon");
  CHECK(room.user("alice").get(kDraft).code() == "not_found");
  CHECK(bob.del(kDraft).status == 204);
  CHECK(hear(device, "draft.deleted")["data"] == Json{{"cid", "messaging:general"}});
  CHECK(bob.del(kDraft).code() == "not_found");
  CHECK_FALSE(bystander.find("draft.updated", kSilence));
  CHECK(room.rows("message_drafts") == 0);
}

TEST_CASE("drafts: a thread has one of its own", "[api][drafts][ws]") {
  Room room;
  auto bob = room.user("bob");
  const std::string in_thread = kDraft + "?parent_id=" + room.asked();
  REQUIRE(bob.put(kDraft, writing("in the channel")).status == 201);
  REQUIRE(bob.put(kDraft, writing("in the thread", {{"parent_id", room.asked()}})).status == 201);
  CHECK(bob.get(kDraft).body["draft"]["message"]["text"] == "in the channel");
  CHECK(bob.get(in_thread).body["draft"]["parent_id"] == room.asked());
  auto device = room.connect("bob");
  CHECK(bob.del(in_thread).status == 204);
  CHECK(hear(device, "draft.deleted")["data"]["parent_id"] == room.asked());
  CHECK(bob.get(in_thread).code() == "not_found");
  CHECK(bob.get(kDraft).status == 200);
  CHECK(bob.get(kDraft + "?parent_id=nonsense").code() == "not_found");
}

TEST_CASE("drafts: gone with the message that was sent with clear_draft, and with no other", "[api][drafts][ws]") {
  Room room;
  auto bob = room.user("bob");
  REQUIRE(bob.put(kDraft, writing("Lunch")).status == 201);
  REQUIRE(bob.put(kDraft, writing("Yes", {{"parent_id", room.asked()}})).status == 201);
  auto device = room.connect("bob");
  REQUIRE(bob.post(kMessages, {{"text", "something else"}}).status == 201);
  REQUIRE(bob.post(kMessages, {{"text", ""}, {"clear_draft", true}}).status == 400);
  CHECK(room.rows("message_drafts") == 2);
  const Json sent{{"text", "Lunch"}, {"nonce", "n1"}, {"clear_draft", true}};
  CHECK(bob.post(kMessages, sent).status == 201);
  CHECK(hear(device, "draft.deleted")["data"] == Json{{"cid", "messaging:general"}});
  CHECK(bob.get(kDraft).code() == "not_found");
  CHECK(bob.get(kDraft + "?parent_id=" + room.asked()).status == 200);
  REQUIRE(bob.put(kDraft, writing("the next one")).status == 201);
  CHECK(bob.post(kMessages, sent).status == 200);         // the same send again: its draft went long ago
  CHECK(bob.get(kDraft).status == 200);
  CHECK(bob.post(kMessages, {{"text", "Yes"}, {"parent_id", room.asked()}, {"clear_draft", true}}).status == 201);
  CHECK(hear(device, "draft.deleted")["data"]["parent_id"] == room.asked());
  CHECK(room.user("alice").post(kMessages, {{"text", "I have none"}, {"clear_draft", true}}).status == 201);
  CHECK(room.rows("message_drafts") == 1);
}

TEST_CASE("drafts: pages, the last changed first, without channels that one left", "[api][drafts]") {
  Room room;
  auto bob = room.user("bob");
  for (const char* id : {"one", "two", "three"}) {
    room.add_channel(id, {"alice", "bob"});
    REQUIRE(bob.put(std::string("/v1/channels/messaging/") + id + "/draft", writing(id)).status == 201);
  }
  auto page = bob.get("/v1/drafts?limit=2");
  REQUIRE(page.body["drafts"].size() == 2);
  CHECK(page.body["drafts"][0]["cid"] == "messaging:three");
  auto rest = bob.get("/v1/drafts?limit=2&next=" + page.body["next"].get<std::string>());
  CHECK(rest.body["drafts"][0]["cid"] == "messaging:one");
  CHECK_FALSE(rest.body.contains("next"));
  CHECK(room.user("alice").get("/v1/drafts?next=" + page.body["next"].get<std::string>()).pointer() == "query:next");
  CHECK(room.server().get("/v1/drafts?user_id=bob").body["drafts"].size() == 3);
  REQUIRE(room.user("alice").del("/v1/channels/messaging/one/members/bob").status == 204);
  CHECK(bob.get("/v1/drafts").body["drafts"].size() == 2);
}

TEST_CASE("drafts: refused without a trace", "[api][drafts][tenancy][permissions][limits]") {
  Room room, other;
  room.add_users({"mallory"});
  auto bob = room.user("bob");
  CHECK(room.user("mallory").put(kDraft, writing("x")).code() == "not_found");
  CHECK(bob.put(kDraft, Json::object()).pointer() == "#/message");
  CHECK(bob.put(kDraft, writing("")).pointer() == "#/message/text");
  CHECK(bob.put(kDraft, writing("x", {{"nonce", "n"}})).pointer() == "#/message/nonce");
  CHECK(bob.put(kDraft, writing("x", {{"parent_id", other.asked()}})).code() == "not_found");
  CHECK(room.server().put(kDraft, writing("x")).pointer() == "#/user_id");
  CHECK(room.rows("message_drafts") == 0);
  REQUIRE(room.server().put(kDraft, {{"message", {{"text", "x"}}}, {"user_id", "bob"}}).status == 201);
  CHECK(other.user("bob").get(kDraft).code() == "not_found");
  Probe(superuser_database().dsn).run(
      "insert into message_drafts (app_id, user_id, channel_id, parent_id, message, created_at, updated_at) select d.app_id, d.user_id,"
      " d.channel_id, gen_random_uuid(), '{}', now(), now() from message_drafts d, generate_series(1, 199) where d.app_id = '" +
      AppId::parse(room.id())->text() + "'");
  CHECK(bob.put(kDraft, writing("in its thread", {{"parent_id", room.asked()}})).code() == "limit_reached");
  CHECK(bob.put(kDraft, writing("what is there may change")).status == 200);
  CHECK(room.rows("message_drafts") == 200);
}

TEST_CASE("drafts: gone with their thread's message and with their user, and in the user's export", "[api][drafts][exports]") {
  Room room;
  auto bob = room.user("bob");
  REQUIRE(bob.put(kDraft, writing("Lunch at")).status == 201);
  REQUIRE(bob.put(kDraft, writing("Yes", {{"parent_id", room.asked()}})).status == 201);
  const std::string task = room.server().post("/v1/users/bob/export").body["task"]["task_id"];
  eventually("the export", [&] { return room.server().get("/v1/tasks/" + task).body["task"]["status"] == "done"; });
  CHECK(room.server().get("/v1/tasks/" + task + "/parts/1").http.body.find("Lunch at") != std::string::npos);
  REQUIRE(room.user("alice").del(kMessages + "/" + room.asked() + "?mode=hard").status == 200);
  CHECK(room.rows("message_drafts") == 1);
  REQUIRE(room.server().del("/v1/users/bob?mode=hard").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return room.rows("message_drafts") == 0;
  });
}

TEST_CASE("drafts: saved by two devices at once, one of them is left", "[api][drafts]") {
  Room room;
  std::atomic<int> saved{0};
  auto save = [&](const std::string& text) {
    auto bob = room.user("bob");
    for (int i = 0; i < 10; ++i) saved += bob.put(kDraft, writing(text + std::to_string(i))).status / 100 == 2;
  };
  std::thread phone([&] { save("phone"); });
  save("laptop");
  phone.join();
  CHECK(saved == 20);
  CHECK(room.rows("message_drafts") == 1);
  const std::string text = room.user("bob").get(kDraft).body["draft"]["message"]["text"];
  CHECK((text == "phone9" || text == "laptop9"));
}
