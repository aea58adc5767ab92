#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kPending = "/v1/channels/messaging/general/pending_messages";

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob", "carol"});
    hold_all(true);
  }
  void hold_all(bool pending) {
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", {{"pending", pending}}}}).status == 200);
  }
  Json held(const std::string& who, const std::string& text, Json more = Json::object()) {
    more["text"] = text;
    auto answer = user(who).post(kMessages, more);
    INFO(answer.http.body);
    REQUIRE(answer.status == 202);
    return answer.body["pending_message"];
  }
  Answer decide(Actor who, const Json& pending, const std::string& how, const Json& body = Json::object()) {
    return who.post(kPending + "/" + pending["id"].get<std::string>() + "/" + how, body);
  }
  void run_until_sent() {
    eventually("the approved messages' end", [&] {
      Service::get().node().run_job("send_approved");
      return rows("pending_messages", "status = 'approved'") == 0;
    });
  }
  void change(const std::string& what, const std::string& where = "true") {
    Probe(superuser_database().dsn)
        .run("update pending_messages set " + what + " where app_id = '" + AppId::parse(id())->text() + "' and " + where);
  }
};

}  // namespace

TEST_CASE("pending: held, a message is known to its author and the moderators alone, and counts nowhere", "[api][pending][ws]") {
  Room room;
  auto alice = room.connect("alice"), bob = room.connect("bob"), carol = room.connect("carol");
  auto pending = room.held("bob", "may I?", {{"mentions", {"carol"}}, {"custom", {{"k", 1}}}});
  CHECK(pending["status"] == "pending");
  CHECK(pending["message"] == Json({{"text", "may I?"}, {"mentions", {"carol"}}, {"custom", {{"k", 1}}}}));
  CHECK(hear(bob, "message.pending")["data"]["pending_message"] == pending);
  CHECK(hear(alice, "message.pending")["data"]["pending_message"] == pending);
  CHECK_FALSE(carol.find("message.pending", std::chrono::milliseconds(150)));
  CHECK_FALSE(carol.find("message.new", std::chrono::milliseconds(50)));
  CHECK(room.rows("messages") == 0);
  CHECK(room.rows("mentions") == 0);
  CHECK(room.user("carol").get("/v1/channels/messaging/general").body["membership"]["unread"] == 0);
  CHECK(room.user("alice").get(kPending).body["pending_messages"] == Json({pending}));
  CHECK(room.user("bob").get("/v1/pending_messages").body["pending_messages"] == Json({pending}));
  CHECK(room.user("carol").get("/v1/pending_messages").body["pending_messages"].empty());
  CHECK(room.user("bob").get(kPending).code() == "forbidden");
  CHECK(room.user("alice").post(kMessages, {{"text", "moderators wait for nobody"}}).status == 201);
}

TEST_CASE("pending: where messages wait, nobody edits one but those who approve", "[api][pending]") {
  Room room;
  room.hold_all(false);
  const auto path = kMessages + "/" + room.send("bob", "general", "harmless")["id"].get<std::string>();
  room.hold_all(true);
  CHECK(room.user("bob").patch(path, {{"set", {{"text", "Buy now!"}}}}).code() == "forbidden");
  CHECK(room.user("alice").patch(path, {{"set", {{"text", "by its owner"}}}}).status == 200);
  room.hold_all(false);
  CHECK(room.user("bob").patch(path, {{"set", {{"text", "harmless still"}}}}).status == 200);
}

TEST_CASE("pending: approved, it goes the way of every message, with the next number", "[api][pending][ws]") {
  Room room;
  auto bob = room.connect("bob"), carol = room.connect("carol");
  auto pending = room.held("bob", "may I?", {{"nonce", "n1"}, {"mentions", {"carol"}}});
  auto before = room.user("alice").post(kMessages, {{"text", "first"}}).body["message"];
  auto approved = room.decide(room.user("alice"), pending, "approve");
  CHECK(approved.status == 202);
  CHECK(approved.body["pending_message"]["status"] == "approved");
  CHECK(approved.body["pending_message"]["decided_by"] == "alice");
  room.run_until_sent();
  hear(carol, "message.new");
  auto message = hear(carol, "message.new")["data"]["message"];
  CHECK(message["text"] == "may I?");
  CHECK(message["user_id"] == "bob");
  CHECK(message["nonce"] == "n1");
  CHECK(message["message_seq"] == before["message_seq"].get<int>() + 1);
  CHECK(hear(bob, "message.approved")["data"]["message_id"] == message["id"]);
  CHECK_FALSE(carol.find("message.approved", std::chrono::milliseconds(150)));
  CHECK(room.user("carol").get("/v1/channels/messaging/general").body["membership"]["unread"] == 2);
  CHECK(room.rows("mentions") == 1);
  CHECK(room.rows("pending_messages") == 0);
}

TEST_CASE("pending: sent again under its nonce it is the same, held and after the approval", "[api][pending]") {
  Room room;
  auto bob = room.user("bob");
  const Json body = {{"text", "once"}, {"nonce", "n1"}, {"custom", {{"b", 1}, {"a", 2}}}};
  auto first = bob.post(kMessages, body);
  auto second = bob.post(kMessages, body);
  CHECK(second.status == 202);
  CHECK(second.body == first.body);
  CHECK(bob.post(kMessages, {{"text", "other"}, {"nonce", "n1"}}).code() == "idempotency_mismatch");
  room.decide(room.user("alice"), first.body["pending_message"], "approve");
  room.run_until_sent();
  auto third = bob.post(kMessages, body);
  CHECK(third.status == 200);
  CHECK(third.body["message"]["text"] == "once");
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("pending: approved it is sent once, whoever runs the job and whoever dies", "[api][pending][concurrency]") {
  Room room;
  for (int i = 0; i < 4; ++i) room.decide(room.user("alice"), room.held("bob", std::to_string(i)), "approve");
  std::thread beside([] { Service::get().node().run_job("send_approved"); });
  Service::get().node().run_job("send_approved");
  beside.join();
  room.run_until_sent();
  CHECK(room.rows("messages") == 4);
  auto again = room.held("bob", "once");
  Probe database(superuser_database().dsn);
  const std::string app = "'" + AppId::parse(room.id())->text() + "'";
  database.run("create temp table kept as select * from pending_messages where app_id = " + app);
  database.run("update kept set status = 'approved'");
  room.change("status = 'approved'");
  room.run_until_sent();
  database.run("insert into pending_messages select * from kept");   // as it is after a crash before the end was kept
  room.change("claimed_until = null");
  room.run_until_sent();
  CHECK(room.rows("messages", "text = 'once'") == 1);
}

TEST_CASE("pending: rejected, its author is told why, and it can't be approved any more", "[api][pending][ws]") {
  Room room;
  auto pending = room.held("bob", "may I?");
  auto bob = room.connect("bob"), carol = room.connect("carol");
  auto rejected = room.decide(room.user("alice"), pending, "reject", {{"reason", "Off topic"}});
  CHECK(rejected.body["pending_message"]["status"] == "rejected");
  CHECK(hear(bob, "message.rejected")["data"]["pending_message"]["reason"] == "Off topic");
  CHECK_FALSE(carol.find("message.rejected", std::chrono::milliseconds(150)));
  CHECK(room.decide(room.user("alice"), pending, "reject").body["pending_message"]["reason"] == "Off topic");
  CHECK(room.decide(room.user("alice"), pending, "approve").code() == "conflict");
  CHECK(room.user("alice").get(kPending).body["pending_messages"].empty());
  CHECK(room.user("bob").get("/v1/pending_messages").body["pending_messages"][0]["status"] == "rejected");
  auto other = room.held("bob", "again");
  room.change("status = 'approved', claimed_until = now() + interval '1 minute'", "status = 'pending'");   // being sent
  CHECK(room.decide(room.user("alice"), other, "reject").code() == "conflict");
  CHECK_FALSE(room.decide(room.server(), other, "approve").body["pending_message"].contains("decided_by"));
  room.change("claimed_until = null");
  room.run_until_sent();
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("pending: what nobody decides in time is rejected, and forgotten later", "[api][pending][ws]") {
  Room room;
  room.held("bob", "may I?");
  auto bob = room.connect("bob");
  room.change("expires_at = now() - interval '1 second'");
  Service::get().node().run_job("expire_pending");
  auto heard = hear(bob, "message.rejected")["data"]["pending_message"];
  CHECK(heard["reason"] == "Nobody decided in time.");
  CHECK_FALSE(heard.contains("decided_by"));
  CHECK(room.rows("pending_messages") == 1);
  room.change("expires_at = now() - interval '1 second'");
  eventually("the sweep", [&] {
    Service::get().node().run_job("expire_pending");
    return room.rows("pending_messages") == 0;
  });
}

TEST_CASE("pending: a server holds a single message, polls and threads included", "[api][pending]") {
  Room room;
  room.hold_all(false);
  auto parent = room.send("alice", "general", "parent");
  auto answer = room.server().post(kMessages, {{"user_id", "bob"}, {"pending", true}, {"parent_id", parent["id"]}, {"show_in_channel", true},
                                               {"silent", true}, {"type", "image"}, {"attachments", {{{"type", "image"}}}},
                                               {"mention_roles", {"moderator"}},
                                               {"poll", {{"question", "x"}, {"options", {"a", "b"}}, {"anonymous", true}}}});
  REQUIRE(answer.status == 202);
  CHECK(answer.body["pending_message"]["message"]["poll"]["options"] == Json({"a", "b"}));
  CHECK(room.user("bob").post(kMessages, {{"text", "x"}, {"pending", true}}).pointer() == "#/pending");
  room.decide(room.user("alice"), answer.body["pending_message"], "approve");
  room.run_until_sent();
  auto message = room.user("carol").get(kMessages + "?limit=1").body["messages"][0];
  CHECK(message["parent_id"] == parent["id"]);
  CHECK(message["silent"] == true);
  CHECK(message["type"] == "image");
  CHECK(message["mention_roles"] == Json({"moderator"}));
  CHECK(message["poll"]["anonymous"] == true);
}

TEST_CASE("pending: a copy keeps where it is from, and a command is invoked once it is approved", "[api][pending][commands][ws]") {
  Room room;
  room.add_channel("news", {"bob"});
  REQUIRE(room.server().put("/v1/commands/giphy", {{"description", "A picture"}}).status == 201);
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"giphy"}}}}}).status == 200);
  auto backend = room.connect("");
  const auto original = room.user("bob").post("/v1/channels/messaging/news/messages", {{"text", "told before"}}).body["message"];
  const auto copy = room.user("bob").post(kMessages, {{"forward", {{"cid", "messaging:news"}, {"message_id", original["id"]}}}});
  REQUIRE(copy.status == 202);
  CHECK(copy.body["pending_message"]["message"]["forwarded"]["message_id"] == original["id"]);
  const auto command = room.held("bob", "/giphy two cats");
  CHECK(command["message"]["command"] == Json({{"name", "giphy"}, {"args", "two cats"}}));
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(150)));
  for (const auto& pending : {copy.body["pending_message"], command}) room.decide(room.user("alice"), pending, "approve");
  room.run_until_sent();
  const auto invoked = hear(backend, "command.invoked")["data"];
  CHECK(invoked["command"]["args"] == "two cats");
  CHECK(invoked["message"]["user_id"] == "bob");
  const auto shown = room.user("carol").get(kMessages).body["messages"];
  REQUIRE(shown.size() == 2);
  for (const auto& message : shown) {
    if (message.contains("command")) CHECK(message["command"]["name"] == "giphy");
    else CHECK(message["forwarded"]["cid"] == "messaging:news");
  }
}

TEST_CASE("pending: a scheduled message waits from its time on, and is sent once it is approved", "[api][pending][scheduled][ws]") {
  Room room;
  auto alice = room.connect("alice"), bob = room.connect("bob");
  const auto in_a_moment = format_time(system_clock().now() + std::chrono::milliseconds(300));
  const auto scheduled = room.user("bob").post("/v1/channels/messaging/general/scheduled_messages", {{"message", {{"text", "later"}}}, {"send_at", in_a_moment}});
  REQUIRE(scheduled.status == 201);
  eventually("it is held", [&] {
    Service::get().node().run_job("send_scheduled");
    return room.rows("pending_messages") == 1 && room.rows("scheduled_messages") == 0;
  });
  CHECK(room.rows("messages") == 0);
  const auto ended = hear(bob, "schedule.sent")["data"];
  CHECK(ended["scheduled_message"]["id"] == scheduled.body["scheduled_message"]["id"]);
  CHECK_FALSE(ended.contains("message_id"));
  const auto pending = hear(alice, "message.pending")["data"]["pending_message"];
  CHECK(pending["message"]["text"] == "later");
  REQUIRE(room.decide(room.user("alice"), pending, "approve").status == 202);
  room.run_until_sent();
  CHECK(room.user("carol").get(kMessages).body["messages"][0]["text"] == "later");
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("pending: what may not be sent is refused at once and not held", "[api][pending][permissions][tenancy]") {
  Room room, other;
  room.add_users({"mallory"});
  CHECK(room.user("mallory").post(kMessages, {{"text", "x"}}).code() == "not_found");
  CHECK(room.user("bob").post(kMessages, {{"text", std::string(20'001, 'x')}}).code() == "too_large");
  CHECK(room.user("bob").post(kMessages, {{"text", "x"}, {"parent_id", "msg_01h455vb4pex5vsknk084sn02q"}}).code() == "not_found");
  CHECK(room.rows("pending_messages") == 0);
  auto pending = room.held("bob", "x");
  CHECK(room.decide(room.user("bob"), pending, "approve").code() == "forbidden");
  CHECK(room.decide(room.user("carol"), pending, "reject").code() == "forbidden");
  CHECK(room.decide(other.server(), pending, "approve").code() == "not_found");
  CHECK(room.decide(room.server(), pending, "reject", {{"reason", std::string(501, 'x')}}).pointer() == "#/reason");
  CHECK(room.server().get("/v1/pending_messages").pointer() == "query:user_id");
  CHECK(room.server().post(kPending + "/pnd_01h455vb4pex5vsknk084sn02q/approve").code() == "not_found");
  CHECK(room.rows("pending_messages", "status = 'pending'") == 1);
}

TEST_CASE("pending: a user has a hundred undecided, and lists come in pages", "[api][pending][limits]") {
  Room room;
  for (int i = 0; i < 100; ++i) room.held("bob", std::to_string(i));
  CHECK(room.user("bob").post(kMessages, {{"text", "one more"}}).code() == "limit_reached");
  auto page = room.user("alice").get(kPending + "?limit=60").body;
  CHECK(page["pending_messages"].size() == 60);
  auto rest = room.user("alice").get(kPending + "?limit=60&next=" + page["next"].get<std::string>()).body;
  CHECK(rest["pending_messages"].size() == 40);
  CHECK_FALSE(rest.contains("next"));
}

TEST_CASE("pending: refused at its sending it says so, and can be approved again", "[api][pending]") {
  Room room;
  auto pending = room.held("bob", "x");
  REQUIRE(room.server().post("/v1/users/bob/deactivate").status == 200);
  room.decide(room.user("alice"), pending, "approve");
  room.run_until_sent();
  CHECK(room.rows("messages") == 0);
  CHECK(room.user("alice").get(kPending).body["pending_messages"][0]["status"] == "failed");
  REQUIRE(room.server().post("/v1/users/bob/reactivate").status == 200);
  room.decide(room.user("alice"), pending, "approve");
  room.run_until_sent();
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("pending: exported and erased with its author", "[api][pending][exports]") {
  Room room;
  room.held("bob", "my secret");
  auto task = room.server().post("/v1/users/bob/export").body["task"];
  const auto path = "/v1/tasks/" + task["task_id"].get<std::string>();
  eventually("the export", [&] {
    Service::get().node().run_job("run_tasks");
    return room.server().get(path).body["task"]["status"] == "done";
  });
  CHECK(room.server().get(path + "/parts/1").http.body.find("my secret") != std::string::npos);
  REQUIRE(room.server().del("/v1/users/bob?mode=hard").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return room.rows("user_erasures") == 0;
  });
  CHECK(room.rows("pending_messages") == 0);
}
