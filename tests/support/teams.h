#pragma once
#include <catch2/catch.hpp>

#include "tests/support/service.h"

namespace chat::test {

/// An application with two teams, users in one, in both and in none, and a channel of the first:
/// red: rita (owner of messaging:red-room) robin (member)   blue: bea ben   red and blue: both   none: nora;
/// livestream:red-stage is open, and of team red.
struct Teams {
  TestApp& app;

  explicit Teams(TestApp& of, const Json& settings = {{"teams", true}}) : app(of) {
    if (!settings.empty()) app.set(settings);
    auto server = app.server();
    for (const char* team : {"red", "blue"}) REQUIRE(server.post("/v1/teams", {{"team_id", team}}).status == 201);
    app.add_users({"nora"});
    for (const char* user : {"rita", "robin"}) put(user, {"red"});
    for (const char* user : {"bea", "ben"}) put(user, {"blue"});
    put("both", {"red", "blue"});
    REQUIRE(app.user("rita").post("/v1/channels/messaging/red-room", {{"team", "red"}, {"members", {"robin"}}}).status == 201);
    REQUIRE(server.post("/v1/channels/livestream/red-stage", {{"team", "red"}}).status == 201);
  }

  void put(const std::string& user, const Json& teams) {
    auto answer = app.server().post("/v1/users", {{"users", {{{"user_id", user}, {"teams", teams}}}}});
    INFO(answer.http.body);
    REQUIRE(answer.body["results"][0]["status"] != "refused");
  }
};

}  // namespace chat::test
