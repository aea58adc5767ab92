#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::vector<std::string> found(Actor actor, const std::string& typed, Json more = Json::object()) {
  more["q"] = typed;
  std::vector<std::string> ids;
  while (true) {
    auto page = actor.post("/v1/users/search", more);
    INFO(page.http.body);
    REQUIRE(page.status == 200);
    for (const auto& user : page.body["users"]) ids.push_back(user["user_id"]);
    if (!page.body.contains("next")) return ids;
    more["next"] = page.body["next"];
  }
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("search: users are met by the beginning of any word, once, whatever the case", "[api][search]") {
  TestApp app;
  app.server().post("/v1/users", {{"users", {{{"user_id", "u1"}, {"name", "Alice Moreau"}, {"username", "moon"}},
                                             {{"user_id", "u2"}, {"name", "Élodie  de la Mora"}},
                                             {{"user_id", "mo-3"}, {"name", "Bob"}},
                                             {{"user_id", "u4"}, {"name", "100% _sure_"}}}}});
  auto server = app.server();
  CHECK(found(server, "mo") == Ids{"mo-3", "u1", "u2"});      // mo-3 < moon < mora; u1 has moreau, too
  CHECK(found(server, "MOR") == Ids{"u2", "u1"});
  CHECK(found(server, "alice m") == Ids{"u1"});
  CHECK(found(server, "éLO") == Ids{"u2"});
  CHECK(found(server, "u") == Ids{"u1", "u2", "u4"});
  CHECK(found(server, "%").empty());
  CHECK(found(server, "_s") == Ids{"u4"});
  CHECK(found(server, "reau").empty());
  CHECK(found(server, "mo", {{"limit", 1}}) == Ids{"mo-3", "u1", "u2"});
  CHECK(server.post("/v1/users/search", {{"q", "  "}}).pointer() == "#/q");
  CHECK(server.post("/v1/users/search", Json::object()).pointer() == "#/q");
  CHECK(server.post("/v1/users/search", {{"q", "x"}, {"limit", 101}}).pointer() == "#/limit");
  CHECK(server.post("/v1/users/search", {{"q", "x"}, {"next", "nonsense"}}).pointer() == "#/next");
}

TEST_CASE("search: it follows what users are called, and forgets those who are gone", "[api][search]") {
  TestApp app;
  auto server = app.server();
  server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "First Name"}}}}});
  app.user("alice").patch("/v1/users/alice", {{"set", {{"name", "Second"}, {"username", "al"}}}});
  CHECK(found(server, "first").empty());
  CHECK(found(server, "sec") == Ids{"alice"});
  app.user("alice").patch("/v1/users/alice", {{"unset", {"username"}}});
  server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "Third"}}}}});
  CHECK(found(server, "thi") == Ids{"alice"});
  CHECK(app.rows("user_words") == 2);
  server.post("/v1/users/alice/deactivate");
  CHECK(found(server, "thi").empty());
  server.post("/v1/users/alice/reactivate");
  CHECK(found(server, "thi") == Ids{"alice"});
  server.del("/v1/users/alice");
  CHECK(found(server, "thi").empty());
  CHECK(app.rows("user_words") == 0);
}

TEST_CASE("search: another application's users, and those of a block, are not found", "[api][search][tenancy]") {
  TestApp app, other;
  app.add_users({"ann", "anna", "annie"});
  other.add_users({"anton"});
  CHECK(found(app.server(), "an") == Ids{"ann", "anna", "annie"});
  CHECK(found(other.server(), "an") == Ids{"anton"});
  REQUIRE(app.user("ann").post("/v1/users/ann/blocks", {{"target_id", "anna"}}).status == 200);
  CHECK(found(app.user("ann"), "an") == Ids{"ann", "annie"});
  CHECK(found(app.user("anna"), "an") == Ids{"anna", "annie"});
  CHECK(found(app.user("annie"), "an") == Ids{"ann", "anna", "annie"});
  CHECK(found(app.server(), "an", {{"user_id", "ann"}}) == Ids{"ann", "annie"});
  CHECK(app.user("ann").post("/v1/users/search", {{"q", "an"}, {"user_id", "anna"}}).code() == "forbidden");
  app.server().patch("/v1/users/annie", {{"set", {{"email", "annie@example.com"}}}});
  auto seen = app.user("ann").post("/v1/users/search", {{"q", "annie"}}).body["users"][0];
  CHECK_FALSE(seen.contains("email"));
}
