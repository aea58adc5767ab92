#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kSchedule = "/v1/channels/messaging/general/scheduled_messages";
const std::string kScheduled = "/v1/scheduled_messages";

std::string at(std::chrono::milliseconds from_now) { return format_time(system_clock().now() + from_now); }

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  Json schedule(const std::string& who, const std::string& text, std::chrono::milliseconds in, Json more = Json::object()) {
    more["text"] = text;
    auto answer = user(who).post(kSchedule, {{"message", more}, {"send_at", at(in)}});
    REQUIRE(answer.status == 201);
    return answer.body["scheduled_message"];
  }
  // Its time comes now, and the claim of whoever died with it is over.
  void make_due() { change("send_at = now() - interval '1 second', claimed_until = null"); }
  void change(const std::string& what) {
    Probe(superuser_database().dsn).run("update scheduled_messages set " + what + " where app_id = '" + AppId::parse(id())->text() + "'");
  }
  void run_until_done() {
    eventually("the scheduled messages' end", [&] {
      Service::get().node().run_job("send_scheduled");
      return rows("scheduled_messages", "failed_code is null") == 0;
    });
  }
};

}  // namespace

TEST_CASE("scheduled: at its time it is sent, and everybody hears of it", "[api][scheduled][ws]") {
  Room room;
  auto bob = room.connect("bob");
  auto device = room.connect("alice");
  auto scheduled = room.schedule("alice", "later @bob", std::chrono::milliseconds(1500), {{"mentions", {"bob"}}});
  CHECK(scheduled["status"] == "scheduled");
  CHECK(hear(device, "schedule.updated")["data"]["scheduled_message"]["id"] == scheduled["id"]);
  CHECK(room.user("bob").get(kMessages).body["messages"].empty());
  room.run_until_done();
  auto message = hear(bob, "message.new")["data"]["message"];
  CHECK(message["text"] == "later @bob");
  CHECK(message["user_id"] == "alice");
  CHECK(hear(device, "schedule.sent")["data"]["message_id"] == message["id"]);
  CHECK_FALSE(bob.find("schedule.sent", std::chrono::milliseconds(150)));
  CHECK(room.rows("mentions") == 1);
  CHECK(room.user("alice").get(kScheduled).body["scheduled_messages"].empty());
}

TEST_CASE("scheduled: sent once, though two nodes run the job and one dies before it kept the end", "[api][scheduled][concurrency]") {
  Room room;
  for (int i = 0; i < 5; ++i) room.schedule("alice", std::to_string(i), std::chrono::hours(1));
  room.make_due();
  std::thread beside([] { Service::get().node().run_job("send_scheduled"); });
  Service::get().node().run_job("send_scheduled");
  beside.join();
  room.run_until_done();
  CHECK(room.rows("messages") == 5);
  // As it is after a crash between the send and the keeping of its end: the row waits, the message is there.
  auto again = room.schedule("alice", "once", std::chrono::hours(1));
  Probe database(superuser_database().dsn);
  const std::string app = "'" + AppId::parse(room.id())->text() + "'";
  database.run("create temp table kept as select * from scheduled_messages where app_id = " + app);
  room.make_due();
  room.run_until_done();
  REQUIRE(room.rows("messages", "text = 'once'") == 1);
  database.run("insert into scheduled_messages select * from kept");
  room.make_due();
  room.run_until_done();
  CHECK(room.rows("messages", "text = 'once'") == 1);
}

TEST_CASE("scheduled: changed and cancelled until its time comes", "[api][scheduled][ws]") {
  Room room;
  auto alice = room.user("alice");
  auto device = room.connect("alice");
  auto first = room.schedule("alice", "first", std::chrono::hours(2)), second = room.schedule("alice", "second", std::chrono::hours(1));
  auto list = alice.get(kScheduled + "?limit=1");
  CHECK(list.body["scheduled_messages"][0]["id"] == second["id"]);
  CHECK(alice.get(kScheduled + "?limit=1&next=" + list.body["next"].get<std::string>()).body["scheduled_messages"][0]["id"] == first["id"]);
  const auto path = kScheduled + "/" + first["id"].get<std::string>();
  auto changed = alice.patch(path, {{"set", {{"message", {{"text", "better"}}}, {"send_at", at(std::chrono::hours(3))}}}});
  CHECK(changed.status == 200);
  CHECK(changed.body["scheduled_message"]["message"]["text"] == "better");
  CHECK(alice.patch(path, {{"set", {{"message", {{"text", ""}}}}}}).pointer() == "#/set/message/text");
  CHECK(room.user("bob").patch(path, {{"set", {{"send_at", at(std::chrono::hours(3))}}}}).code() == "not_found");
  CHECK(room.user("bob").del(path).code() == "not_found");
  CHECK(alice.del(path).status == 204);
  CHECK(hear(device, "schedule.deleted")["data"]["scheduled_message"]["id"] == first["id"]);
  CHECK(alice.del(path).code() == "not_found");
  room.change("claimed_until = now() + interval '1 minute'");
  const auto sending = kScheduled + "/" + second["id"].get<std::string>();
  CHECK(alice.get(kScheduled).body["scheduled_messages"][0]["status"] == "sending");
  CHECK(alice.del(sending).code() == "conflict");
  CHECK(alice.patch(sending, {{"set", {{"send_at", at(std::chrono::hours(3))}}}}).code() == "conflict");
  CHECK(room.server().del(sending).code() == "conflict");
}

TEST_CASE("scheduled: what holds at its time decides, and the refusal is kept", "[api][scheduled][ws][permissions]") {
  Room room;
  auto alice = room.user("alice");
  auto scheduled = room.schedule("bob", "too late", std::chrono::hours(1));
  REQUIRE(alice.del("/v1/channels/messaging/general/members/bob").status == 204);
  auto device = room.connect("bob");
  room.make_due();
  room.run_until_done();
  CHECK(hear(device, "schedule.failed")["data"]["scheduled_message"]["error"]["code"] == "not_found");
  auto kept = room.user("bob").get(kScheduled).body["scheduled_messages"][0];
  CHECK(kept["status"] == "failed");
  CHECK(room.rows("messages") == 0);
  REQUIRE(alice.post("/v1/channels/messaging/general/members", {{"members", {"bob"}}}).status == 200);
  auto again = room.user("bob").patch(kScheduled + "/" + scheduled["id"].get<std::string>(), {{"set", {{"send_at", at(std::chrono::hours(1))}}}});
  CHECK(again.body["scheduled_message"]["status"] == "scheduled");
  room.make_due();
  room.run_until_done();
  CHECK(room.rows("messages", "text = 'too late'") == 1);
}

TEST_CASE("scheduled: a suspended application's wait", "[api][scheduled]") {
  Room room;
  room.schedule("alice", "waiting", std::chrono::hours(1));
  REQUIRE(Service::get().operators().post("/operator/v1/applications/" + room.id() + "/suspend", {{"reason", "unpaid"}}).status == 200);
  room.make_due();
  Service::get().node().run_job("send_scheduled");
  CHECK(room.rows("messages") == 0);
  CHECK(room.rows("scheduled_messages", "failed_code is null") == 1);
  REQUIRE(Service::get().operators().post("/operator/v1/applications/" + room.id() + "/resume").status == 200);
  room.make_due();
  room.run_until_done();
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("scheduled: refused without a trace", "[api][scheduled][tenancy][permissions][limits]") {
  Room room, other;
  room.add_users({"mallory"});
  auto alice = room.user("alice");
  const auto soon = at(std::chrono::hours(1));
  auto body = [&](const Json& message) { return Json{{"message", message}, {"send_at", soon}}; };
  CHECK(room.user("mallory").post(kSchedule, body({{"text", "x"}})).code() == "not_found");
  CHECK(alice.post(kSchedule, {{"send_at", soon}}).pointer() == "#/message");
  CHECK(alice.post(kSchedule, {{"message", {{"text", "x"}}}}).pointer() == "#/send_at");
  CHECK(alice.post(kSchedule, {{"message", {{"text", "x"}}}, {"send_at", at(std::chrono::hours(-1))}}).pointer() == "#/send_at");
  CHECK(alice.post(kSchedule, {{"message", {{"text", "x"}}}, {"send_at", at(std::chrono::hours(24 * 400))}}).pointer() == "#/send_at");
  CHECK(alice.post(kSchedule, body(Json::object())).pointer() == "#/message/text");
  CHECK(alice.post(kSchedule, body({{"text", "x"}, {"nonce", "n"}})).pointer() == "#/message/nonce");
  CHECK(alice.post(kSchedule, body({{"text", "x"}, {"type", "system"}})).pointer() == "#/message/type");
  CHECK(alice.post(kSchedule, body({{"text", "x"}, {"user_id", "bob"}})).pointer() == "#/message/user_id");
  CHECK(room.rows("scheduled_messages") == 0);
  for (int i = 0; i < 100; ++i) room.schedule("alice", "x", std::chrono::hours(1));
  CHECK(alice.post(kSchedule, body({{"text", "x"}})).code() == "limit_reached");
  auto stolen = kScheduled + "/" + alice.get(kScheduled).body["scheduled_messages"][0]["id"].get<std::string>();
  CHECK(other.server().del(stolen).code() == "not_found");
  CHECK(other.server().patch(stolen, {{"set", {{"send_at", soon}}}}).code() == "not_found");
  CHECK(room.rows("scheduled_messages") == 100);
}
