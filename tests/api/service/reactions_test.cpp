#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string path_of(const Json& message, const std::string& more = "/reactions") {
  return kMessages + "/" + message["id"].get<std::string>() + more;
}
const char* const kThumb = "/reactions/%F0%9F%91%8D";

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob", "carol"});
    message = send("alice", "general", "hello");
  }
  Answer react(const std::string& who, const std::string& type, Json more = Json::object()) {
    more["type"] = type;
    return user(who).post(path_of(message), more);
  }
  void set_type(const Json& settings) {
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", settings}}).status == 200);
  }
  Json message;
};

}  // namespace

TEST_CASE("reactions: each answer counts them by type and shows one's own", "[api][reactions]") {
  Room room;
  auto first = room.react("bob", "👍");
  CHECK(first.status == 201);
  CHECK(first.body["reaction"]["user_id"] == "bob");
  CHECK(first.body["message"]["own_reactions"][0]["type"] == "👍");
  CHECK(room.react("carol", "👍", {{"score", 5}}).status == 201);
  CHECK(room.react("bob", "custom:party").status == 201);
  const auto shown = room.user("bob").get(path_of(room.message, "")).body["message"];
  CHECK(shown["reaction_groups"]["👍"]["count"] == 2);
  CHECK(shown["reaction_groups"]["👍"]["score"] == 6);
  CHECK(shown["reaction_groups"]["👍"]["first_at"] == first.body["reaction"]["created_at"]);
  CHECK(shown["reaction_groups"]["custom:party"]["count"] == 1);
  CHECK(shown["own_reactions"].size() == 2);
  const auto history = room.user("alice").get(kMessages).body["messages"];
  CHECK(history[0]["reaction_groups"] == shown["reaction_groups"]);
  CHECK(history[0]["own_reactions"].empty());
  CHECK_FALSE(room.server().get(kMessages).body["messages"][0].contains("own_reactions"));
  CHECK_FALSE(room.send("alice", "general", "plain").contains("reaction_groups"));
}

TEST_CASE("reactions: the same again changes nothing, another score changes the sum", "[api][reactions][ws]") {
  Room room;
  auto alice = room.connect("alice");
  CHECK(room.react("bob", "clap").status == 201);
  hear(alice, "reaction.new");
  CHECK(room.react("bob", "clap").status == 200);
  CHECK(room.rows("channel_events", "type like 'reaction.%'") == 1);
  auto more = room.react("bob", "clap", {{"score", 7}});
  CHECK(more.status == 200);
  CHECK(more.body["reaction"].contains("updated_at"));
  CHECK(more.body["message"]["reaction_groups"]["clap"]["score"] == 7);
  auto heard = hear(alice, "reaction.updated");
  CHECK(heard["data"]["reaction"]["score"] == 7);
  CHECK(heard["data"]["reaction_groups"]["clap"]["count"] == 1);
}

TEST_CASE("reactions: taken back it is gone, and the message says so", "[api][reactions][ws]") {
  Room room;
  room.react("bob", "👍");
  auto last = room.react("carol", "👍");
  auto alice = room.connect("alice");
  auto removed = room.user("bob").del(path_of(room.message, kThumb));
  CHECK(removed.status == 200);
  CHECK(removed.body["message"]["reaction_groups"]["👍"]["count"] == 1);
  CHECK(removed.body["message"]["reaction_groups"]["👍"]["first_at"] == last.body["reaction"]["created_at"]);
  CHECK(hear(alice, "reaction.deleted")["data"]["reaction"]["user_id"] == "bob");
  CHECK(room.user("bob").del(path_of(room.message, kThumb)).code() == "not_found");
  CHECK_FALSE(room.user("carol").del(path_of(room.message, kThumb)).body["message"].contains("reaction_groups"));
  CHECK(room.rows("message_reactions") == 0);
}

TEST_CASE("reactions: where one is allowed, a second one by the same user replaces the first", "[api][reactions][ws]") {
  Room room;
  room.set_type({{"unique_reactions", true}});
  room.react("bob", "like");
  auto alice = room.connect("alice");
  auto second = room.react("bob", "love");
  CHECK(second.status == 201);
  CHECK_FALSE(second.body["message"]["reaction_groups"].contains("like"));
  CHECK(second.body["message"]["reaction_groups"]["love"]["count"] == 1);
  CHECK(hear(alice, "reaction.deleted")["data"]["reaction"]["type"] == "like");
  CHECK(hear(alice, "reaction.new")["data"]["reaction"]["type"] == "love");
}

TEST_CASE("reactions: lists by type, newest first, in pages", "[api][reactions]") {
  Room room;
  for (const char* who : {"alice", "bob", "carol"}) room.react(who, "like");
  room.react("alice", "angry");
  auto bob = room.user("bob");
  std::vector<std::string> seen;
  std::string next;
  do {
    auto page = bob.get(path_of(room.message) + "?limit=1" + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& reaction : page.body["reactions"]) seen.push_back(reaction["type"].get<std::string>() + " " + reaction["user_id"].get<std::string>());
    next = page.body.value("next", "");
  } while (!next.empty());
  CHECK(seen == std::vector<std::string>{"angry alice", "like carol", "like bob", "like alice"});
  auto likes = bob.get(path_of(room.message) + "?type=like&limit=2");
  CHECK(likes.body["reactions"].size() == 2);
  CHECK(bob.get(path_of(room.message) + "?next=" + likes.body["next"].get<std::string>()).pointer() == "query:next");
  CHECK(bob.get(path_of(room.message) + "?limit=0").pointer() == "query:limit");
}

TEST_CASE("reactions: what may not be said is refused, and leaves no row and no event", "[api][reactions][permissions]") {
  Room room;
  room.add_users({"mallory"});
  const std::string many(65, 'x');
  CHECK(room.react("mallory", "like").code() == "not_found");
  CHECK(room.user("mallory").get(path_of(room.message)).code() == "not_found");
  for (const std::string& bad : {std::string(), many, std::string("a b"), std::string("a/b"), std::string("a\n")})
    CHECK(room.react("bob", bad).pointer() == "#/type");
  CHECK(room.react("bob", "like", {{"score", 0}}).pointer() == "#/score");
  CHECK(room.react("bob", "like", {{"score", 1001}}).pointer() == "#/score");
  CHECK(room.react("bob", "like", {{"user_id", "carol"}}).status == 403);
  CHECK(room.server().post(path_of(room.message), {{"type", "like"}}).pointer() == "#/user_id");
  CHECK(room.user("bob").post(kMessages + "/msg_01h455vb4pex5vsknk084sn02q/reactions", {{"type", "like"}}).code() == "not_found");
  REQUIRE(room.server().patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(room.react("bob", "like").code() == "channel_frozen");
  CHECK(room.react("alice", "like").status == 201);   // the owner may
  room.set_type({{"reactions", false}});
  CHECK(room.react("alice", "love").code() == "forbidden");
  CHECK(room.user("alice").del(path_of(room.message, "/reactions/like")).status == 200);
  CHECK(room.rows("message_reactions") == 0);
  CHECK(room.rows("channel_events", "type = 'reaction.new'") == 1);
}

TEST_CASE("reactions: a server reacts for a user", "[api][reactions]") {
  Room room;
  auto answer = room.server().post(path_of(room.message), {{"type", "like"}, {"user_id", "carol"}});
  CHECK(answer.body["reaction"]["user_id"] == "carol");
  CHECK(room.server().del(path_of(room.message, "/reactions/like?user_id=carol")).status == 200);
  CHECK(room.server().del(path_of(room.message, "/reactions/like")).pointer() == "query:user_id");
}

TEST_CASE("reactions: another application's message is a missing one", "[api][reactions][tenancy]") {
  Room room, other;
  room.react("bob", "like");
  auto thief = other.user("bob");
  CHECK(thief.post(path_of(room.message), {{"type", "like"}}).code() == "not_found");
  CHECK(thief.get(path_of(room.message)).code() == "not_found");
  CHECK(thief.del(path_of(room.message, "/reactions/like")).code() == "not_found");
  CHECK(room.rows("message_reactions") == 1);
}

TEST_CASE("reactions: a message has a hundred types, and a known one still counts", "[api][reactions][limits]") {
  Room room;
  for (int i = 0; i < 100; ++i) REQUIRE(room.react("bob", "t" + std::to_string(i)).status == 201);
  auto refused = room.react("carol", "t100");
  CHECK(refused.code() == "limit_reached");
  CHECK(refused.pointer() == "#/type");
  CHECK(room.react("carol", "t99").status == 201);
}

TEST_CASE("reactions: many at once are all counted", "[api][reactions][concurrency]") {
  Room room;
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back("u" + std::to_string(i));
  room.add_users(names);
  REQUIRE(room.server().post("/v1/channels/messaging/general/members", {{"members", names}}).status == 200);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = t; i < 12; i += 4) {
        auto actor = room.user(names[static_cast<std::size_t>(i)]);
        actor.post(path_of(room.message), {{"type", "like"}, {"score", 2}});
        actor.post(path_of(room.message), {{"type", "gone"}});
        actor.del(path_of(room.message, "/reactions/gone"));
      }
    });
  for (auto& thread : threads) thread.join();
  const auto shown = room.user("alice").get(path_of(room.message, "")).body["message"]["reaction_groups"];
  CHECK(shown["like"]["count"] == 12);
  CHECK(shown["like"]["score"] == 24);
  CHECK_FALSE(shown.contains("gone"));
}

TEST_CASE("reactions: a deleted message shows none, an erased one has none", "[api][reactions]") {
  Room room;
  auto second = room.send("alice", "general", "second");
  room.react("bob", "like");
  room.user("bob").post(path_of(second), {{"type", "like"}});
  room.user("alice").del(path_of(room.message, ""));
  CHECK_FALSE(room.user("bob").get(path_of(room.message, "")).body["message"].contains("reaction_groups"));
  CHECK(room.react("carol", "like").code() == "not_found");
  CHECK(room.user("bob").get(path_of(room.message)).code() == "not_found");
  room.user("alice").del(path_of(second, "") + "?mode=hard");
  CHECK(room.rows("message_reactions") == 1);   // the soft deleted one keeps its own
  CHECK(room.rows("messages", "erased and reactions is not null") == 0);
}

TEST_CASE("reactions: those of a hard deleted user go, and the counts follow", "[api][reactions]") {
  Room room;
  room.react("bob", "like");
  room.react("carol", "like");
  REQUIRE(room.server().del("/v1/users/carol?mode=hard").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return room.rows("user_erasures") == 0;
  });
  CHECK(room.user("bob").get(path_of(room.message, "")).body["message"]["reaction_groups"]["like"]["count"] == 1);
}

TEST_CASE("reactions: who was away hears of them in their place", "[api][reactions][ws]") {
  Room room;
  const auto channel = room.user("bob").get("/v1/channels/messaging/general").body["channel"];
  room.react("carol", "like");
  auto bob = room.connect("bob");
  bob.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", channel["epoch"]}, {"seq", channel["last_seq"]}}}}}});
  auto heard = hear(bob, "reaction.new");
  CHECK(heard["seq"] == channel["last_seq"].get<int>() + 1);
  CHECK(heard["data"]["reaction"]["user_id"] == "carol");
}

TEST_CASE("reactions: those in the shadow of a ban are shown to their owner and moderators, and counted for the owner alone", "[api][reactions][bans][ws]") {
  Room room;
  room.react("bob", "like");
  REQUIRE(room.user("alice").put("/v1/channels/messaging/general/bans/carol", {{"shadow", true}}).status == 200);
  auto bob = room.connect("bob"), carol = room.connect("carol");
  const auto shown = [&](const char* who) { return room.user(who).get(path_of(room.message, "")).body["message"]; };
  CHECK(room.react("carol", "like", {{"score", 5}}).body["message"]["reaction_groups"]["like"]["count"] == 2);
  CHECK(room.react("carol", "boo").status == 201);
  CHECK(carol.wait_for("reaction.new")["data"]["reaction_groups"]["like"]["score"] == 6);   // without a number, as all in the shadow
  CHECK(shown("carol")["reaction_groups"]["boo"]["count"] == 1);
  CHECK(shown("carol")["own_reactions"].size() == 2);
  for (const char* other : {"alice", "bob"}) {
    CHECK(shown(other)["reaction_groups"].size() == 1);
    CHECK(shown(other)["reaction_groups"]["like"]["score"] == 1);
  }
  CHECK(room.user("bob").get(path_of(room.message)).body["reactions"].size() == 1);
  CHECK(room.user("carol").get(path_of(room.message)).body["reactions"].size() == 3);
  CHECK(room.user("alice").get(path_of(room.message)).body["reactions"].size() == 3);   // a moderator sees shadowed things
  CHECK_FALSE(bob.find("reaction.new", std::chrono::milliseconds(300)));
  CHECK(room.user("bob").del(path_of(room.message, "/reactions/like")).status == 200);
  CHECK_FALSE(shown("bob").contains("reaction_groups"));
  CHECK_FALSE(shown("bob").contains("own_reactions"));
  CHECK(shown("carol")["reaction_groups"]["like"]["count"] == 1);
  CHECK(room.user("carol").del(path_of(room.message, "/reactions/like")).status == 200);
  CHECK(room.user("carol").del(path_of(room.message, "/reactions/boo")).status == 200);
  CHECK_FALSE(shown("carol").contains("reaction_groups"));
  CHECK(room.rows("messages", "reactions is not null") == 0);
}
