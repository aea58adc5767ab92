#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kPinned = "/v1/channels/messaging/general/pinned";

std::string path_of(const Json& message, const std::string& more = "") { return kMessages + "/" + message["id"].get<std::string>() + more; }
std::string at(std::chrono::seconds from_now) { return format_time(system_clock().now() + from_now); }

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob", "carol"});
  }
};

}  // namespace

TEST_CASE("pins: a member pins and unpins, and everybody hears of it", "[api][pins][ws]") {
  Room room;
  auto first = room.send("alice", "general", "one"), second = room.send("alice", "general", "two");
  auto carol = room.connect("carol");
  auto pinned = room.user("bob").post(path_of(first, "/pin"));
  CHECK(pinned.status == 200);
  CHECK(pinned.body["message"]["pin"]["by"] == "bob");
  CHECK_FALSE(pinned.body["message"].contains("updated_at"));
  CHECK(hear(carol, "message.updated")["data"]["message"]["pin"]["by"] == "bob");
  CHECK(room.user("bob").post(path_of(first, "/pin")).body == pinned.body);
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 1);
  REQUIRE(room.server().post(path_of(second, "/pin")).status == 200);
  auto list = room.user("carol").get(kPinned).body["messages"];
  REQUIRE(list.size() == 2);
  CHECK(list[0]["text"] == "two");
  CHECK_FALSE(list[0]["pin"].contains("by"));
  CHECK(room.user("carol").get(kMessages).body["messages"][0]["pin"]["by"] == "bob");
  CHECK_FALSE(room.user("alice").del(path_of(first, "/pin")).body["message"].contains("pin"));
  CHECK(room.user("alice").del(path_of(first, "/pin")).status == 200);
  CHECK(room.user("carol").get(kPinned).body["messages"].size() == 1);
}

TEST_CASE("pins: one expires by itself, and its expiry can be changed", "[api][pins]") {
  Room room;
  auto message = room.send("alice", "general", "soon gone");
  auto bob = room.user("bob");
  CHECK(bob.post(path_of(message, "/pin"), {{"expires_at", at(std::chrono::seconds(-1))}}).pointer() == "#/expires_at");
  const auto later = at(std::chrono::hours(1));
  CHECK(bob.post(path_of(message, "/pin"), {{"expires_at", later}}).body["message"]["pin"]["expires_at"] == later);
  CHECK(bob.post(path_of(message, "/pin"), {{"expires_at", at(std::chrono::seconds(1))}}).status == 200);
  eventually("the pin's end", [&] { return bob.get(kPinned).body["messages"].empty(); });
  CHECK_FALSE(bob.get(path_of(message)).body["message"].contains("pin"));
  CHECK(bob.post(path_of(message, "/pin")).body["message"].contains("pin"));
}

TEST_CASE("pins: refused to strangers, in frozen channels, of deleted messages", "[api][pins][permissions]") {
  Room room;
  TestApp other;
  room.add_users({"mallory"});
  other.add_users({"bob"});
  other.add_channel("general", {"bob"});
  auto message = room.send("alice", "general", "x"), gone = room.send("alice", "general", "y");
  CHECK(room.user("mallory").post(path_of(message, "/pin")).code() == "not_found");
  CHECK(room.user("mallory").get(kPinned).code() == "not_found");
  CHECK(other.user("bob").post(path_of(message, "/pin")).code() == "not_found");
  CHECK(other.user("bob").del(path_of(message, "/pin")).code() == "not_found");
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"open", true}}}}).status == 200);
  CHECK(room.user("mallory").post(path_of(message, "/pin")).code() == "forbidden");
  room.user("alice").del(path_of(gone));
  CHECK(room.user("bob").post(path_of(gone, "/pin")).code() == "not_found");
  REQUIRE(room.server().patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(room.user("bob").post(path_of(message, "/pin")).code() == "channel_frozen");
  CHECK(room.user("bob").patch(path_of(message), {{"set", {{"text", "z"}}}}).status == 403);
  CHECK(room.rows("messages", "pinned_at is not null") == 0);
}

TEST_CASE("pins: a channel has a hundred at once", "[api][pins][limits]") {
  Room room;
  auto bob = room.user("bob");
  Json last;
  for (int i = 0; i < 100; ++i) REQUIRE(bob.post(path_of(last = room.send("bob", "general", "x"), "/pin")).status == 200);
  auto more = room.send("bob", "general", "one more");
  CHECK(bob.post(path_of(more, "/pin")).code() == "limit_reached");
  CHECK(bob.post(path_of(last, "/pin"), {{"expires_at", at(std::chrono::hours(1))}}).status == 200);
  bob.del(path_of(last, "/pin"));
  CHECK(bob.post(path_of(more, "/pin")).status == 200);
  CHECK(bob.get(kPinned).body["messages"].size() == 100);
}

TEST_CASE("edits: the author and moderators see what a message was", "[api][edits][permissions]") {
  Room room;
  auto message = room.send("bob", "general", "one", {{"custom", {{"a", 1}}}});
  auto bob = room.user("bob");
  CHECK(bob.get(path_of(message, "/edits")).body["edits"].empty());
  bob.patch(path_of(message), {{"set", {{"text", "two"}}}, {"unset", {"custom"}}});
  room.user("alice").patch(path_of(message), {{"set", {{"text", "three"}}}});
  auto edits = bob.get(path_of(message, "/edits")).body["edits"];
  REQUIRE(edits.size() == 2);
  CHECK(edits[0]["text"] == "two");
  CHECK(edits[0]["edited_by"] == "alice");
  CHECK(edits[1]["text"] == "one");
  CHECK(edits[1]["custom"]["a"] == 1);
  CHECK(room.user("alice").get(path_of(message, "/edits")).status == 200);
  CHECK(room.server().get(path_of(message, "/edits")).status == 200);
  CHECK(room.user("carol").get(path_of(message, "/edits")).code() == "forbidden");
  bob.del(path_of(message));
  CHECK(room.server().get(path_of(message, "/edits")).code() == "not_found");
  bob.del(path_of(message) + "?mode=hard");
  CHECK(room.rows("message_edits") == 0);
}

TEST_CASE("edits: the newest fifty are kept", "[api][edits][limits]") {
  Room room;
  auto message = room.send("bob", "general", "0");
  auto bob = room.user("bob");
  for (int i = 1; i <= 53; ++i) REQUIRE(bob.patch(path_of(message), {{"set", {{"text", std::to_string(i)}}}}).status == 200);
  auto edits = bob.get(path_of(message, "/edits")).body["edits"];
  REQUIRE(edits.size() == 50);
  CHECK(edits[0]["text"] == "52");
  CHECK(edits[49]["text"] == "3");
}

TEST_CASE("edits: who is mentioned after an edit is who it now names", "[api][edits]") {
  Room room;
  auto message = room.send("alice", "general", "@bob", {{"mentions", {"bob"}}});
  CHECK(room.rows("mentions") == 1);
  room.user("alice").patch(path_of(message), {{"set", {{"mentions", {"carol", "nobody"}}}}});
  CHECK(room.rows("mentions", "user_id = (select id from users u where u.app_id = mentions.app_id and u.user_id = 'carol')") == 1);
  CHECK(room.rows("mentions") == 1);
  room.user("alice").patch(path_of(message), {{"unset", {"mentions"}}});
  CHECK(room.rows("mentions") == 0);
}

TEST_CASE("undelete: what the author deleted comes back, and counts again", "[api][undelete][ws]") {
  Room room;
  auto message = room.send("bob", "general", "oops");
  auto reply = room.send("bob", "general", "reply", {{"parent_id", message["id"]}});
  auto bob = room.user("bob");
  auto carol = room.connect("carol");
  bob.del(path_of(message));
  bob.del(path_of(reply));
  CHECK(room.user("carol").get("/v1/unread").body["total"] == 0);
  auto back = bob.post(path_of(message, "/undelete"));
  CHECK(back.body["message"]["text"] == "oops");
  CHECK_FALSE(back.body["message"].contains("deleted_at"));
  CHECK(hear(carol, "message.undeleted")["data"]["message"]["text"] == "oops");
  CHECK(room.user("carol").get("/v1/unread").body["total"] == 1);
  CHECK(bob.post(path_of(message, "/undelete")).status == 200);
  CHECK(room.rows("channel_events", "type = 'message.undeleted'") == 1);
  REQUIRE(bob.post(path_of(reply, "/undelete")).status == 200);
  CHECK(bob.get(path_of(message)).body["message"]["reply_count"] == 1);
}

TEST_CASE("undelete: not what a moderator deleted, not after a day, not what is erased", "[api][undelete][permissions]") {
  Room room;
  TestApp other;
  other.add_users({"bob"});
  other.add_channel("general", {"bob"});
  auto message = room.send("bob", "general", "rude"), old = room.send("bob", "general", "old"), gone = room.send("bob", "general", "gone");
  room.user("alice").del(path_of(message));
  CHECK(room.user("bob").post(path_of(message, "/undelete")).code() == "forbidden");
  CHECK(room.user("carol").post(path_of(message, "/undelete")).code() == "forbidden");
  CHECK(other.user("bob").post(path_of(message, "/undelete")).code() == "not_found");
  CHECK(room.user("alice").post(path_of(message, "/undelete")).status == 200);
  room.user("bob").del(path_of(old));
  Probe(superuser_database().dsn).run("update messages set deleted_at = now() - interval '25 hours' where text = 'old' and app_id = '" +
                                      AppId::parse(room.id())->text() + "'");
  CHECK(room.user("bob").post(path_of(old, "/undelete")).code() == "conflict");
  room.user("bob").del(path_of(gone) + "?mode=hard");
  CHECK(room.user("bob").post(path_of(gone, "/undelete")).code() == "not_found");
  CHECK(room.rows("channel_events", "type = 'message.undeleted'") == 1);
}

TEST_CASE("undelete: a type says for how long, or never", "[api][undelete][types]") {
  Room room;
  const auto set = [&](int hours) { return room.server().patch("/v1/channel_types/messaging", {{"settings", {{"undelete_hours", hours}}}}); };
  CHECK(set(-1).pointer() == "#/settings/undelete_hours");
  CHECK(set(8761).pointer() == "#/settings/undelete_hours");
  const auto deleted = [&](int hours_ago) {
    const auto message = room.send("bob", "general", "oops");
    REQUIRE(room.user("bob").del(path_of(message)).status == 200);
    Probe(superuser_database().dsn).run("update messages set deleted_at = deleted_at - interval '" + std::to_string(hours_ago) + " hours' where id = '" +
                                        MessageId::parse(message["id"].get<std::string>())->text() + "'");
    return path_of(message, "/undelete");
  };
  const auto fresh = deleted(0), older = deleted(30);
  CHECK(room.user("bob").post(older).code() == "conflict");
  REQUIRE(set(48).body["channel_type"]["settings"]["undelete_hours"] == 48);
  CHECK(room.user("bob").post(older).status == 200);
  REQUIRE(set(0).status == 200);
  CHECK(room.user("bob").post(fresh).code() == "conflict");
  CHECK(room.server().post(fresh, {{"user_id", "alice"}}).code() == "conflict");
  CHECK(room.rows("messages", "deleted_at is not null") == 1);
}

TEST_CASE("undelete: who was away hears a deletion that was taken back as a change", "[api][undelete][ws]") {
  Room room;
  auto message = room.send("bob", "general", "here");
  const auto channel = room.user("carol").get("/v1/channels/messaging/general").body["channel"];
  room.user("bob").del(path_of(message));
  room.user("bob").post(path_of(message, "/undelete"));
  auto carol = room.connect("carol");
  carol.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", channel["epoch"]}, {"seq", channel["last_seq"]}}}}}});
  CHECK(hear(carol, "message.updated")["data"]["message"]["text"] == "here");
  CHECK(hear(carol, "message.undeleted")["data"]["message"]["text"] == "here");
}

TEST_CASE("send: a message says what it mainly is, and every kind but system counts", "[api][send]") {
  Room room;
  for (const char* type : {"regular", "text", "image", "video", "file"})
    CHECK(room.send("alice", "general", "x", {{"type", type}})["type"] == type);
  CHECK(room.user("alice").post(kMessages, {{"text", "x"}, {"type", "system"}}).pointer() == "#/type");
  CHECK(room.user("alice").post(kMessages, {{"text", "x"}, {"type", "draft"}}).pointer() == "#/type");
  CHECK(room.user("bob").get("/v1/unread").body["total"] == 5);
}

TEST_CASE("send: mentioning a role or everybody is one row, and everybody is for moderators", "[api][send][permissions]") {
  Room room;
  auto roles = room.send("bob", "general", "help", {{"mention_roles", {"admin", "moderator"}}});
  CHECK(roles["mention_roles"] == Json({"admin", "moderator"}));
  CHECK(room.rows("channel_mentions", "roles = '{admin,moderator}'") == 1);
  CHECK(room.user("bob").post(kMessages, {{"text", "all"}, {"mention_channel", true}}).code() == "forbidden");
  CHECK(room.user("bob").post(kMessages, {{"text", "all"}, {"mention_here", true}}).code() == "forbidden");
  CHECK(room.user("bob").post(kMessages, {{"text", "x"}, {"mention_roles", {"No Role"}}}).pointer() == "#/mention_roles/0");
  auto all = room.send("alice", "general", "all", {{"mention_channel", true}, {"mention_here", true}});
  CHECK(all["mention_channel"] == true);
  CHECK(room.rows("channel_mentions", "roles = '{}'") == 1);
  CHECK(room.server().post(kMessages, {{"text", "all"}, {"mention_here", true}, {"user_id", "bob"}}).status == 201);
  CHECK(room.rows("channel_mentions") == 2);
  CHECK(room.rows("mentions") == 0);
  auto mentions_of = [&](const std::string& who) { return room.user(who).get("/v1/unread").body["mentions"]; };
  CHECK(mentions_of("carol") == 1);
  REQUIRE(room.server().patch("/v1/channels/messaging/general/members/carol", {{"role", "moderator"}}).status == 200);
  CHECK(mentions_of("carol") == 2);
  CHECK(mentions_of("alice") == 0);   // its own send marked everything before as read
  room.user("alice").del(path_of(all) + "?mode=hard");
  CHECK(room.rows("channel_mentions") == 1);
}

TEST_CASE("send: a forwarded message is a copy that says where it is from", "[api][send]") {
  Room room;
  room.add_users({"mallory"});
  room.add_channel("secret", {"alice"});
  auto source = room.send("alice", "secret", "the plan", {{"type", "image"}, {"attachments", {{{"type", "image"}}}}, {"custom", {{"k", 1}}}});
  auto copy = [&](const std::string& who, const Json& id, Json more = Json::object()) {
    more["forward"] = {{"cid", "messaging:secret"}, {"message_id", id}};
    return room.user(who).post(kMessages, more);
  };
  auto forwarded = copy("alice", source["id"], {{"nonce", "once"}});
  REQUIRE(forwarded.status == 201);
  CHECK(forwarded.body["message"]["text"] == "the plan");
  CHECK(forwarded.body["message"]["type"] == "image");
  CHECK(forwarded.body["message"]["attachments"].size() == 1);
  CHECK(forwarded.body["message"]["forwarded"]["message_id"] == source["id"]);
  CHECK(copy("alice", source["id"], {{"nonce", "once"}}).status == 200);
  CHECK(copy("bob", source["id"]).pointer() == "#/forward");
  CHECK(copy("alice", "msg_01h455vb4pex5vsknk084sn02q").pointer() == "#/forward");
  CHECK(copy("alice", source["id"], {{"text", "mine"}}).pointer() == "#/text");
  CHECK(room.user("alice").post(kMessages, {{"forward", {{"cid", "nothing"}, {"message_id", source["id"]}}}}).pointer() == "#/forward/cid");
  room.user("alice").del("/v1/channels/messaging/secret/messages/" + source["id"].get<std::string>() + "?mode=hard");
  CHECK(copy("alice", source["id"]).pointer() == "#/forward");
  CHECK(room.user("bob").get(kMessages).body["messages"].size() == 1);
}
