#include <catch2/catch.hpp>
#include <atomic>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

TEST_CASE("profiles: username, email, bio and type are kept, changed and removed", "[api][profiles]") {
  TestApp app;
  auto server = app.server();
  auto made = server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"username", "Alice"}, {"email", "alice@example.com"}, {"bio", "Hi."}}}}});
  CHECK(made.body["results"][0]["user"]["type"] == "regular");
  server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "A"}}}}});
  auto alice = app.user("alice");
  auto shown = alice.get("/v1/users/alice").body["user"];
  CHECK(shown["username"] == "Alice");
  CHECK(shown["email"] == "alice@example.com");
  CHECK(shown["bio"] == "Hi.");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"username", "al"}}}, {"unset", {"bio", "email"}}}).body["user"]["username"] == "al");
  shown = alice.get("/v1/users/alice").body["user"];
  CHECK_FALSE(shown.contains("bio"));
  CHECK_FALSE(shown.contains("email"));
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"username", "a b"}}}}).pointer() == "#/set/username");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"username", std::string(65, 'a')}}}}).pointer() == "#/set/username");
  for (const char* email : {"alice", "@example.com", "a@", "a@b@c", "a b@c"})
    CHECK(alice.patch("/v1/users/alice", {{"set", {{"email", email}}}}).pointer() == "#/set/email");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"bio", std::string(2049, 'x')}}}}).pointer() == "#/set/bio");
  CHECK(app.rows("users", "username = 'al' and email is null") == 1);
}

TEST_CASE("profiles: an email, and when an invisible user was here, are for the user itself and servers", "[api][profiles]") {
  TestApp app;
  app.add_users({"bob"});
  app.server().post("/v1/users", {{"users", {{{"user_id", "alice"}, {"email", "alice@example.com"}, {"invisible", true}}}}});
  app.user("alice").get("/v1/users/alice");
  Service::get().node().run_job("flush_usage");
  eventually("every node has flushed", [&] { return app.rows("users", "user_id = 'alice' and last_active_at is not null") == 1; });
  auto own = app.user("alice").get("/v1/users/alice").body["user"];
  CHECK(own["email"] == "alice@example.com");
  CHECK(own["invisible"] == true);
  CHECK(own.contains("last_active_at"));
  CHECK(app.server().get("/v1/users/alice").body["user"].contains("last_active_at"));
  auto bob = app.user("bob");
  Json query{{"filter", {{"user_id", "alice"}}}};
  for (const Json& seen : {bob.get("/v1/users/alice").body["user"], bob.post("/v1/users/query", query).body["users"][0]})
    for (const char* name : {"email", "invisible", "last_active_at"}) CHECK_FALSE(seen.contains(name));
  CHECK(bob.post("/v1/users/query", {{"filter", {{"email", "alice@example.com"}}}}).pointer() == "#/filter/email");
  CHECK(bob.post("/v1/users/query", {{"filter", {{"last_active_at", {{"$exists", true}}}, {"user_id", "alice"}}}}).body["users"].empty());
  CHECK(app.server().post("/v1/users/query", {{"filter", {{"email", "alice@example.com"}, {"invisible", true}}}}).body["users"].size() == 1);
}

TEST_CASE("profiles: where usernames are unique, the second to ask is refused, whatever its case", "[api][profiles]") {
  TestApp app, other;
  app.set({{"unique_usernames", true}, {"unique_emails", true}});
  auto server = app.server();
  server.post("/v1/users", {{"users", {{{"user_id", "alice"}, {"username", "Ace"}, {"email", "a@example.com"}}}}});
  auto batch = server.post("/v1/users", {{"users", {{{"user_id", "bob"}, {"username", "ACE"}}, {{"user_id", "carol"}, {"username", "c"}},
                                                    {{"user_id", "dan"}, {"username", "C"}}, {{"user_id", "eve"}, {"email", "A@example.com"}},
                                                    {{"user_id", "alice"}, {"username", "ace"}}}}}).body["results"];
  CHECK(batch[0]["error"]["code"] == "already_exists");
  CHECK(batch[0]["error"]["errors"][0]["pointer"] == "#/users/0/username");
  CHECK(batch[1]["status"] == "created");
  CHECK(batch[2]["status"] == "refused");
  CHECK(batch[3]["error"]["errors"][0]["pointer"] == "#/users/3/email");
  CHECK(batch[4]["status"] == "updated");
  CHECK(app.rows("users") == 2);
  auto refused = app.user("carol").patch("/v1/users/carol", {{"set", {{"username", "ace"}}}});
  CHECK(refused.code() == "already_exists");
  CHECK(refused.pointer() == "#/set/username");
  CHECK(server.del("/v1/users/alice").status == 204);
  CHECK(app.user("carol").patch("/v1/users/carol", {{"set", {{"username", "ace"}}}}).status == 200);
  other.server().post("/v1/users", {{"users", {{{"user_id", "x"}, {"username", "same"}}, {{"user_id", "y"}, {"username", "same"}}}}});
  CHECK(other.rows("users", "username = 'same'") == 2);   // not asked for there
}

TEST_CASE("profiles: of many who ask for one username at once, one gets it", "[api][profiles][order]") {
  TestApp app;
  app.set({{"unique_usernames", true}});
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) names.push_back("u" + std::to_string(i));
  app.add_users(names);
  std::atomic<int> got{0}, refused{0};
  {
    std::vector<std::jthread> threads;
    for (const auto& name : names)
      threads.emplace_back([&, user = app.user(name), name]() mutable {
        auto answer = user.patch("/v1/users/" + name, {{"set", {{"username", "wanted"}}}});
        (answer.status == 200 ? got : refused) += 1;
      });
  }
  CHECK(got == 1);
  CHECK(refused == 5);
  CHECK(app.rows("users", "username = 'wanted'") == 1);
}

TEST_CASE("profiles: a deactivated user's messages can be hidden until it comes back", "[api][profiles]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("bob", "general", "bob was here");
  auto alice = app.user("alice");
  REQUIRE(app.server().post("/v1/users/bob/deactivate").status == 200);
  CHECK(alice.get(kMessages).body["messages"][0]["text"] == "bob was here");
  CHECK(app.server().post("/v1/users/bob/deactivate", {{"hide_messages", true}}).body["user"].contains("messages_hidden_at"));
  auto hidden = alice.get(kMessages).body["messages"][0];
  CHECK(hidden["text"] == "");
  CHECK(hidden.contains("deleted_at"));
  REQUIRE(app.server().post("/v1/users/bob/reactivate").status == 200);
  CHECK(alice.get(kMessages).body["messages"][0]["text"] == "bob was here");
  CHECK(app.server().post("/v1/users/bob/deactivate", {{"hide", true}}).code() == "unknown_field");
}

TEST_CASE("profiles: what a deleted user wrote stays, is hidden or is erased, as asked", "[api][profiles]") {
  TestApp app;
  const std::vector<std::string> modes{"mode=soft&messages=hide", "mode=soft&messages=erase", "mode=hard&messages=keep", "mode=soft"};
  std::vector<std::string> users{"alice"};
  for (std::size_t i = 0; i < modes.size(); ++i) users.push_back("u" + std::to_string(i));
  app.add_users(users);
  app.add_channel("general", users);
  for (std::size_t i = 0; i < modes.size(); ++i) app.send(users[i + 1], "general", "text " + std::to_string(i));
  for (std::size_t i = 0; i < modes.size(); ++i) REQUIRE(app.server().del("/v1/users/" + users[i + 1] + "?" + modes[i]).status == 204);
  CHECK(app.server().del("/v1/users/alice?messages=burn").pointer() == "query:messages");
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("user_erasures") == 0;
  });
  auto messages = app.user("alice").get(kMessages).body["messages"];
  REQUIRE(messages.size() == 3);
  CHECK(messages[0]["text"] == "");
  CHECK(messages[1]["text"] == "text 2");
  CHECK(messages[2]["text"] == "text 3");
  CHECK(app.rows("messages", "text = 'text 0'") == 1);
  CHECK(app.rows("messages", "text = 'text 1'") == 0);
}
