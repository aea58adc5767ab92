#include <catch2/catch.hpp>

#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kSegments = "/v1/segments";

std::set<std::string> targets_of(Actor server, const std::string& id, int limit = 100) {
  std::set<std::string> all;
  std::string next;
  do {
    const auto page = server.get(kSegments + "/" + id + "/targets?limit=" + std::to_string(limit) + (next.empty() ? "" : "&next=" + next)).body;
    for (const auto& target : page["targets"]) CHECK(all.insert(target).second);
    next = page.value("next", "");
  } while (!next.empty());
  return all;
}

std::string made(const Answer& answer) {
  REQUIRE(answer.status == 201);
  return answer.body["segment"]["id"];
}

}  // namespace

TEST_CASE("segments: a saved filter is asked when it is needed", "[api][segments]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto server = app.server();
  const auto id = made(server.post(kSegments, {{"name", "Bs"}, {"of", "users"}, {"filter", {{"user_id", {{"$in", {"bob", "bea"}}}}}}, {"description", "for tests"}}));
  CHECK(targets_of(server, id) == std::set<std::string>{"bob"});
  app.add_users({"bea"});
  CHECK(targets_of(server, id, 1) == std::set<std::string>{"bea", "bob"});
  const auto shown = server.get(kSegments + "/" + id + "/preview?samples=1").body["preview"];
  CHECK(shown["count"] == 2);
  CHECK(shown["exact"] == true);
  CHECK(shown["samples"].size() == 1);
  REQUIRE(server.del("/v1/users/bea").status == 204);
  CHECK(targets_of(server, id) == std::set<std::string>{"bob"});
  CHECK(server.patch(kSegments + "/" + id, {{"set", {{"filter", {{"user_id", "alice"}}}, {"name", "As"}}}, {"unset", {"description"}}}).body["segment"]["name"] == "As");
  CHECK(targets_of(server, id) == std::set<std::string>{"alice"});
  CHECK_FALSE(server.get(kSegments + "/" + id).body["segment"].contains("description"));
}

TEST_CASE("segments: of channels, by filter and as a list", "[api][segments]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("one", {"alice", "bob"});
  app.add_channel("two", {"alice"});
  auto server = app.server();
  const auto bobs = made(server.post(kSegments, {{"name", "Bob's"}, {"of", "channels"}, {"filter", {{"members", "bob"}, {"type", "messaging"}}}}));
  CHECK(targets_of(server, bobs) == std::set<std::string>{"messaging:one"});
  const auto list = made(server.post(kSegments, {{"name", "Both"}, {"of", "channels"}, {"targets", {"messaging:one", "messaging:two"}}}));
  CHECK(targets_of(server, list, 1) == std::set<std::string>{"messaging:one", "messaging:two"});
  REQUIRE(server.del("/v1/channels/messaging/two").status == 204);
  CHECK(targets_of(server, list) == std::set<std::string>{"messaging:one"});
  CHECK(server.get(kSegments + "/" + list + "/preview").body["preview"]["count"] == 1);
}

TEST_CASE("segments: a list takes what is new, gives up what is in it, all or none", "[api][segments]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto server = app.server();
  const auto id = made(server.post(kSegments, {{"name", "Testers"}, {"of", "users"}, {"targets", {"alice"}}}));
  const auto path = kSegments + "/" + id + "/targets";
  CHECK(server.post(path, {{"targets", {"alice", "bob"}}}).body["changed"] == 1);
  CHECK(server.post(path, {{"targets", {"alice", "bob"}}}).body["changed"] == 0);
  const auto refused = server.post(path, {{"targets", {"carol", "nobody"}}});
  CHECK(refused.code() == "not_found");
  CHECK(refused.pointer() == "#/targets/1");
  CHECK(targets_of(server, id) == std::set<std::string>{"alice", "bob"});
  CHECK(server.post(path + "/remove", {{"targets", {"alice", "carol"}}}).body["changed"] == 1);
  CHECK(targets_of(server, id) == std::set<std::string>{"bob"});
  std::thread beside([&] { app.server().post(path, {{"targets", {"alice", "carol"}}}); });
  app.server().post(path, {{"targets", {"carol", "alice"}}});
  beside.join();
  CHECK(app.rows("segment_targets") == 3);
  REQUIRE(server.del("/v1/users/bob?mode=hard").status == 204);
  eventually("the erased user is in no list", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("segment_targets") == 2;
  });
  CHECK(server.del(kSegments + "/" + id).status == 204);
  CHECK(server.get(kSegments + "/" + id).code() == "not_found");
  CHECK(app.rows("segments") == 0);
  CHECK(app.rows("segment_targets") == 0);
}

TEST_CASE("segments: a list ends at 10,000", "[api][segments][limits]") {
  TestApp app;
  auto server = app.server();
  Probe(superuser_database().dsn).run(
      "insert into users (app_id, id, user_id, created_at, updated_at) select '" + AppId::parse(app.id())->text() +
      "', gen_random_uuid(), 'u' || n, now(), now() from generate_series(1, 10001) n");
  const auto id = made(server.post(kSegments, {{"name", "Many"}, {"of", "users"}}));
  for (int page = 0; page < 10; ++page) {
    Json names = Json::array();
    for (int n = 1; n <= 1'000; ++n) names.push_back("u" + std::to_string(page * 1'000 + n));
    REQUIRE(server.post(kSegments + "/" + id + "/targets", {{"targets", names}}).body["changed"] == 1'000);
  }
  CHECK(server.post(kSegments + "/" + id + "/targets", {{"targets", {"u10001"}}}).code() == "limit_reached");
  CHECK(app.rows("segment_targets") == 10'000);
  CHECK(server.get(kSegments + "/" + id + "/preview").body["preview"]["count"] == 10'000);
}

TEST_CASE("segments: a mistake is named where it is, and nothing is left", "[api][segments][tenancy][permissions]") {
  TestApp app, other;
  app.add_users({"alice"});
  auto server = app.server();
  const auto of_users = [](const Json& filter) { return Json{{"name", "x"}, {"of", "users"}, {"filter", filter}}; };
  CHECK(server.post(kSegments, of_users({{"colour", "red"}})).pointer() == "#/filter/colour");
  CHECK(server.post(kSegments, of_users({{"$or", {{{"role", "admin"}}, {{"created_at", {{"$gt", "yesterday"}}}}}}})).pointer() == "#/filter/$or/1/created_at/$gt");
  CHECK(server.post(kSegments, {{"name", "x"}, {"of", "channels"}, {"filter", {{"unread", 1}}}}).pointer() == "#/filter/unread");
  CHECK(server.post(kSegments, {{"name", "x"}, {"of", "robots"}}).pointer() == "#/of");
  CHECK(server.post(kSegments, {{"name", "x"}, {"of", "users"}, {"filter", Json::object()}, {"targets", {"alice"}}}).pointer() == "#/targets");
  CHECK(server.post(kSegments, {{"name", "x"}, {"of", "users"}, {"targets", {"alice", "alice"}}}).pointer() == "#/targets/1");
  CHECK(server.post(kSegments, {{"name", "x"}, {"of", "users"}, {"targets", {"nobody"}}}).code() == "not_found");
  CHECK(server.post(kSegments + "/preview", {{"of", "users"}, {"filter", {{"role", 1}}}}).pointer() == "#/filter/role");
  CHECK(app.rows("segments") == 0);
  const auto list = made(server.post(kSegments, {{"name", "List"}, {"of", "users"}})), path = kSegments + "/" + list;
  const auto saved = made(server.post(kSegments, {{"name", "Saved"}, {"of", "users"}, {"filter", Json::object()}}));
  CHECK(server.post(kSegments, {{"name", "List"}, {"of", "users"}}).code() == "already_exists");
  CHECK(server.patch(path, {{"set", {{"name", "Saved"}}}}).pointer() == "#/set/name");
  CHECK(server.patch(path, {{"set", {{"filter", Json::object()}}}}).pointer() == "#/set/filter");
  CHECK(server.patch(kSegments + "/" + saved, {{"set", {{"filter", {{"age", 1}}}}}}).pointer() == "#/set/filter/age");
  CHECK(server.post(kSegments + "/" + saved + "/targets", {{"targets", {"alice"}}}).code() == "conflict");
  CHECK(app.user("alice").get(path).code() == "forbidden");
  CHECK(app.user("alice").post(kSegments, {{"name", "x"}, {"of", "users"}}).code() == "forbidden");
  CHECK(other.server().get(path).code() == "not_found");
  CHECK(other.server().patch(path, {{"set", {{"name", "x"}}}}).code() == "not_found");
  CHECK(other.server().post(path + "/targets", {{"targets", {"alice"}}}).code() == "not_found");
  CHECK(other.server().del(path).code() == "not_found");
  CHECK(other.server().get(kSegments).body["segments"].empty());
  CHECK(server.get(kSegments + "?limit=1").body["segments"][0]["id"] == saved);
  const auto next = server.get(kSegments + "?limit=1").body["next"].get<std::string>();
  CHECK(server.get(kSegments + "?limit=1&next=" + next).body["segments"][0]["id"] == list);
}

TEST_CASE("segments: a preview counts what a filter finds, before it is saved", "[api][segments]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  auto server = app.server();
  const auto shown = server.post(kSegments + "/preview", {{"of", "users"}, {"filter", {{"user_id", {{"$ne", "bob"}}}}}, {"samples", 2}}).body["preview"];
  CHECK(shown["count"] == 2);
  CHECK(shown["samples"].size() == 2);
  CHECK(app.rows("segments") == 0);
  TestApp cheap(Json{{"messages", {{"hard", 100}}}});
  CHECK(cheap.server().post(kSegments + "/preview", {{"of", "users"}, {"filter", Json::object()}}).body["preview"]["count"] == 0);
}

TEST_CASE("segments: each change stands in the application's own audit", "[api][segments][audit]") {
  TestApp app;
  app.add_users({"alice"});
  auto server = app.server();
  const auto id = made(server.post(kSegments, {{"name", "List"}, {"of", "users"}}));
  server.patch(kSegments + "/" + id, {{"set", {{"name", "Lists"}}}});
  server.post(kSegments + "/" + id + "/targets", {{"targets", {"alice"}}});
  server.post(kSegments + "/" + id + "/targets/remove", {{"targets", {"alice"}}});
  server.del(kSegments + "/" + id);
  std::vector<std::string> actions;
  const auto noted = server.get("/v1/app/audit").body["audit"];
  for (const auto& entry : noted) actions.push_back(entry["action"]);
  CHECK(actions == std::vector<std::string>{"segment.delete", "segment.targets.remove", "segment.targets.add", "segment.update", "segment.create"});
}
