#include <catch2/catch.hpp>

#include <set>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::set<std::string> types(WsClient& client, std::chrono::milliseconds patience) {
  std::set<std::string> out;
  for (const auto& frame : client.drain(patience)) out.insert(frame["type"]);
  return out;
}

/// Does one of each thing that a channel hears of.
void live_through(TestApp& app, WsClient& alice) {
  const std::string general = "/v1/channels/messaging/general";
  auto user = app.user("alice"), member = app.user("bob");
  auto first = app.send("alice", "general", "one");
  const std::string path = kMessages + "/" + first["id"].get<std::string>();
  user.patch(path, {{"set", {{"text", "edited"}}}});
  member.post(path + "/reactions", {{"type", "clap"}});
  member.post(path + "/reactions", {{"type", "clap"}, {"score", 2}});
  member.del(path + "/reactions/clap");
  app.send("bob", "general", "a reply", {{"parent_id", first["id"]}});
  user.post(path + "/thread/read");
  user.post(path + "/pin");
  member.post("/v1/delivered", {{"channels", {{{"cid", "messaging:general"}}}}});
  member.post(general + "/read");
  member.post(general + "/typing");
  member.post(general + "/typing", {{"typing", false}});
  user.patch(general, {{"set", {{"name", "General"}}}});
  user.post(general + "/members", {{"members", {"erin"}}});
  user.patch(general + "/members/erin", {{"role", "moderator"}});
  user.del(general + "/members/erin");
  alice.send({{"type", "watch"}, {"cids", {"messaging:general"}}});
  alice.send({{"type", "status"}, {"status", "away"}});
  hear(alice, "member.removed");
  user.del(path + "?mode=soft");
  user.post(path + "/undelete");
}

}  // namespace

TEST_CASE("live: of all that happens in a channel a stranger, a banned user and another application hear nothing", "[api][live][ws][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "dave", "erin", "mallory"});
  app.add_channel("general", {"alice", "bob", "mallory"});
  app.add_channel("elsewhere", {"alice"});
  other.add_users({"alice", "bob"});
  other.add_channel("general", {"alice", "bob"});
  app.user("alice").put("/v1/channels/messaging/general/bans/mallory", Json::object());
  auto alice = app.connect("alice"), bob = app.connect("bob");
  auto dave = app.connect("dave"), mallory = app.connect("mallory"), stranger = other.connect("bob");
  live_through(app, alice);
  const auto heard = types(bob, std::chrono::milliseconds(1'500));
  for (const char* type : {"message.new", "message.updated", "reaction.new", "reaction.updated", "reaction.deleted",
                           "channel.updated", "member.added", "member.updated", "member.removed", "message.deleted", "message.undeleted",
                           "user.watching.start"})
    CHECK(heard.contains(type));
  CHECK_FALSE(heard.contains("typing.start"));            // its own
  CHECK_FALSE(heard.contains("user.presence.changed"));   // follows nobody
  for (auto* outsider : {&dave, &mallory, &stranger}) {
    for (const auto& type : types(*outsider, std::chrono::milliseconds(10))) FAIL_CHECK("heard " << type);
    outsider->send({{"type", "watch"}, {"cids", {"messaging:general"}}});
  }
  CHECK(dave.wait_for("watch.done")["data"]["channels"].empty());
  CHECK(mallory.wait_for("watch.done")["data"]["channels"].empty());
  stranger.wait_for("watch.done");
  app.user("alice").del("/v1/channels/messaging/general");
  CHECK(hear(bob, "channel.deleted")["cid"] == "messaging:general");
  for (auto* outsider : {&dave, &mallory, &stranger})
    for (const auto& type : types(*outsider, std::chrono::milliseconds(300))) CHECK_FALSE(type.starts_with("channel."));
}
