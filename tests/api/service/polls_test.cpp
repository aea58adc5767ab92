#include <catch2/catch.hpp>

#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string path_of(const Json& message, const std::string& more = "") { return kMessages + "/" + message["id"].get<std::string>() + more; }

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob", "carol"});
    add_channel("general", {"alice", "bob", "carol"});
  }
  Answer ask(const std::string& who, Json poll) { return user(who).post(kMessages, {{"poll", std::move(poll)}}); }
  /// A poll by alice; `more`: what differs.
  Json ask(Json more = Json::object()) {
    more["question"] = "Where do we eat?";
    if (!more.contains("options")) more["options"] = {"Pizza", "Sushi", "Soup"};
    auto answer = ask("alice", more);
    REQUIRE(answer.status == 201);
    return answer.body["message"];
  }
  Answer vote(const std::string& who, const Json& message, const Json& options) {
    return user(who).post(path_of(message, "/poll/votes"), {{"options", options}});
  }
  Json shown(const Json& message, const std::string& who = "alice") { return user(who).get(path_of(message)).body["message"]; }
  void set_type(const Json& settings) {
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", settings}}).status == 200);
  }
  void change_poll(const std::string& what) {
    Probe(superuser_database().dsn).run("update polls set " + what + " where app_id = '" + AppId::parse(id())->text() + "'");
  }
};

std::vector<int> votes_of(const Json& poll) {
  std::vector<int> votes;
  for (const auto& option : poll["options"]) votes.push_back(option["votes"]);
  return votes;
}

void run(const char* job) { Service::get().node().run_job(job); }

}  // namespace

TEST_CASE("polls: asked in a message, shown in it with the counts and one's own votes", "[api][polls][ws]") {
  Room room;
  auto bob = room.connect("bob");
  auto message = room.ask();
  CHECK(message["text"] == "");
  CHECK(message["poll"]["options"][1] == Json({{"id", "2"}, {"text", "Sushi"}, {"votes", 0}}));
  CHECK(hear(bob, "message.new")["data"]["message"]["poll"] == message["poll"]);
  auto voted = room.vote("bob", message, {"2"});
  CHECK(voted.status == 201);
  CHECK(voted.body["message"]["poll"]["own_votes"] == Json({"2"}));
  CHECK(room.vote("carol", message, {"2"}).status == 201);
  for (const auto& shown : {room.shown(message, "bob"), room.user("bob").get(kMessages).body["messages"][0]}) {
    CHECK(votes_of(shown["poll"]) == std::vector<int>{0, 2, 0});
    CHECK(shown["poll"]["voter_count"] == 2);
    CHECK(shown["poll"]["own_votes"] == Json({"2"}));
  }
  CHECK(room.shown(message)["poll"]["own_votes"].empty());
  CHECK_FALSE(room.server().get(path_of(message)).body["message"]["poll"].contains("own_votes"));
  CHECK_FALSE(room.send("alice", "general", "plain").contains("poll"));
}

TEST_CASE("polls: sent again under the same nonce it is the same poll, with its votes", "[api][polls]") {
  Room room;
  const Json body = {{"nonce", "n1"}, {"poll", {{"question", "Now?"}, {"options", {"yes", "no"}}}}};
  auto first = room.user("alice").post(kMessages, body);
  REQUIRE(first.status == 201);
  room.vote("bob", first.body["message"], {"1"});
  auto second = room.user("alice").post(kMessages, body);
  CHECK(second.status == 200);
  CHECK(votes_of(second.body["message"]["poll"]) == std::vector<int>{1, 0});
  CHECK(room.rows("polls") == 1);
}

TEST_CASE("polls: with one vote each, the new vote takes the place of the old, and the same again changes nothing", "[api][polls][ws]") {
  Room room;
  auto message = room.ask();
  auto device = room.connect("bob");
  CHECK(room.vote("bob", message, {"1"}).status == 201);
  CHECK(hear(device, "poll.voted")["data"]["options"] == Json({"1"}));
  CHECK(room.vote("bob", message, {"1"}).status == 200);
  auto moved = room.vote("bob", message, {"3"});
  CHECK(moved.status == 201);
  CHECK(votes_of(moved.body["message"]["poll"]) == std::vector<int>{0, 0, 1});
  CHECK(moved.body["message"]["poll"]["voter_count"] == 1);
  CHECK(hear(device, "poll.voted")["data"]["options"] == Json({"3"}));
  CHECK(room.vote("bob", message, {"1", "2"}).code() == "limit_reached");
  CHECK(room.rows("poll_votes") == 1);
}

TEST_CASE("polls: several votes each, up to the poll's own limit", "[api][polls][limits]") {
  Room room;
  auto message = room.ask({{"max_votes", 2}});
  CHECK(room.vote("bob", message, {"1", "3", "1"}).status == 201);
  auto refused = room.vote("bob", message, {"2"});
  CHECK(refused.code() == "limit_reached");
  CHECK(room.vote("carol", message, {"1", "2", "3"}).code() == "limit_reached");
  CHECK(votes_of(room.shown(message)["poll"]) == std::vector<int>{1, 0, 1});
  CHECK(room.shown(message)["poll"]["voter_count"] == 1);
  CHECK(room.user("bob").del(path_of(message, "/poll/votes/1")).status == 200);
  auto fits = room.vote("bob", message, {"2"});
  CHECK(fits.body["message"]["poll"]["own_votes"] == Json({"2", "3"}));
}

TEST_CASE("polls: taken back, a vote is gone", "[api][polls][ws]") {
  Room room;
  auto message = room.ask({{"max_votes", 3}});
  room.vote("bob", message, {"1", "2"});
  auto device = room.connect("bob");
  auto bob = room.user("bob");
  auto once = bob.del(path_of(message, "/poll/votes/1"));
  CHECK(votes_of(once.body["message"]["poll"]) == std::vector<int>{0, 1, 0});
  CHECK(once.body["message"]["poll"]["voter_count"] == 1);
  CHECK(hear(device, "poll.voted")["data"]["options"] == Json({"2"}));
  CHECK(bob.del(path_of(message, "/poll/votes/1")).code() == "not_found");
  CHECK(bob.del(path_of(message, "/poll/votes/x")).code() == "not_found");
  CHECK(bob.del(path_of(message, "/poll/votes/2")).body["message"]["poll"]["voter_count"] == 0);
  CHECK(room.rows("poll_votes") == 0);
}

TEST_CASE("polls: many votes at once are all counted, once per user, and told in few events", "[api][polls][concurrency][ws]") {
  Room room;
  auto message = room.ask({{"max_votes", 2}});
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back("u" + std::to_string(i));
  room.add_users(names);
  REQUIRE(room.server().post("/v1/channels/messaging/general/members", {{"members", names}}).status == 200);
  auto alice = room.connect("alice");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {                // every user votes from two threads
      for (int i = 0; i < 12; ++i) {
        if (i % 2 != t % 2) continue;
        auto actor = room.user(names[static_cast<std::size_t>(i)]);
        for (const char* option : {"1", "2", "3"}) actor.post(path_of(message, "/poll/votes"), {{"options", {option}}});
      }
    });
  for (auto& thread : threads) thread.join();
  const auto poll = room.shown(message)["poll"];
  CHECK(poll["voter_count"] == 12);
  const auto votes = votes_of(poll);
  CHECK(votes[0] + votes[1] + votes[2] == 24);   // two each, though each tried six times
  CHECK(room.rows("poll_votes") == 24);
  run("tell_changed_polls");
  Json last;
  eventually("the last counts", [&] {
    last = hear(alice, "poll.updated")["data"]["message"]["poll"];
    return votes_of(last) == votes;
  });
  CHECK_FALSE(last.contains("own_votes"));
  CHECK(room.rows("channel_events", "type = 'poll.updated'") < 24);
  CHECK(room.rows("polls", "changed") == 0);
}

TEST_CASE("polls: closed by its author or a moderator, and it takes no more votes", "[api][polls][permissions][ws]") {
  Room room;
  auto message = room.ask();
  room.vote("bob", message, {"1"});
  auto carol = room.connect("carol");
  CHECK(room.user("bob").post(path_of(message, "/poll/close")).code() == "forbidden");
  auto closed = room.user("alice").post(path_of(message, "/poll/close"));
  CHECK(closed.body["message"]["poll"]["closed"] == true);
  CHECK(closed.body["message"]["poll"]["closed_by"] == "alice");
  auto heard = hear(carol, "poll.closed")["data"]["message"]["poll"];
  CHECK(votes_of(heard) == std::vector<int>{1, 0, 0});
  CHECK(room.user("alice").post(path_of(message, "/poll/close")).status == 200);
  CHECK(room.rows("channel_events", "type = 'poll.closed'") == 1);
  CHECK(room.vote("bob", message, {"2"}).code() == "conflict");
  CHECK(room.user("bob").del(path_of(message, "/poll/votes/1")).code() == "conflict");
  auto second = room.user("bob").post(kMessages, {{"poll", {{"question", "x"}, {"options", {"a", "b"}}}}}).body["message"];
  CHECK(room.user("carol").post(path_of(second, "/poll/close")).code() == "forbidden");
  CHECK(room.user("bob").post(path_of(second, "/poll/close")).status == 200);
  auto third = room.user("bob").post(kMessages, {{"poll", {{"question", "x"}, {"options", {"a", "b"}}}}}).body["message"];
  CHECK_FALSE(room.server().post(path_of(third, "/poll/close")).body["message"]["poll"].contains("closed_by"));
}

TEST_CASE("polls: closed at its time, once, and until the job comes no vote slips in", "[api][polls][ws][concurrency]") {
  Room room;
  auto message = room.ask({{"closes_at", format_time(system_clock().now() + std::chrono::hours(1))}});
  CHECK(message["poll"]["closed"] == false);
  room.vote("bob", message, {"2"});
  auto carol = room.connect("carol");
  room.change_poll("closes_at = now() - interval '1 second'");
  CHECK(room.vote("carol", message, {"1"}).code() == "conflict");
  CHECK(room.shown(message)["poll"]["closed"] == true);
  std::thread beside([] { run("close_due_polls"); });
  run("close_due_polls");
  beside.join();
  CHECK(votes_of(hear(carol, "poll.closed")["data"]["message"]["poll"]) == std::vector<int>{0, 1, 0});
  CHECK(room.shown(message)["poll"].contains("closed_at"));
  CHECK(room.rows("channel_events", "type = 'poll.closed'") == 1);
}

TEST_CASE("polls: who voted for what is listed by option, in pages", "[api][polls]") {
  Room room;
  auto message = room.ask({{"max_votes", 2}});
  room.vote("bob", message, {"1", "2"});
  room.vote("carol", message, {"2"});
  std::vector<std::string> seen;
  std::string next;
  do {
    auto page = room.user("alice").get(path_of(message, "/poll/votes?limit=1") + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& vote : page.body["votes"]) seen.push_back(vote["option"].get<std::string>() + " " + vote["user_id"].get<std::string>());
    next = page.body.value("next", "");
  } while (!next.empty());
  CHECK(seen == std::vector<std::string>{"1 bob", "2 carol", "2 bob"});
  CHECK(room.user("bob").get(path_of(message, "/poll/votes?option=2")).body["votes"].size() == 2);
  CHECK(room.user("bob").get(path_of(message, "/poll/votes?option=x")).pointer() == "query:option");
}

TEST_CASE("polls: of an anonymous one nobody learns who voted for what, the backend neither", "[api][polls][permissions][ws]") {
  Room room;
  auto message = room.ask({{"anonymous", true}});
  auto backend = room.connect("");
  auto device = room.connect("bob");
  CHECK(room.vote("bob", message, {"2"}).body["message"]["poll"]["own_votes"] == Json({"2"}));
  CHECK(hear(device, "poll.voted")["data"]["options"] == Json({"2"}));
  for (auto caller : {room.user("bob"), room.user("alice"), room.server()})
    CHECK(caller.get(path_of(message, "/poll/votes")).code() == "forbidden");
  auto open = room.ask();
  room.vote("bob", open, {"1"});
  CHECK(hear(backend, "poll.voted")["data"]["message_id"] == open["id"]);   // the first that the backend hears
  CHECK(votes_of(room.shown(message)["poll"]) == std::vector<int>{0, 1, 0});
}

TEST_CASE("polls: what may not be asked is refused, and leaves no row and no event", "[api][polls][permissions]") {
  Room room;
  Json poll = {{"question", "x"}, {"options", {"a", "b"}}};
  auto refused = [&](const char* name, const Json& value) {
    Json bad = poll;
    bad[name] = value;
    return room.ask("alice", bad).pointer();
  };
  CHECK(refused("question", "") == "#/poll/question");
  CHECK(refused("options", {"a"}) == "#/poll/options");
  CHECK(refused("options", {"a", "a"}) == "#/poll/options/1");
  CHECK(refused("options", std::vector<std::string>(21, "a")) == "#/poll/options");
  CHECK(refused("max_votes", 3) == "#/poll/max_votes");
  CHECK(refused("closes_at", "2020-01-01T00:00:00Z") == "#/poll/closes_at");
  CHECK(refused("colour", "red") == "#/poll/colour");
  room.set_type({{"polls", false}});
  CHECK(room.ask("alice", poll).code() == "forbidden");
  room.set_type({{"polls", true}, {"grants", {{"member", {"chat:channel:read", "chat:message:send"}}}}});
  CHECK(room.ask("bob", poll).code() == "forbidden");
  CHECK(room.ask("alice", poll).status == 201);
  CHECK(room.rows("polls") == 1);
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("polls: who may not vote is refused without a trace", "[api][polls][permissions][tenancy]") {
  Room room, other;
  room.add_users({"mallory"});
  auto message = room.ask();
  auto plain = room.send("alice", "general", "no poll");
  CHECK(room.vote("mallory", message, {"1"}).code() == "not_found");
  CHECK(room.vote("bob", plain, {"1"}).code() == "not_found");
  CHECK(room.user("bob").get(path_of(plain, "/poll/votes")).code() == "not_found");
  CHECK(room.user("alice").post(path_of(plain, "/poll/close")).code() == "not_found");
  CHECK(room.vote("bob", message, {"4"}).code() == "not_found");
  CHECK(room.vote("bob", message, Json::array()).pointer() == "#/options");
  CHECK(room.vote("bob", message, {"0"}).pointer() == "#/options/0");
  CHECK(room.server().post(path_of(message, "/poll/votes"), {{"options", {"1"}}}).pointer() == "#/user_id");
  CHECK(other.user("bob").post(path_of(message, "/poll/votes"), {{"options", {"1"}}}).code() == "not_found");
  CHECK(other.server().post(path_of(message, "/poll/close")).code() == "not_found");
  CHECK(other.user("bob").get(path_of(message, "/poll/votes")).code() == "not_found");
  REQUIRE(room.server().patch("/v1/channels/messaging/general", {{"set", {{"frozen", true}}}}).status == 200);
  CHECK(room.vote("bob", message, {"1"}).code() == "channel_frozen");
  REQUIRE(room.server().patch("/v1/channels/messaging/general", {{"set", {{"frozen", false}}}}).status == 200);
  room.set_type({{"grants", {{"member", {"chat:channel:read"}}}}});
  CHECK(room.vote("bob", message, {"1"}).code() == "forbidden");
  CHECK(room.rows("poll_votes") == 0);
  CHECK(room.rows("channel_events", "type like 'poll.%'") == 0);
  CHECK(room.server().post(path_of(message, "/poll/votes"), {{"options", {"1"}}, {"user_id", "alice"}}).status == 201);
}

TEST_CASE("polls: a deleted message shows none and takes no votes, an erased one has none", "[api][polls]") {
  Room room;
  auto message = room.ask(), second = room.ask();
  room.vote("bob", message, {"1"});
  room.vote("bob", second, {"1"});
  room.user("alice").del(path_of(message));
  CHECK_FALSE(room.shown(message, "bob").contains("poll"));
  CHECK(room.vote("carol", message, {"1"}).code() == "not_found");
  CHECK(room.user("bob").get(path_of(message, "/poll/votes")).code() == "not_found");
  REQUIRE(room.user("alice").post(path_of(message, "/undelete")).status == 200);
  CHECK(votes_of(room.shown(message)["poll"]) == std::vector<int>{1, 0, 0});
  run("tell_changed_polls");
  room.user("alice").del(path_of(second) + "?mode=hard");
  CHECK(room.rows("polls") == 1);
  CHECK(room.rows("poll_votes") == 1);
  CHECK(room.rows("channel_events", "data::text like '%Where do we eat%'") == 0);
}

TEST_CASE("polls: votes of a hard deleted user go, and the counts follow", "[api][polls]") {
  Room room;
  auto message = room.ask({{"max_votes", 3}});
  room.vote("bob", message, {"1", "2", "3"});
  room.vote("carol", message, {"1"});
  REQUIRE(room.server().del("/v1/users/bob?mode=hard").status == 204);
  eventually("the erasure", [&] {
    run("erase_deleted_users");
    return room.rows("user_erasures") == 0;
  });
  const auto poll = room.shown(message)["poll"];
  CHECK(votes_of(poll) == std::vector<int>{1, 0, 0});
  CHECK(poll["voter_count"] == 1);
}

TEST_CASE("polls: a user's export holds its votes and the polls it asked", "[api][polls][exports]") {
  Room room;
  auto message = room.ask({{"anonymous", true}, {"allow_suggestions", true}});
  room.vote("alice", message, {"2"});
  room.user("alice").post(path_of(message, "/poll/options"), {{"text", "Curry"}});
  auto task = room.server().post("/v1/users/alice/export").body["task"];
  eventually("the export", [&] {
    run("run_tasks");
    task = room.server().get("/v1/tasks/" + task["task_id"].get<std::string>()).body["task"];
    return task["status"] == "done";
  });
  const auto text = room.server().get("/v1/tasks/" + task["task_id"].get<std::string>() + "/parts/1").http.body;
  CHECK(text.find("\"kind\":\"poll_vote\"") != std::string::npos);
  CHECK(text.find("Sushi") != std::string::npos);
  CHECK(text.find("\"kind\":\"poll_suggestion\"") != std::string::npos);
  CHECK(text.find("Curry") != std::string::npos);
  CHECK(text.find("\"poll\":{\"options\"") != std::string::npos);
}

TEST_CASE("polls: who was away finds the counts in their place", "[api][polls][ws]") {
  Room room;
  auto message = room.ask();
  const auto channel = room.user("bob").get("/v1/channels/messaging/general").body["channel"];
  room.vote("carol", message, {"1"});
  eventually("the telling", [&] {
    run("tell_changed_polls");
    return room.rows("channel_events", "type = 'poll.updated'") == 1;
  });
  auto bob = room.connect("bob");
  bob.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", channel["epoch"]}, {"seq", channel["last_seq"]}}}}}});
  auto heard = hear(bob, "poll.updated");
  CHECK(heard["seq"] == channel["last_seq"].get<int>() + 1);
  CHECK(votes_of(heard["data"]["message"]["poll"]) == std::vector<int>{1, 0, 0});
}

TEST_CASE("polls: scheduled like any message, and never forwarded", "[api][polls]") {
  Room room;
  auto alice = room.user("alice");
  auto message = room.ask();
  CHECK(alice.post(kMessages, {{"forward", {{"cid", "messaging:general"}, {"message_id", message["id"]}}}}).pointer() == "#/forward");
  const Json poll = {{"question", "Later?"}, {"options", {"yes", "no"}}};
  CHECK(alice.post(kMessages, {{"poll", poll}, {"forward", {{"cid", "messaging:general"}, {"message_id", message["id"]}}}}).pointer() == "#/poll");
  auto later = alice.post("/v1/channels/messaging/general/scheduled_messages",
                          {{"message", {{"poll", poll}}}, {"send_at", format_time(system_clock().now() + std::chrono::milliseconds(50))}});
  REQUIRE(later.status == 201);
  eventually("the scheduled poll", [&] {
    run("send_scheduled");
    return room.rows("polls") == 2;
  });
}

TEST_CASE("polls: votes in the shadow of a ban are counted for the voter alone", "[api][polls][bans][ws]") {
  Room room;
  auto message = room.ask({{"max_votes", 2}});
  REQUIRE(room.vote("bob", message, {"1"}).status == 201);
  REQUIRE(room.user("alice").put("/v1/channels/messaging/general/bans/carol", {{"shadow", true}}).status == 200);
  eventually("bob's vote is told", [&] { run("tell_changed_polls"); return room.rows("polls", "changed") == 0; });
  auto bob = room.connect("bob"), carol = room.connect("carol");
  auto voted = room.vote("carol", message, {"1", "2"});
  REQUIRE(voted.status == 201);
  for (const auto& shown : {voted.body["message"], room.shown(message, "carol")}) {
    CHECK(votes_of(shown["poll"]) == std::vector<int>{2, 1, 0});
    CHECK(shown["poll"]["voter_count"] == 2);
    CHECK(shown["poll"]["own_votes"] == Json({"1", "2"}));
  }
  CHECK(hear(carol, "poll.voted")["data"]["options"] == Json({"1", "2"}));
  CHECK(room.vote("carol", message, {"3"}).code() == "limit_reached");
  for (const char* other : {"alice", "bob"}) {
    CHECK(votes_of(room.shown(message, other)["poll"]) == std::vector<int>{1, 0, 0});
    CHECK(room.shown(message, other)["poll"]["voter_count"] == 1);
  }
  const auto list = path_of(message, "/poll/votes");
  CHECK(room.user("bob").get(list).body["votes"].size() == 1);
  CHECK(room.user("carol").get(list).body["votes"].size() == 3);
  CHECK(room.user("alice").get(list).body["votes"].size() == 3);   // a moderator sees shadowed things
  CHECK(room.rows("polls", "changed") == 0);
  CHECK_FALSE(bob.find("poll.updated", std::chrono::milliseconds(700)));
  CHECK(votes_of(room.user("carol").del(path_of(message, "/poll/votes/1")).body["message"]["poll"]) == std::vector<int>{1, 1, 0});
  CHECK(votes_of(room.shown(message, "bob")["poll"]) == std::vector<int>{1, 0, 0});
}

TEST_CASE("polls: voters add options where the poll allows it, each text once, twenty at most", "[api][polls][limits][tenancy]") {
  Room room, other;
  const auto closed_to_all = room.ask();
  const auto message = room.ask({{"allow_suggestions", true}});
  CHECK(message["poll"]["allow_suggestions"] == true);
  const auto suggest = [&](Actor who, const Json& to, const std::string& text) { return who.post(path_of(to, "/poll/options"), {{"text", text}}); };
  CHECK(suggest(room.user("bob"), closed_to_all, "Curry").code() == "forbidden");
  const auto added = suggest(room.user("bob"), message, "Curry");
  REQUIRE(added.status == 201);
  CHECK(added.body["message"]["poll"]["options"][3] == Json({{"id", "4"}, {"text", "Curry"}, {"votes", 0}}));
  CHECK(suggest(room.user("carol"), message, "Curry").status == 200);
  CHECK(room.vote("carol", message, {"4"}).body["message"]["poll"]["options"][3]["votes"] == 1);
  CHECK(suggest(room.user("bob"), message, std::string(201, 'x')).pointer() == "#/text");
  CHECK(suggest(room.server(), message, "x").pointer() == "#/user_id");
  CHECK(suggest(other.user("bob"), message, "x").code() == "not_found");
  for (int i = 5; i <= 20; ++i) REQUIRE(suggest(room.user("bob"), message, std::to_string(i)).status == 201);
  CHECK(suggest(room.user("bob"), message, "one more").code() == "limit_reached");
  CHECK(room.vote("bob", message, {"20"}).status == 201);
  REQUIRE(room.user("alice").post(path_of(message, "/poll/close")).status == 200);
  CHECK(suggest(room.user("bob"), message, "too late").code() == "conflict");
}

TEST_CASE("polls: the channel hears of suggestions; an erased user's stand without words, a shadowed user's not at all", "[api][polls][bans][ws]") {
  Room room;
  const auto message = room.ask({{"allow_suggestions", true}});
  auto alice = room.connect("alice");
  REQUIRE(room.user("bob").post(path_of(message, "/poll/options"), {{"text", "Curry"}}).status == 201);
  eventually("it is told", [&] { run("tell_changed_polls"); return room.rows("polls", "changed") == 0; });
  CHECK(hear(alice, "poll.updated")["data"]["message"]["poll"]["options"].size() == 4);
  REQUIRE(room.user("alice").put("/v1/channels/messaging/general/bans/carol", {{"shadow", true}}).status == 200);
  CHECK(room.user("carol").post(path_of(message, "/poll/options"), {{"text", "Mine"}}).status == 201);
  CHECK(room.shown(message)["poll"]["options"].size() == 4);
  REQUIRE(room.server().del("/v1/users/bob?mode=hard").status == 204);
  CHECK(room.shown(message)["poll"]["options"][3]["text"] == "");
  CHECK(room.shown(message)["poll"]["options"][0]["text"] == "Pizza");
}
