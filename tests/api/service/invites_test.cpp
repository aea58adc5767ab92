#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kChannel = "/v1/channels/messaging/general";
const std::string kInvites = kChannel + "/invites";
const std::string kAccept = kChannel + "/invite/accept";
const std::string kReject = kChannel + "/invite/reject";

struct Stage {
  TestApp app;
  explicit Stage(const Json& limits = Json::object()) : app(limits) {
    app.add_users({"alice", "bob", "carol", "dave"});
    app.add_channel("general", {"alice", "bob"});
  }
  Json invite(const std::string& user, const std::string& by = "alice") {
    auto answer = app.user(by).post(kInvites, {{"users", {user}}});
    REQUIRE(answer.status == 200);
    return answer.body["results"][0];
  }
};

std::vector<std::string> invited(Actor actor, const std::string& path = "/v1/invites") {
  std::vector<std::string> found;
  const auto answer = actor.get(path);
  REQUIRE(answer.status == 200);
  for (const auto& invite : answer.body["invites"]) found.push_back(path == "/v1/invites" ? invite["cid"] : invite["user_id"]);
  return found;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("invites: who is invited hears of it, sees nothing else, and becomes a member by accepting", "[api][invites][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto dave = app.connect("dave");
  auto bob = app.connect("bob");
  auto alice = app.connect("alice");
  auto answer = app.user("alice").post(kInvites, {{"users", {"dave"}}, {"text", "Come in!"}, {"role", "moderator"}});
  REQUIRE(answer.status == 200);
  const auto& result = answer.body["results"][0];
  CHECK(result["status"] == "invited");
  CHECK(result["invite"]["state"] == "pending");
  CHECK(result["invite"]["invited_by"] == "alice");
  auto event = hear(dave, "invite.created");
  CHECK(event["cid"] == "messaging:general");
  CHECK(event["data"]["invite"]["text"] == "Come in!");
  app.send("alice", "general", "not for dave");
  CHECK_FALSE(dave.find("message.new", std::chrono::milliseconds(150)));
  CHECK_FALSE(bob.find("invite.created", std::chrono::milliseconds(50)));
  CHECK(app.user("dave").get(kChannel).status == 404);
  CHECK(app.server().get(kChannel).body["channel"]["member_count"] == 2);
  CHECK(invited(app.user("dave")) == Strings{"messaging:general"});

  auto accepted = app.user("dave").post(kAccept);
  REQUIRE(accepted.status == 200);
  CHECK(accepted.body["member"]["role"] == "moderator");
  CHECK(accepted.body["invite"]["state"] == "accepted");
  CHECK(hear(bob, "member.added")["data"]["member"]["user_id"] == "dave");
  CHECK(hear(dave, "invite.accepted")["data"]["invite"]["state"] == "accepted");
  CHECK(hear(alice, "invite.accepted")["data"]["invite"]["user_id"] == "dave");
  CHECK_FALSE(bob.find("invite.accepted", std::chrono::milliseconds(50)));
  app.send("alice", "general", "for dave");
  CHECK(hear(dave, "message.new")["data"]["message"]["text"] == "for dave");
  CHECK(app.server().get(kChannel).body["channel"]["member_count"] == 3);
  CHECK(invited(app.user("dave")).empty());
}

TEST_CASE("invites: accepting twice gives the same answer, also at once", "[api][invites]") {
  Stage stage;
  auto& app = stage.app;
  stage.invite("dave");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto accepted = app.user("dave").post(kAccept);
      CHECK(accepted.status == 200);
      CHECK(accepted.body["invite"]["state"] == "accepted");
    });
  for (auto& thread : threads) thread.join();
  CHECK(app.rows("channel_events", "type = 'member.added'") == 1);
  CHECK(app.server().get(kChannel).body["channel"]["member_count"] == 3);
  CHECK(app.user("dave").post(kReject).status == 404);
  CHECK(app.user("dave").del(kChannel + "/members/dave").status == 204);
  CHECK(app.user("dave").post(kAccept).status == 404);        // it let the user in once
  CHECK(stage.invite("dave")["status"] == "invited");
  CHECK(app.user("dave").post(kAccept).status == 200);
}

TEST_CASE("invites: rejected ones don't open, and may be made anew", "[api][invites][ws]") {
  Stage stage;
  auto& app = stage.app;
  auto alice = app.connect("alice");
  stage.invite("dave");
  auto rejected = app.user("dave").post(kReject);
  CHECK(rejected.body["invite"]["state"] == "rejected");
  CHECK(hear(alice, "invite.rejected")["data"]["invite"]["user_id"] == "dave");
  CHECK(app.user("dave").post(kReject).body["invite"] == rejected.body["invite"]);
  CHECK_FALSE(alice.find("invite.rejected", std::chrono::milliseconds(100)));
  CHECK(app.user("dave").post(kAccept).status == 404);
  CHECK(invited(app.user("alice"), kInvites).empty());
  CHECK(invited(app.user("alice"), kInvites + "?state=rejected") == Strings{"dave"});
  CHECK(stage.invite("dave")["status"] == "invited");
  CHECK(stage.invite("dave")["status"] == "unchanged");
  CHECK(app.user("dave").post(kAccept).status == 200);
}

TEST_CASE("invites: one that was taken back is gone", "[api][invites][ws]") {
  Stage stage;
  auto& app = stage.app;
  stage.invite("dave");
  auto dave = app.connect("dave");
  CHECK(app.user("bob").del(kInvites + "/dave").code() == "forbidden");
  CHECK(app.user("alice").del(kInvites + "/dave").status == 204);
  CHECK(hear(dave, "invite.revoked")["data"]["invite"]["user_id"] == "dave");
  CHECK(app.user("alice").del(kInvites + "/dave").status == 404);
  CHECK(app.user("dave").post(kAccept).status == 404);
  CHECK(app.user("dave").post(kReject).status == 404);
  CHECK(app.rows("channel_invites") == 0);
}

TEST_CASE("invites: each item stands alone", "[api][invites]") {
  Stage stage;
  auto& app = stage.app;
  app.server().post("/v1/users/carol/blocks", {{"target_id", "alice"}});
  app.server().post("/v1/users", {{"users", {{{"user_id", "nobody"}, {"type", "anonymous"}}}}});
  auto answer = app.user("alice").post(kInvites, {{"users", {"bob", "zed", "carol", "nobody", "dave"}}});
  REQUIRE(answer.status == 200);
  std::vector<std::string> codes;
  for (const auto& result : answer.body["results"])
    codes.push_back(result["status"] == "refused" ? result["error"]["code"] : result["status"]);
  CHECK(codes == Strings{"already_exists", "not_found", "forbidden", "forbidden", "invited"});
  CHECK(app.rows("channel_invites") == 1);
  // A server invites in nobody's name: no block stands between.
  CHECK(app.server().post(kInvites, {{"users", {"carol"}}}).body["results"][0]["status"] == "invited");
  CHECK_FALSE(app.server().get(kInvites).body["invites"][0].contains("invited_by"));
  // Who blocks the inviter afterwards does not see the invitation.
  app.server().post("/v1/users/dave/blocks", {{"target_id", "alice"}});
  CHECK(invited(app.user("dave")).empty());
}

TEST_CASE("invites: take a right, and no role above the own", "[api][invites][tenancy]") {
  Stage stage;
  auto& app = stage.app;
  CHECK(app.user("bob").post(kInvites, {{"users", {"dave"}}}).code() == "forbidden");
  CHECK(app.user("carol").post(kInvites, {{"users", {"dave"}}}).status == 404);
  CHECK(app.user("bob").get(kInvites).code() == "forbidden");
  app.user("alice").patch(kChannel + "/members/bob", {{"role", "moderator"}});
  CHECK(app.user("bob").post(kInvites, {{"users", {"dave"}}, {"role", "admin"}}).code() == "forbidden");
  CHECK(app.user("bob").post(kInvites, {{"users", {"dave"}}, {"role", "king"}}).code() == "invalid_field");
  CHECK(app.user("bob").post(kInvites, {{"users", {"dave", "dave"}}}).pointer() == "#/users/1");
  CHECK(app.user("bob").post(kInvites, {{"users", Json::array()}}).pointer() == "#/users");
  CHECK(app.rows("channel_invites") == 0);
  CHECK(app.user("bob").post(kInvites, {{"users", {"dave"}}}).status == 200);
  TestApp other;
  other.add_users({"dave"});
  CHECK(other.user("dave").post(kAccept).status == 404);
  CHECK(other.server().get(kInvites).status == 404);
  CHECK(invited(other.user("dave")).empty());
  CHECK(app.user("carol").post(kAccept).status == 404);
  CHECK(app.server().post(kAccept).pointer() == "#/user_id");
  CHECK(app.server().post(kAccept, {{"user_id", "dave"}}).status == 200);
}

TEST_CASE("invites: the banned stay outside, the plan's members hold exactly", "[api][invites][limits]") {
  Stage stage(Json{{"channel_members", {{"hard", 3}}}});
  auto& app = stage.app;
  app.user("alice").post(kInvites, {{"users", {"carol", "dave"}}});
  app.server().put(kChannel + "/bans/carol", Json::object());
  CHECK(app.user("carol").post(kAccept).code() == "forbidden");
  app.server().del(kChannel + "/bans/carol");
  std::atomic<int> in{0}, full{0};
  std::vector<std::thread> threads;
  for (const auto* user : {"carol", "dave"})
    threads.emplace_back([&, user] {
      auto answer = app.user(user).post(kAccept);
      ++(answer.status == 200 ? in : full);
      if (answer.status != 200) CHECK(answer.code() == "limit_reached");
    });
  for (auto& thread : threads) thread.join();
  CHECK(in == 1);
  CHECK(full == 1);
  CHECK(app.server().get(kChannel).body["channel"]["member_count"] == 3);
  CHECK(app.rows("channel_invites", "state = 'pending'") == 1);
}

TEST_CASE("invites: who becomes a member in another way waits for no answer", "[api][invites]") {
  Stage stage;
  auto& app = stage.app;
  stage.invite("dave");
  app.server().post(kChannel + "/members", {{"members", {"dave"}}});
  CHECK(invited(app.user("dave")).empty());
  CHECK(app.user("dave").post(kAccept).status == 200);
}

TEST_CASE("invites: 1,000 may wait in a channel, and of a user", "[api][invites][limits]") {
  Stage stage;
  auto& app = stage.app;
  Probe probe(superuser_database().dsn);
  const auto uuid = AppId::parse(app.id())->text();
  probe.run("insert into users (app_id, id, user_id, created_at, updated_at) select '" + uuid +
            "', gen_random_uuid(), 'filler' || n, now(), now() from generate_series(1, 999) n");
  probe.run("insert into channel_invites (app_id, channel_id, user_id, role, state, created_at) select u.app_id, c.id, u.id, 'member', 'pending', now() "
            "from users u join channels c on c.app_id = u.app_id where u.app_id = '" + uuid + "' and u.user_id like 'filler%'");
  auto answer = app.user("alice").post(kInvites, {{"users", {"dave", "carol"}}});
  CHECK(answer.body["results"][0]["status"] == "invited");
  CHECK(answer.body["results"][1]["error"]["code"] == "limit_reached");
  CHECK(app.rows("channel_invites") == 1000);
}

TEST_CASE("invites: of a deleted inviter neither name nor words stay", "[api][invites]") {
  Stage stage;
  auto& app = stage.app;
  app.user("alice").post(kInvites, {{"users", {"dave"}}, {"text", "Come in!"}});
  CHECK(app.server().del("/v1/users/alice?mode=hard").status == 204);
  auto invite = app.user("dave").get("/v1/invites").body["invites"][0];
  CHECK_FALSE(invite.contains("invited_by"));
  CHECK_FALSE(invite.contains("text"));
  CHECK(app.rows("channel_invites", "text is not null or invited_by is not null") == 0);
  CHECK(app.user("dave").post(kAccept).status == 200);
}

TEST_CASE("invites: lists go page by page, newest first", "[api][invites]") {
  Stage stage;
  auto& app = stage.app;
  app.add_users({"u1", "u2", "u3"});
  for (const auto* user : {"u1", "u2", "u3"}) stage.invite(user);
  auto first = app.user("alice").get(kInvites + "?limit=2").body;
  CHECK(first["invites"][0]["user_id"] == "u3");
  auto rest = app.user("alice").get(kInvites + "?limit=2&next=" + first["next"].get<std::string>()).body;
  CHECK(rest["invites"].size() == 1);
  CHECK(rest["invites"][0]["user_id"] == "u1");
  CHECK_FALSE(rest.contains("next"));
  app.add_channel("second", {"alice"});
  app.user("alice").post("/v1/channels/messaging/second/invites", {{"users", {"u1"}}});
  auto own = app.user("u1").get("/v1/invites?limit=1").body;
  CHECK(own["invites"][0]["cid"] == "messaging:second");
  own = app.user("u1").get("/v1/invites?limit=1&next=" + own["next"].get<std::string>()).body;
  CHECK(own["invites"][0]["cid"] == "messaging:general");
  app.server().del("/v1/channels/messaging/second");
  CHECK(invited(app.user("u1")) == Strings{"messaging:general"});
}

TEST_CASE("invites: a block that is made at the same moment holds, whoever of the two makes it", "[api][invites][blocks][concurrency]") {
  for (const char* blocker : {"carol", "alice"}) {
    Stage stage;
    const std::string app = "'" + AppId::parse(stage.app.id())->text() + "'", blocked = blocker == std::string("carol") ? "alice" : "carol";
    Probe block(superuser_database().dsn), looker(superuser_database().dsn);
    block.run("begin; select id from users where app_id = " + app + " and user_id = '" + blocker + "' for no key update;"
              "insert into user_blocks (app_id, user_id, blocked_id, created_at) select " + app + ", a.id, b.id, now() from users a, users b "
              "where a.app_id = " + app + " and b.app_id = " + app + " and a.user_id = '" + blocker + "' and b.user_id = '" + blocked + "'");
    Json result;
    {
      std::jthread beside([&] { result = stage.invite("carol"); });
      eventually("the invitation waits", [&] {
        return looker.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                            "and query like '%from users where app_id = $1 and (user_id = any%'") != "0";
      });
      block.run("commit");
    }
    CHECK(result["status"] == "refused");
    CHECK(result["error"]["code"] == "forbidden");
    CHECK(stage.app.rows("channel_invites") == 0);
  }
}
