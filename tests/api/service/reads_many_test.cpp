#include <catch2/catch.hpp>
#include <set>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("reads: in a channel of thousands the last member's numbers are as right as the first one's", "[api][reads][ws]") {
  constexpr int kMembers = 3'000;
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  Probe outside(superuser_database().dsn);
  const std::string id = "'" + AppId::parse(app.id())->text() + "'";
  outside.run("insert into users (app_id, id, user_id, created_at, updated_at) select " + id + ", gen_random_uuid(), 'm' || to_char(n, 'FM0000'), now(), now()"
              " from generate_series(1, " + std::to_string(kMembers) + ") n");
  outside.run("insert into channel_members (app_id, channel_id, user_id, role, joined_message_seq, created_at, updated_at)"
              " select u.app_id, c.id, u.id, case when u.user_id = 'm3000' then 'moderator' else 'member' end, 0, now(), now()"
              " from users u join channels c on c.app_id = u.app_id where u.app_id = " + id + " and u.user_id like 'm%'");
  outside.run("analyze users");                // as autovacuum does before long
  outside.run("analyze channel_members");
  const auto first = app.send("alice", "general", "to moderators", {{"mention_roles", {"moderator"}}});
  app.send("alice", "general", "to m3000", {{"mentions", {"m3000"}}});
  app.send("alice", "general", "to all", {{"mention_channel", true}});
  app.send("alice", "general", "not counted", {{"silent", true}});
  const auto numbers = [&](const std::string& user) {
    const auto unread = app.user(user).get("/v1/unread").body;
    return std::pair<int, int>(unread["total"], unread["mentions"]);
  };
  CHECK(numbers("m0001") == std::pair(3, 1));
  CHECK(numbers("m3000") == std::pair(3, 3));
  auto socket = app.connect("m3000");
  REQUIRE(app.user("m3000").post("/v1/channels/messaging/general/read", {{"message_id", first["id"]}}).status == 200);
  eventually("the last member's numbers", [&] {
    const auto data = hear(socket, "notification.unread_changed")["data"];
    return data["total"] == 2 && data["mentions"] == 2;
  });
  outside.run("update channel_members set read_message_seq = 3, read_at = now() where app_id = " + id + " and user_id in"
              " (select id from users where app_id = " + id + " and user_id like 'm%')");
  std::set<std::string> readers;
  const std::string path = kMessages + "/" + first["id"].get<std::string>() + "/receipts?limit=100";
  std::string next;
  int shown = 0;
  do {
    const auto page = app.user("alice").get(path + (next.empty() ? "" : "&next=" + next)).body;
    for (const auto& receipt : page["receipts"]) readers.insert(receipt["user_id"]);
    shown += static_cast<int>(page["receipts"].size());
    next = page.value("next", "");
  } while (!next.empty() && shown <= kMembers);
  CHECK(shown == kMembers);
  CHECK(readers.size() == kMembers);
  CHECK(readers.contains("m3000"));
  CHECK(numbers("m3000") == std::pair(0, 0));
}
