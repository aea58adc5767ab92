#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string at(std::chrono::milliseconds from_now) { return format_time(system_clock().now() + from_now); }

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    message = send("alice", "general", "remember this");
  }
  [[nodiscard]] std::string path() const { return kMessages + "/" + message["id"].get<std::string>() + "/bookmark"; }
  Json message;
};

}  // namespace

TEST_CASE("bookmarks: saved, changed, listed and forgotten by their user alone", "[api][bookmarks][ws]") {
  Room room;
  auto bob = room.user("bob");
  auto device = room.connect("bob");
  auto bystander = room.connect("alice");
  auto saved = bob.post(room.path(), {{"note", "later"}});
  CHECK(saved.status == 201);
  CHECK(hear(device, "bookmark.updated")["data"]["bookmark"]["note"] == "later");
  CHECK(bob.post(room.path(), {{"note", "later"}}).status == 200);
  auto changed = bob.post(room.path(), {{"remind_at", at(std::chrono::hours(1))}});
  CHECK(changed.status == 200);
  CHECK_FALSE(changed.body["bookmark"].contains("note"));
  auto list = bob.get("/v1/bookmarks").body["bookmarks"];
  REQUIRE(list.size() == 1);
  CHECK(list[0]["message"]["text"] == "remember this");
  CHECK(room.user("alice").get("/v1/bookmarks").body["bookmarks"].empty());
  CHECK(bob.del(room.path()).status == 204);
  CHECK(hear(device, "bookmark.deleted")["data"]["bookmark"]["message_id"] == room.message["id"]);
  CHECK(bob.del(room.path()).code() == "not_found");
  CHECK_FALSE(bystander.find("bookmark.updated", std::chrono::milliseconds(150)));
  CHECK(room.rows("bookmarks") == 0);
}

TEST_CASE("bookmarks: a reminder is told once, and again when it is set anew", "[api][bookmarks][ws]") {
  Room room;
  auto bob = room.user("bob");
  auto device = room.connect("bob");
  REQUIRE(bob.post(room.path(), {{"remind_at", at(std::chrono::milliseconds(300))}}).status == 201);
  eventually("the reminder", [&] {
    Service::get().node().run_job("tell_due_reminders");
    return room.rows("bookmarks", "reminded_at is not null") == 1;
  });
  CHECK(hear(device, "reminder.due")["data"]["bookmark"].contains("reminded_at"));
  std::thread beside([] { Service::get().node().run_job("tell_due_reminders"); });
  Service::get().node().run_job("tell_due_reminders");
  beside.join();
  CHECK_FALSE(device.find("reminder.due", std::chrono::milliseconds(150)));
  CHECK(bob.get("/v1/bookmarks").body["bookmarks"][0].contains("reminded_at"));
  auto anew = bob.post(room.path(), {{"remind_at", at(std::chrono::hours(1))}});
  CHECK_FALSE(anew.body["bookmark"].contains("reminded_at"));
}

TEST_CASE("bookmarks: pages, the last saved first", "[api][bookmarks]") {
  Room room;
  auto bob = room.user("bob");
  for (int i = 0; i < 3; ++i) {
    auto message = room.send("alice", "general", std::to_string(i));
    REQUIRE(bob.post(kMessages + "/" + message["id"].get<std::string>() + "/bookmark").status == 201);
  }
  auto page = bob.get("/v1/bookmarks?limit=2");
  REQUIRE(page.body["bookmarks"].size() == 2);
  CHECK(page.body["bookmarks"][0]["message"]["text"] == "2");
  auto rest = bob.get("/v1/bookmarks?limit=2&next=" + page.body["next"].get<std::string>());
  CHECK(rest.body["bookmarks"][0]["message"]["text"] == "0");
  CHECK_FALSE(rest.body.contains("next"));
  CHECK(room.user("alice").get("/v1/bookmarks?next=" + page.body["next"].get<std::string>()).pointer() == "query:next");
  REQUIRE(room.user("alice").del("/v1/channels/messaging/general/members/bob").status == 204);
  CHECK(bob.get("/v1/bookmarks").body["bookmarks"].empty());
}

TEST_CASE("bookmarks: refused without a trace", "[api][bookmarks][tenancy][permissions][limits]") {
  Room room, other;
  room.add_users({"mallory"});
  auto bob = room.user("bob");
  CHECK(room.user("mallory").post(room.path()).code() == "not_found");
  CHECK(other.user("bob").post(room.path()).code() == "not_found");
  CHECK(bob.post(room.path(), {{"remind_at", at(std::chrono::hours(-1))}}).pointer() == "#/remind_at");
  CHECK(bob.post(room.path(), {{"note", std::string(1001, 'x')}}).pointer() == "#/note");
  CHECK(room.server().post(room.path()).pointer() == "#/user_id");
  CHECK(room.server().post(room.path(), {{"user_id", "bob"}}).status == 201);
  CHECK(room.rows("bookmarks") == 1);
  CHECK(other.rows("bookmarks") == 0);
  Probe(superuser_database().dsn).run(
      "insert into bookmarks (app_id, user_id, channel_id, message_id, created_at, updated_at) select b.app_id, b.user_id, b.channel_id,"
      " gen_random_uuid(), now(), now() from bookmarks b, generate_series(1, 999) where b.app_id = '" + AppId::parse(room.id())->text() + "'");
  auto second = room.send("alice", "general", "one too many");
  CHECK(bob.post(kMessages + "/" + second["id"].get<std::string>() + "/bookmark").code() == "limit_reached");
  room.user("alice").del(kMessages + "/" + room.message["id"].get<std::string>() + "?mode=hard");
  CHECK(room.rows("bookmarks") == 999);
}
