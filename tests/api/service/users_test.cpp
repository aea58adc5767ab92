#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("users: made and changed in one call, absent members keep their value", "[api][users]") {
  TestApp app;
  auto server = app.server();
  auto made = server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "Alice"}, {"custom", {{"a", 1}}}}, {{"user_id", "bob"}}}}});
  CHECK(made.body["results"][0]["status"] == "created");
  auto changed = server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"image", "http://x/a.png"}}}}});
  CHECK(changed.body["results"][0]["status"] == "updated");
  auto alice = server.get("/v1/users/alice").body["user"];
  CHECK(alice["name"] == "Alice");
  CHECK(alice["image"] == "http://x/a.png");
  CHECK(alice["custom"] == Json({{"a", 1}}));
  CHECK(server.post("/v1/users", {{"users", {{{"user_id", "x"}}, {{"user_id", "x"}}}}}).pointer() == "#/users/1/user_id");
  Json many = Json::array();
  for (int i = 0; i < 101; ++i) many.push_back({{"user_id", "u" + std::to_string(i)}});
  CHECK(server.post("/v1/users", {{"users", many}}).pointer() == "#/users");
  CHECK(app.rows("users") == 2);
}

TEST_CASE("users: another application's user is a missing one", "[api][users][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  other.add_users({"zoe"});
  for (auto& answer : {other.server().get("/v1/users/alice"), other.server().patch("/v1/users/alice", {{"set", {{"name", "x"}}}}),
                       other.server().del("/v1/users/alice"), other.server().post("/v1/users/alice/deactivate")})
    CHECK(answer.code() == "not_found");
  CHECK(other.server().post("/v1/users/query", Json::object()).body["users"].size() == 1);
}

TEST_CASE("users: queried by filter, sorted, page by page", "[api][users]") {
  TestApp app;
  Json users = Json::array();
  for (int i = 0; i < 9; ++i) users.push_back({{"user_id", "u" + std::to_string(i)}, {"name", i % 3 ? "many" : "few"}, {"role", i == 4 ? "admin" : "user"}});
  REQUIRE(app.server().post("/v1/users", {{"users", users}}).status == 200);
  auto server = app.server();
  auto count = [&](const Json& filter) { return server.post("/v1/users/query", {{"filter", filter}, {"limit", 100}}).body["users"].size(); };
  CHECK(count({{"name", "few"}}) == 3);
  CHECK(count({{"name", {{"$ne", "few"}}}}) == 6);
  CHECK(count({{"user_id", {{"$in", {"u1", "u2", "ghost"}}}}}) == 2);
  CHECK(count({{"user_id", {{"$nin", {"u1", "u2"}}}}}) == 7);
  CHECK(count({{"$or", {{{"role", "admin"}}, {{"user_id", {{"$gte", "u7"}}}}}}}) == 3);
  CHECK(count({{"$and", {{{"name", "many"}}, {{"user_id", {{"$lt", "u3"}}}}}}}) == 2);
  CHECK(count({{"last_active_at", {{"$exists", true}}}}) == 0);
  std::vector<std::string> seen;
  Json query{{"sort", {{{"field", "user_id"}, {"order", "asc"}}}}, {"limit", 4}};
  while (true) {
    auto page = server.post("/v1/users/query", query);
    REQUIRE(page.status == 200);
    for (const auto& user : page.body["users"]) seen.push_back(user["user_id"]);
    if (!page.body.contains("next")) break;
    query["next"] = page.body["next"];
  }
  CHECK(seen == std::vector<std::string>{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"});
  const auto cursor = query["next"];
  CHECK(server.post("/v1/users/query", {{"next", cursor}, {"limit", 4}}).pointer() == "#/next");   // another sort
  TestApp other;
  query["next"] = cursor;
  CHECK(other.server().post("/v1/users/query", query).pointer() == "#/next");
}

TEST_CASE("users: a filter that can't be is refused at its place", "[api][users]") {
  TestApp app;
  auto server = app.server();
  auto pointer = [&](const Json& body) { return server.post("/v1/users/query", body).pointer(); };
  CHECK(pointer({{"filter", {{"shoe_size", "x"}}}}) == "#/filter/shoe_size");
  CHECK(pointer({{"filter", {{"name", {{"$like", "x"}}}}}}) == "#/filter/name/$like");
  CHECK(pointer({{"filter", {{"name", 5}}}}) == "#/filter/name");
  CHECK(pointer({{"filter", {{"created_at", {{"$gt", "yesterday"}}}}}}) == "#/filter/created_at/$gt");
  CHECK(pointer({{"filter", {{"$or", Json::array()}}}}) == "#/filter/$or");
  CHECK(pointer({{"sort", {{{"field", "role"}}}}}) == "#/sort/0/field");
  CHECK(pointer({{"limit", 0}}) == "#/limit");
  CHECK(server.post("/v1/users/query", {{"filter", {{"name", "'; drop table users; --"}}}}).body["users"].empty());
}

TEST_CASE("users: one changes itself, never another nor its own role", "[api][users]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.user("alice");
  auto changed = alice.patch("/v1/users/alice", {{"set", {{"name", "A"}, {"custom", {{"x", 1}, {"y", 2}}}}}});
  CHECK(changed.body["user"]["name"] == "A");
  CHECK(alice.patch("/v1/users/alice", {{"unset", {"custom.x", "name"}}}).body["user"]["custom"] == Json({{"y", 2}}));
  CHECK(alice.patch("/v1/users/bob", {{"set", {{"name", "B"}}}}).code() == "forbidden");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"role", "admin"}}}}).code() == "forbidden");
  CHECK(alice.patch("/v1/users/alice", {{"unset", {"role"}}}).pointer() == "#/unset/0");
  CHECK(app.server().patch("/v1/users/bob", {{"set", {{"role", "moderator"}}}}).body["user"]["role"] == "moderator");
}

TEST_CASE("users: a deactivated one is out until it is reactivated", "[api][users]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto alice = app.user("alice");
  REQUIRE(app.server().post("/v1/users/alice/deactivate").body["user"].contains("deactivated_at"));
  CHECK(app.server().post("/v1/users/alice/deactivate").status == 200);
  CHECK(alice.get("/v1/users/alice").code() == "user_deactivated");
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "alice"}}).code() == "user_deactivated");
  REQUIRE(app.server().post("/v1/users/alice/reactivate").status == 200);
  CHECK(app.server().post(kMessages, {{"text", "x"}, {"user_id", "alice"}}).status == 201);
  CHECK(app.rows("messages") == 1);
}

TEST_CASE("users: a deactivated one's sockets close", "[api][users][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  REQUIRE(app.server().post("/v1/users/alice/deactivate").status == 200);
  CHECK(alice.wait_closed(std::chrono::milliseconds(1000)) == 4507);
  CHECK_FALSE(bob.wait_closed(std::chrono::milliseconds(100)));
}

TEST_CASE("users: a soft deleted one leaves its messages, a hard deleted one leaves none", "[api][users]") {
  TestApp app;
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob", "carol"});
  app.send("bob", "general", "bob was here");
  app.send("carol", "general", "carol was here");
  REQUIRE(app.server().del("/v1/users/bob").status == 204);
  REQUIRE(app.server().del("/v1/users/carol?mode=hard").status == 204);
  CHECK(app.server().del("/v1/users/bob").code() == "not_found");
  CHECK(app.user("bob").get("/v1/users/alice").code() == "user_deactivated");
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("user_erasures") == 0;
  });
  CHECK(app.rows("messages", "text = 'bob was here'") == 1);
  CHECK(app.rows("messages", "text like 'carol%'") == 0);
  CHECK(app.user("alice").get(kMessages).body["messages"].size() == 1);
  CHECK(app.user("alice").get("/v1/unread").body["total"] == 1);
  auto back = app.server().post("/v1/users", {{"users", {{{"user_id", "bob"}}}}});
  CHECK(back.body["results"][0]["status"] == "refused");
  CHECK(back.body["results"][0]["error"]["code"] == "conflict");
}

TEST_CASE("users: what happens to a user is told to that user and the backend alone", "[api][users][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  auto backend = app.connect("");
  app.user("alice").patch("/v1/users/alice", {{"set", {{"name", "A"}}}});
  CHECK(hear(alice, "user.updated")["data"]["user"]["name"] == "A");
  CHECK(hear(backend, "user.updated")["data"]["user"]["user_id"] == "alice");
  CHECK_FALSE(bob.find("user.updated", std::chrono::milliseconds(150)));
  app.server().post("/v1/users/bob/deactivate");
  CHECK(hear(backend, "user.deactivated")["data"]["user"]["user_id"] == "bob");
  app.server().post("/v1/users/bob/reactivate");
  CHECK(hear(backend, "user.reactivated")["data"]["user"]["user_id"] == "bob");
  app.server().del("/v1/users/bob");
  CHECK(hear(backend, "user.deleted")["data"]["user_id"] == "bob");
}
