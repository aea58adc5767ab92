#include <catch2/catch.hpp>

#include <thread>

#include "tests/api/service/uploads_stage.h"

using namespace chat;
using namespace chat::test;

namespace {

Json sized(int bytes) { return {{"name", "a.bin"}, {"size_bytes", bytes}}; }
const std::string kText = "Just text, forty bytes of it, no more.\n";

}  // namespace

TEST_CASE("uploads: refused without a trace", "[api][uploads][permissions][limits][tenancy]") {
  UploadRoom room(Json{{"upload_bytes", {{"hard", 500}}}});
  auto alice = room.user("alice");
  CHECK(alice.post(kUploads, sized(501)).code() == "too_large");
  CHECK(alice.post(kUploads, sized(0)).pointer() == "#/size_bytes");
  CHECK(alice.post(kUploads, {{"name", ""}, {"size_bytes", 5}}).pointer() == "#/name");
  CHECK(alice.post(kUploads, {{"name", "a\nb"}, {"size_bytes", 5}}).pointer() == "#/name");
  CHECK(alice.post(kUploads, {{"name", "a"}, {"size_bytes", 5}, {"path", "/etc"}}).code() == "unknown_field");
  CHECK(room.user("mallory").post(kUploads, sized(5)).code() == "not_found");
  CHECK(room.server().post(kUploads, sized(5)).pointer() == "#/user_id");
  CHECK(alice.post("/v1/uploads", sized(5)).code() == "forbidden");
  CHECK(alice.post("/v1/uploads/links", {{"upload_ids", Json::array()}}).pointer() == "#/upload_ids");
  CHECK(alice.post("/v1/uploads/links", {{"upload_ids", {"upl_"}}}).pointer() == "#/upload_ids/0");
  CHECK(alice.get("/v1/uploads/upl_01h455vb4pex5vsknk084sn02q").status == 404);
  REQUIRE(alice.patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(room.user("bob").post(kUploads, sized(5)).code() == "channel_frozen");
  REQUIRE(alice.patch("/v1/channels/messaging/general", {{"set", {{"frozen", false}}}}).status == 200);
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"member", {"chat:channel:read", "chat:message:send"}}}}}}}).status == 200);
  CHECK(room.user("bob").post(kUploads, sized(5)).code() == "forbidden");
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"grants", {{"member", nullptr}}}, {"uploads", false}}}}).status == 200);
  CHECK(alice.post(kUploads, sized(5)).code() == "forbidden");
  CHECK(room.rows("uploads") == 0);
  CHECK(room.rows("storage_accounts") == 0);
}

TEST_CASE("uploads: the same Idempotency-Key begins one upload", "[api][uploads]") {
  UploadRoom room;
  auto alice = room.user("alice");
  auto first = alice.post(kUploads, sized(5), {{"Idempotency-Key", "one"}});
  auto second = alice.post(kUploads, sized(5), {{"Idempotency-Key", "one"}});
  CHECK(first.body["upload"]["id"] == second.body["upload"]["id"]);
  CHECK(room.rows("uploads") == 1);
}

TEST_CASE("uploads: an application takes the types that it is set to take", "[api][uploads][limits]") {
  UploadRoom room;
  room.set({{"upload_types", {"image/*", "text/plain"}}, {"blocked_upload_types", {"image/gif"}}});
  auto alice = room.user("alice");
  CHECK(alice.post(kUploads, {{"name", "a"}, {"size_bytes", 5}, {"mime_type", "video/mp4"}}).code() == "unsupported_media_type");
  CHECK(alice.post(kUploads, {{"name", "a"}, {"size_bytes", 5}, {"mime_type", "image/gif"}}).code() == "unsupported_media_type");
  CHECK(room.rows("uploads") == 0);
  CHECK(room.upload("alice", "a.txt", kText)["mime_type"] == "text/plain");
  const std::string gif("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;", 43);
  auto begun = alice.post(kUploads, {{"name", "a.png"}, {"size_bytes", gif.size()}, {"mime_type", "image/png"}});
  CHECK(UploadRoom::bring(begun.body, gif).code() == "unsupported_media_type");
  UploadRoom::remove_due();
  CHECK(room.files() == 1);
  CHECK(room.stored() == static_cast<int>(kText.size()));
  auto operators = Service::get().operators();
  CHECK(operators.patch("/operator/v1/applications/" + room.id(), {{"set", {{"settings", {{"upload_types", {"png"}}}}}}}).code() == "invalid_field");
}

TEST_CASE("uploads: a plan takes its types, of which an application takes its own", "[api][uploads][limits][plans]") {
  UploadRoom room;
  auto operators = Service::get().operators();
  const std::string plan = "p-" + room.id().substr(4);
  CHECK(operators.put("/operator/v1/plans/" + plan, {{"name", "P"}, {"upload_types", {"text/plain", "PNG"}}}).pointer() == "#/upload_types/1");
  REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "P"}, {"upload_types", {"text/*", "image/png"}}}).status == 200);
  REQUIRE(operators.patch("/operator/v1/applications/" + room.id(), {{"set", {{"plan", plan}}}}).status == 200);
  auto alice = room.user("alice");
  const auto begin = [&](const char* type) { return alice.post(kUploads, {{"name", "a"}, {"size_bytes", 5}, {"mime_type", type}}); };
  eventually("the plan is known", [&] { return begin("video/mp4").code() == "unsupported_media_type" && begin("video/mp4").code() == "unsupported_media_type"; });
  CHECK(begin("video/mp4").pointer() == "plan:upload_types");
  CHECK(begin("text/csv").status == 201);
  CHECK(room.upload("alice", "a.txt", kText)["mime_type"] == "text/plain");
  room.set({{"upload_types", {"text/plain", "image/gif"}}});
  eventually("the setting is known", [&] { return begin("text/csv").code() == "unsupported_media_type" && begin("text/csv").code() == "unsupported_media_type"; });
  CHECK(begin("text/plain").status == 201);
  CHECK(begin("image/png").code() == "unsupported_media_type");            // the plan's, not the application's
  CHECK(begin("image/gif").code() == "unsupported_media_type");            // the application's, not the plan's
  const std::string gif("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;", 43);
  auto lying = alice.post(kUploads, {{"name", "a.txt"}, {"size_bytes", gif.size()}, {"mime_type", "text/plain"}});
  CHECK(UploadRoom::bring(lying.body, gif).code() == "unsupported_media_type");   // what it is, not what it was called
}

TEST_CASE("uploads: storage ends exactly at its limit, whoever comes at once", "[api][uploads][limits]") {
  UploadRoom room(Json{{"storage_bytes", {{"hard", 1000}}}});
  std::vector<std::thread> threads;
  std::atomic<int> taken{0}, refused{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, user = i % 2 == 0 ? "alice" : "bob"] {
      auto actor = room.user(user);
      for (int j = 0; j < 5; ++j) {
        const auto answer = actor.post(kUploads, sized(100));
        taken += answer.status == 201;
        refused += answer.code() == "limit_reached";
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(taken == 10);
  CHECK(refused == 10);
  CHECK(room.rows("storage_accounts", "reserved_bytes = 1000 and stored_bytes = 0") == 1);
  room.change("delete_after = now()");
  UploadRoom::remove_due();
  CHECK(room.rows("storage_accounts", "reserved_bytes = 0") == 1);
  CHECK(room.user("alice").post(kUploads, sized(1001)).code() == "limit_reached");
  CHECK(room.user("alice").post(kUploads, sized(1000)).status == 201);
}

TEST_CASE("uploads: a user has a hundred under way at most", "[api][uploads][limits]") {
  UploadRoom room;
  auto alice = room.user("alice");
  for (int i = 0; i < 100; ++i) REQUIRE(alice.post(kUploads, sized(1)).status == 201);
  CHECK(alice.post(kUploads, sized(1)).code() == "limit_reached");
  CHECK(room.user("bob").post(kUploads, sized(1)).status == 201);
}

TEST_CASE("uploads: a server's own goes into any channel", "[api][uploads]") {
  UploadRoom room;
  room.add_channel("second", {"bob"});
  auto begun = room.server().post("/v1/uploads", {{"name", "welcome.txt"}, {"size_bytes", kText.size()}});
  REQUIRE(begun.status == 201);
  auto brought = UploadRoom::bring(begun.body, kText);
  CHECK_FALSE(brought.body["upload"].contains("user_id"));
  const Json held{{{"upload_id", brought.body["upload"]["id"]}}};
  CHECK(room.user("alice").post(kMessages, {{"attachments", held}}).pointer() == "#/attachments/0/upload_id");
  for (const char* channel : {"general", "second"})
    CHECK(room.server().post(std::string("/v1/channels/messaging/") + channel + "/messages", {{"user_id", "bob"}, {"attachments", held}}).status == 201);
  CHECK(room.rows("uploads", "uses = 2") == 1);
}

TEST_CASE("uploads: the ledger holds bytes times hours, day by day", "[api][uploads][usage]") {
  UploadRoom room;
  room.upload("alice", "a.txt", kText);
  const auto bytes = static_cast<int>(kText.size());
  // As if it had lain there since noon of the day before yesterday; what gathered until now goes to three days.
  room.change("settled_at = (date_trunc('day', now() at time zone 'UTC') - interval '36 hours') at time zone 'UTC', byte_seconds = 0", "storage_accounts");
  Service::get().node().run_job("settle_storage");
  auto hours = [&](const char* days_ago) {
    return Probe(superuser_database().dsn).value("select coalesce(sum(value), 0) from usage_metrics where app_id = '" + room.uuid() +
        "' and meter = 'storage_byte_hours' and day = (now() at time zone 'UTC')::date - " + days_ago);
  };
  CHECK(hours("2") == std::to_string(bytes * 12));
  CHECK(hours("1") == std::to_string(bytes * 24));
  // What is in the ledger and what waits to be is the whole integral.
  CHECK(Probe(superuser_database().dsn).value(
      "select abs(3600 * (select sum(value) from usage_metrics u where u.app_id = s.app_id and meter = 'storage_byte_hours') + byte_seconds - stored_bytes *"
      " extract(epoch from settled_at - (date_trunc('day', now() at time zone 'UTC') - interval '36 hours') at time zone 'UTC')) < 0.001"
      " from storage_accounts s where app_id = '" + room.uuid() + "'") == "t");
  Service::get().node().run_job("settle_storage");   // nothing is counted twice
  CHECK(hours("1") == std::to_string(bytes * 24));
}
