#include <catch2/catch.hpp>

#include <thread>

#include "tests/api/service/uploads_stage.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kBytes = "Some words that will not stay here.\n";

std::string path_of(const Json& message) { return kMessages + "/" + message["id"].get<std::string>(); }

/// Files and rows go in the next rounds of the job, once no link can bring bytes any more; another node's may have begun before.
void remove_all(const UploadRoom& room) {
  room.change("links_until = now() - interval '1 second', delete_after = case when state = 'removing' then now() else delete_after end");
  UploadRoom::remove_due();
}

/// Another node's job may hold some of them at this moment.
void expect_all_removed(const UploadRoom& room) {
  eventually("all files are removed", [&] {
    remove_all(room);
    return room.rows("uploads") == 0 && room.files() == 0;
  });
}

}  // namespace

TEST_CASE("uploads: a file goes with the last message that holds it", "[api][uploads]") {
  UploadRoom room;
  room.add_channel("second", {"bob"});
  auto upload = room.upload("alice", "a.txt", kBytes);
  auto message = room.attach("alice", upload);
  auto copy = room.user("bob").post("/v1/channels/messaging/second/messages",
                                    {{"forward", {{"cid", "messaging:general"}, {"message_id", message["id"]}}}});
  REQUIRE(copy.status == 201);
  CHECK(copy.body["message"]["attachments"][0]["upload_id"] == upload["id"]);
  CHECK(room.user("alice").del("/v1/uploads/" + upload["id"].get<std::string>()).code() == "conflict");
  REQUIRE(room.user("alice").del(path_of(message) + "?mode=hard").status == 200);
  remove_all(room);
  CHECK(room.files() == 1);
  CHECK(room.user("bob").get("/v1/uploads/" + upload["id"].get<std::string>()).status == 200);
  REQUIRE(room.user("bob").del("/v1/channels/messaging/second/messages/" + copy.body["message"]["id"].get<std::string>() + "?mode=hard").status == 200);
  expect_all_removed(room);
  CHECK(room.stored() == 0);
  CHECK(UploadRoom::fetch(upload["url"]).status == 404);
}

TEST_CASE("uploads: two messages that go at once leave nothing behind", "[api][uploads]") {
  UploadRoom room;
  for (int i = 0; i < 5; ++i) {
    auto upload = room.upload("alice", "a.txt", kBytes);
    auto first = room.attach("alice", upload), second = room.attach("alice", upload);
    std::thread beside([&] { CHECK(room.user("alice").del(path_of(first) + "?mode=hard").status == 200); });
    CHECK(room.user("alice").del(path_of(second) + "?mode=hard").status == 200);
    beside.join();
  }
  CHECK(room.rows("uploads", "uses > 0") == 0);
  expect_all_removed(room);
}

TEST_CASE("uploads: a soft deletion keeps the file, and taking it back shows it again", "[api][uploads]") {
  UploadRoom room;
  auto upload = room.upload("alice", "a.txt", kBytes);
  auto message = room.attach("alice", upload);
  REQUIRE(room.user("alice").del(path_of(message)).status == 200);
  remove_all(room);
  CHECK(room.files() == 1);
  REQUIRE(room.user("alice").post(path_of(message) + "/undelete").status == 200);
  CHECK(UploadRoom::fetch(room.user("bob").get("/v1/uploads/" + upload["id"].get<std::string>()).body["upload"]["url"]).body == kBytes);
}

TEST_CASE("uploads: what was never brought or never attached goes after its time", "[api][uploads]") {
  UploadRoom room;
  room.begin("alice", "never.txt", 100);
  room.upload("alice", "unused.txt", kBytes);
  UploadRoom::remove_due();
  CHECK(room.rows("uploads") == 2);
  CHECK(room.rows("uploads", "state = 'pending' and delete_after between now() + interval '119 minutes' and now() + interval '121 minutes'") == 1);
  CHECK(room.rows("uploads", "state = 'ready' and delete_after between now() + interval '23 hours' and now() + interval '24 hours'") == 1);
  room.change("delete_after = now() - interval '1 second'");
  UploadRoom::remove_due();
  CHECK(room.files() == 0);
  CHECK(room.rows("storage_accounts", "reserved_bytes = 0 and stored_bytes = 0") == 1);
  CHECK(room.rows("uploads", "state = 'removing' and name = ''") == 2);   // while their links could still bring bytes
  remove_all(room);
  room.change("delete_after = now()");
  UploadRoom::remove_due();
  CHECK(room.rows("uploads") == 0);
}

TEST_CASE("uploads: bytes that come over the link of a removed upload go, too", "[api][uploads]") {
  UploadRoom room;
  auto begun = room.begin("alice", "late.txt", kBytes.size());
  REQUIRE(room.user("alice").del("/v1/uploads/" + begun["upload"]["id"].get<std::string>()).status == 204);
  UploadRoom::remove_due();
  CHECK(UploadRoom::bring(begun, kBytes).code() == "not_found");
  CHECK(room.user("alice").del("/v1/uploads/" + begun["upload"]["id"].get<std::string>()).status == 404);
  room.change("links_until = now(), delete_after = now()");
  UploadRoom::remove_due();
  CHECK(room.files() == 0);
  CHECK(room.rows("uploads") == 0);
}

TEST_CASE("uploads: whoever is killed between mark, file and row leaves nothing for long", "[api][uploads]") {
  UploadRoom room;
  room.upload("alice", "marked.txt", kBytes);
  room.change("state = 'removing', delete_after = now(), links_until = now()");   // killed before the file went
  room.change("stored_bytes = 0", "storage_accounts");
  CHECK(room.files() == 1);
  UploadRoom::remove_due();
  CHECK(room.files() == 0);
  CHECK(room.rows("uploads") == 0);
  room.upload("alice", "gone.txt", kBytes);
  std::filesystem::remove_all(room.folder());                                    // killed before the row went
  room.change("state = 'removing', delete_after = now(), links_until = now()");
  UploadRoom::remove_due();
  CHECK(room.rows("uploads") == 0);
}

TEST_CASE("uploads: no message takes an upload that is on its way out", "[api][uploads]") {
  UploadRoom room;
  auto upload = room.upload("alice", "a.txt", kBytes);
  auto message = room.attach("alice", upload);
  auto second = room.upload("alice", "b.txt", kBytes);
  Probe probe(superuser_database().dsn);
  probe.run("update uploads set state = 'removing', delete_after = now() where app_id = '" + room.uuid() + "' and uses = 0");
  CHECK(room.user("alice").post(kMessages, {{"attachments", {{{"upload_id", second["id"]}}}}}).code() == "invalid_field");
  // Marked after it was judged, before the message was stored: the database refuses, and only that message.
  CHECK_THROWS(probe.run("update messages set attachments = attachments || jsonb_build_array(jsonb_build_object('upload_id', '" +
                         second["id"].get<std::string>() + "')) where app_id = '" + room.uuid() + "'"));
  CHECK(room.rows("upload_uses") == 1);
}

TEST_CASE("uploads: a message that waits for its time holds its files", "[api][uploads]") {
  UploadRoom room;
  auto mine = room.upload("alice", "a.txt", kBytes), bobs = room.upload("bob", "b.txt", kBytes);
  const Json held{{{"upload_id", mine["id"]}}, {{"upload_id", bobs["id"]}}};
  auto waiting = room.user("alice").post("/v1/channels/messaging/general/scheduled_messages",
                                         {{"message", {{"attachments", held}}}, {"send_at", format_time(system_clock().now() + std::chrono::hours(48))}});
  REQUIRE(waiting.status == 201);
  CHECK(room.rows("uploads", "uses = 1 and delete_after is null") == 1);   // not what is not hers
  CHECK(room.user("bob").get("/v1/uploads/" + mine["id"].get<std::string>()).status == 404);
  REQUIRE(room.user("alice").del("/v1/scheduled_messages/" + waiting.body["scheduled_message"]["id"].get<std::string>()).status < 300);
  CHECK(room.rows("upload_uses") == 0);
  auto soon = room.user("alice").post("/v1/channels/messaging/general/scheduled_messages",
                                      {{"message", {{"attachments", {{{"upload_id", mine["id"]}}}}}},
                                       {"send_at", format_time(system_clock().now() + std::chrono::milliseconds(200))}});
  REQUIRE(soon.status == 201);
  eventually("it is sent, with its file", [&] {
    Service::get().node().run_job("send_scheduled");
    return room.rows("messages", "attachments -> 0 ->> 'name' = 'a.txt'") == 1 && room.rows("scheduled_messages") == 0;
  });
  CHECK(room.rows("uploads", "uses = 1") == 1);
}

TEST_CASE("uploads: what waits for approval holds its file, until it is sent or forgotten", "[api][uploads]") {
  UploadRoom room;
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"pending", true}}}}).status == 200);
  auto file = room.upload("bob", "a.txt", kBytes);
  auto held = room.user("bob").post(kMessages, {{"text", "look"}, {"attachments", {{{"upload_id", file["id"]}}}}});
  REQUIRE(held.status == 202);
  CHECK(room.rows("uploads", "uses = 1 and delete_after is null") == 1);
  const std::string at = "/v1/channels/messaging/general/pending_messages/" + held.body["pending_message"]["id"].get<std::string>();
  REQUIRE(room.user("alice").post(at + "/approve", Json::object()).status < 300);
  eventually("it is sent, with its file", [&] {
    Service::get().node().run_job("send_approved");
    return room.rows("messages", "attachments -> 0 ->> 'name' = 'a.txt'") == 1 && room.rows("pending_messages") == 0;
  });
  CHECK(room.rows("uploads", "uses = 1") == 1);
}

TEST_CASE("uploads: a channel that is deleted takes its files along", "[api][uploads]") {
  UploadRoom room;
  room.attach("alice", room.upload("alice", "a.txt", kBytes));
  REQUIRE(room.user("alice").del("/v1/channels/messaging/general").status < 300);
  Service::get().node().run_job("purge_deleted");
  eventually("its uses are gone", [&] {
    Service::get().node().run_job("purge_deleted");
    return room.rows("upload_uses") == 0;
  });
  expect_all_removed(room);
}

TEST_CASE("uploads: a user that is erased takes its files along", "[api][uploads]") {
  UploadRoom room;
  room.attach("alice", room.upload("alice", "sent.txt", kBytes));
  room.upload("alice", "unsent.txt", kBytes);
  room.attach("bob", room.upload("bob", "bobs.txt", kBytes));
  REQUIRE(room.server().del("/v1/users/alice?mode=hard").status < 300);
  eventually("her messages are erased", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return room.rows("user_erasures") == 0;
  });
  remove_all(room);
  CHECK(room.files() == 1);
  CHECK(room.rows("uploads") == 1);
}

TEST_CASE("uploads: an application that is deleted is purged when its files are gone", "[api][uploads]") {
  UploadRoom room;
  room.attach("alice", room.upload("alice", "a.txt", kBytes));
  room.upload("alice", "b.txt", kBytes);
  REQUIRE(Service::get().operators().del("/operator/v1/applications/" + room.id()).status < 300);
  Probe(superuser_database().dsn).run("update applications set delete_after = now() where app_id = '" + AppId::parse(room.id())->text() + "'");
  Service::get().node().run_job("end_deletions");
  eventually("everything is gone", [&] {
    Service::get().node().run_job("purge_deleted");
    remove_all(room);
    room.change("delete_after = now()");
    return room.rows("applications", "purged_at is not null") == 1;
  }, std::chrono::seconds(60));
  CHECK(room.files() == 0);
  CHECK(room.rows("uploads") == 0);
  CHECK(room.rows("storage_accounts") == 0);
}

TEST_CASE("uploads: a user's export names its uploads", "[api][uploads]") {
  UploadRoom room;
  auto upload = room.upload("alice", "mine.txt", kBytes);
  room.upload("bob", "his.txt", kBytes);
  auto task = room.server().post("/v1/users/alice/export");
  REQUIRE(task.status == 202);
  const std::string path = "/v1/tasks/" + task.body["task"]["task_id"].get<std::string>();
  eventually("the export", [&] { return room.server().get(path).body["task"]["status"] == "done"; }, std::chrono::seconds(20));
  const auto lines = room.server().get(path + "/parts/1").http.body;
  CHECK(lines.find("\"kind\":\"upload\"") != std::string::npos);
  CHECK(lines.find(upload["id"].get<std::string>()) != std::string::npos);
  CHECK(lines.find("his.txt") == std::string::npos);
}

TEST_CASE("uploads: a draft holds its file until it is sent or has been gone for an hour, and nobody else reads it", "[api][uploads][drafts]") {
  UploadRoom room;
  const std::string draft = "/v1/channels/messaging/general/draft";
  const auto upload = room.upload("alice", "a.txt", kBytes), other = room.upload("bob", "b.txt", kBytes);
  const Json attached{{"attachments", {{{"upload_id", upload["id"]}}, {{"upload_id", other["id"]}}}}};
  REQUIRE(room.user("alice").put(draft, {{"message", attached}}).status == 201);
  CHECK(room.rows("uploads", "uses = 1 and delete_after is null") == 1);      // another's is not held by it
  CHECK(room.user("bob").get("/v1/uploads/" + upload["id"].get<std::string>()).status == 404);
  REQUIRE(room.user("alice").post(kMessages, {{"attachments", {{{"upload_id", upload["id"]}}}}, {"clear_draft", true}}).status == 201);
  CHECK(room.rows("uploads", "uses = 1 and delete_after is null") == 1);
  const auto second = room.upload("alice", "c.txt", kBytes);
  REQUIRE(room.user("alice").put(draft, {{"message", {{"attachments", {{{"upload_id", second["id"]}}}}}}}).status == 201);
  REQUIRE(room.user("alice").put(draft, {{"message", {{"text", "without"}}}}).status == 200);
  CHECK(room.rows("uploads", "uses = 0 and delete_after between now() + interval '59 minutes' and now() + interval '61 minutes'") == 1);
  REQUIRE(room.user("alice").put(draft, {{"message", {{"attachments", {{{"upload_id", second["id"]}}}}}}}).status == 200);
  CHECK(room.rows("upload_uses") == 2);
  REQUIRE(room.user("alice").del(draft).status == 204);
  CHECK(room.rows("upload_uses") == 1);
  CHECK(room.rows("uploads", "uses = 0 and delete_after > now() + interval '59 minutes' and delete_after < now() + interval '61 minutes'") == 1);
}
