#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kQuery = kChannel + "/members/query";
using Strings = std::vector<std::string>;

Strings ids(const Answer& answer) {
  INFO(answer.http.body);
  REQUIRE(answer.status == 200);
  Strings found;
  for (const auto& member : answer.body["members"]) found.push_back(member["user_id"]);
  return found;
}

Json by(const std::string& field, Json body = Json::object()) {
  body["sort"] = Json::array({{{"field", field}, {"order", "asc"}}});
  return body;
}

struct Stage {
  TestApp app;
  Stage() {
    app.server().post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "Alice Meyer"}}, {{"user_id", "bob"}, {"name", "Bob Albers"}},
                                               {{"user_id", "carol"}, {"name", "Carol"}}, {{"user_id", "dave"}}, {{"user_id", "albert"}}}}});
    app.add_channel("general", {"alice"});
    for (const auto* user : {"carol", "bob", "dave"}) app.server().post(kChannel + "/members", {{"members", {user}}});
    app.server().patch(kChannel + "/members/bob", {{"role", "moderator"}});
  }
};

}  // namespace

TEST_CASE("members: are found by role, name and time of joining, sorted, page by page", "[api][members]") {
  Stage stage;
  auto carol = stage.app.user("carol");
  CHECK(ids(carol.post(kQuery)) == Strings{"dave", "bob", "carol", "alice"});
  CHECK(ids(carol.post(kQuery, by("joined_at"))) == Strings{"alice", "carol", "bob", "dave"});
  CHECK(ids(carol.post(kQuery, by("name"))) == Strings{"dave", "alice", "bob", "carol"});
  CHECK(ids(carol.post(kQuery, by("user_id", {{"filter", {{"role", {{"$in", {"owner", "moderator"}}}}}}}))) == Strings{"alice", "bob"});
  CHECK(ids(carol.post(kQuery, {{"filter", {{"name", "Carol"}}}})) == Strings{"carol"});
  const auto joined = carol.post(kQuery, {{"filter", {{"user_id", "bob"}}}}).body["members"][0]["created_at"];
  CHECK(ids(carol.post(kQuery, by("joined_at", {{"filter", {{"joined_at", {{"$gte", joined}}}}}}))) == Strings{"bob", "dave"});
  auto body = by("user_id", {{"limit", 3}});
  auto first = carol.post(kQuery, body);
  CHECK(ids(first) == Strings{"alice", "bob", "carol"});
  body["next"] = first.body["next"];
  auto rest = carol.post(kQuery, body);
  CHECK(ids(rest) == Strings{"dave"});
  CHECK_FALSE(rest.body.contains("next"));
  CHECK(carol.post(kQuery, by("name", {{"next", first.body["next"]}})).pointer() == "#/next");
}

TEST_CASE("members: are found as one types, whatever the case", "[api][members]") {
  Stage stage;
  auto& app = stage.app;
  CHECK(ids(app.user("carol").post(kQuery, by("user_id", {{"query", "AL"}}))) == Strings{"alice", "bob"});   // albert is no member
  CHECK(ids(app.user("carol").post(kQuery, {{"query", "alice m"}})) == Strings{"alice"});
  CHECK(ids(app.user("carol").post(kQuery, {{"query", "meyer"}, {"filter", {{"role", "member"}}}})).empty());
  CHECK(ids(app.user("carol").post(kQuery, {{"query", "%"}})).empty());
  app.server().post("/v1/users/bob/deactivate");
  CHECK(ids(app.user("carol").post(kQuery, {{"query", "al"}})) == Strings{"alice"});
  CHECK(ids(app.user("carol").post(kQuery, {{"filter", {{"deactivated", true}}}})) == Strings{"bob"});
}

TEST_CASE("members: who is banned, only those learn who may ban", "[api][members]") {
  Stage stage;
  auto& app = stage.app;
  app.server().put(kChannel + "/bans/dave", {{"shadow", true}});
  CHECK(ids(app.user("bob").post(kQuery, {{"filter", {{"banned", true}}}})) == Strings{"dave"});
  CHECK(ids(app.server().post(kQuery, by("user_id", {{"filter", {{"banned", false}}}}))) == Strings{"alice", "bob", "carol"});
  CHECK(app.user("carol").post(kQuery, {{"filter", {{"banned", true}}}}).pointer() == "#/filter/banned");
  CHECK(app.user("carol").post(kQuery, {{"filter", {{"unread", 1}}}}).pointer() == "#/filter/unread");
}

TEST_CASE("members: of a closed channel nobody else finds any", "[api][members][tenancy]") {
  Stage stage;
  CHECK(stage.app.user("albert").post(kQuery).status == 404);
  TestApp other;
  CHECK(other.server().post(kQuery).status == 404);
}

namespace {

/// One of many that change the members of a channel at the same time.
void change_members(TestApp& app, unsigned seed) {
  std::mt19937 random(seed);
  const std::string show = "/v1/channels/livestream/show";
  auto pick = [&](std::size_t below) { return random() % below; };
  auto server = app.server();
  for (int i = 0; i < 25; ++i) {
    const auto user = "u" + std::to_string(pick(12));
    Answer answer;
    switch (pick(7)) {
      case 0: answer = server.post(show + "/members", {{"members", {user, "u" + std::to_string(12 + pick(3))}}}); break;
      case 1: answer = server.del(show + "/members/" + user); break;
      case 2: answer = app.user(user).post(show + "/join"); break;
      case 3: answer = app.user(user).del(show + "/members/" + user); break;
      case 4: answer = server.put(show + "/bans/" + user, {{"shadow", pick(2) == 0}}); break;
      case 5: server.post(show + "/invites", {{"users", {user}}}), answer = server.post(show + "/invite/accept", {{"user_id", user}}); break;
      case 6: answer = pick(6) == 0 ? server.del("/v1/users/" + user) : server.del(show + "/bans/" + user); break;
    }
    CHECK(answer.status < 500);
  }
}

}  // namespace

TEST_CASE("members: member_count is right whatever happens at once", "[api][members][property]") {
  for (unsigned round = 0; round < 3; ++round) {
    TestApp app;
    Strings users;
    for (int i = 0; i < 15; ++i) users.push_back("u" + std::to_string(i));
    app.add_users(users);
    app.server().post("/v1/channels/livestream/show", {{"members", {"u0", "u1"}}});
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back([&, i] { change_members(app, round * 10 + i); });
    for (auto& thread : threads) thread.join();
    Service::get().node().run_job("pass_on_channels");
    const auto shown = app.server().get("/v1/channels/livestream/show").body;
    CHECK(shown["channel"]["member_count"] == app.rows("channel_members"));
    CHECK(shown["channel"]["member_count"] == ids(app.server().post("/v1/channels/livestream/show/members/query", {{"limit", 100}})).size());
    CHECK(app.rows("channel_events", "type = 'member.added'") - app.rows("channel_events", "type = 'member.removed'") + 2 ==
          app.rows("channel_members"));
  }
}
