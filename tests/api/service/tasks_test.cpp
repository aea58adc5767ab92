#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "platform/tasks/tasks.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string task_path(const Json& task) { return "/v1/tasks/" + task["task_id"].get<std::string>(); }

Json finished(TestApp& app, const std::string& path) {
  Json task;
  eventually("the end of the task", [&] {
    task = app.server().get(path).body["task"];
    return task["status"] == "done" || task["status"] == "failed";
  }, std::chrono::seconds(30));
  return task;
}

/// Lines of the whole output, by kind.
std::map<std::string, std::vector<Json>> output(TestApp& app, const Json& task) {
  std::map<std::string, std::vector<Json>> lines;
  auto server = app.server();
  for (int part = 1; part <= task["parts"].get<int>(); ++part) {
    auto answer = server.get(task_path(task) + "/parts/" + std::to_string(part));
    REQUIRE(answer.status == 200);
    std::istringstream text(answer.http.body);
    for (std::string line; std::getline(text, line);) {
      auto parsed = Json::parse(line);
      lines[parsed["kind"]].push_back(parsed["data"]);
    }
  }
  return lines;
}

std::map<std::string, std::vector<Json>> exported(TestApp& app, const std::string& user) {
  auto begun = app.server().post("/v1/users/" + user + "/export");
  REQUIRE(begun.status == 202);
  auto task = finished(app, task_path(begun.body["task"]));
  CHECK(task["status"] == "done");
  return output(app, task);
}

}  // namespace

TEST_CASE("exports: everything that a user is and wrote, and nothing of others", "[api][exports]") {
  TestApp app, other;
  app.add_users({"alice", "bob", "carol"});
  other.add_users({"alice"});
  app.server().patch("/v1/users/alice", {{"set", {{"email", "alice@example.com"}}}});
  app.add_channel("general", {"alice", "bob"});
  app.add_channel("left", {"bob", "alice"});
  app.send("alice", "general", "one", {{"custom", {{"a", 1}}}, {"mentions", {"bob"}}});
  auto two = app.send("alice", "left", "two");
  auto of_bob = app.send("bob", "general", "of bob");
  auto erased = app.send("alice", "general", "erased");
  app.send("alice", "general", "to bob", {{"parent_id", of_bob["id"]}});
  app.user("alice").patch("/v1/channels/messaging/left/messages/" + two["id"].get<std::string>(), {{"set", {{"text", "two, edited"}}}});
  app.user("alice").patch("/v1/channels/messaging/general/membership", {{"set", {{"pinned", true}}}});
  app.user("alice").del("/v1/channels/messaging/left/members/alice");
  app.user("alice").del(kMessages + "/" + erased["id"].get<std::string>() + "?mode=hard");
  app.user("alice").post("/v1/users/alice/blocks", {{"target_id", "carol"}});
  app.user("alice").post("/v1/users/alice/mutes", {{"target_id", "bob"}});
  const std::string at_message = kMessages + "/" + of_bob["id"].get<std::string>();
  REQUIRE(app.user("alice").post(at_message + "/reactions", {{"type", "like"}}).status <= 201);
  REQUIRE(app.user("alice").post(at_message + "/bookmark", {{"note", "later"}}).status == 201);
  REQUIRE(app.user("alice").post("/v1/channels/messaging/general/scheduled_messages",
                                 {{"message", {{"text", "soon"}}}, {"send_at", format_time(system_clock().now() + std::chrono::hours(1))}}).status == 201);
  REQUIRE(app.server().put("/v1/bans/alice", {{"shadow", true}, {"reason", "spam"}}).status == 200);
  auto lines = exported(app, "alice");
  REQUIRE(lines["reaction"].size() == 1);
  CHECK(lines["reaction"][0]["message_id"] == of_bob["id"]);
  CHECK(lines["bookmark"][0]["note"] == "later");
  CHECK(lines["thread"][0]["following"] == true);
  CHECK(lines["scheduled_message"][0]["message"]["text"] == "soon");
  CHECK(lines["ban"][0]["reason"] == "spam");
  REQUIRE(lines["user"].size() == 1);
  CHECK(lines["user"][0]["email"] == "alice@example.com");
  REQUIRE(lines["membership"].size() == 1);
  CHECK(lines["membership"][0]["cid"] == "messaging:general");
  CHECK(lines["membership"][0]["pinned_at"].is_string());
  REQUIRE(lines["message"].size() == 3);
  std::set<std::string> texts;
  for (const auto& message : lines["message"]) {
    texts.insert(message["text"]);
    CHECK(message.contains("edits") == (message["text"] == "two, edited"));
    if (message.contains("edits")) CHECK(message["edits"][0]["text"] == "two");
  }
  CHECK(texts == std::set<std::string>{"one", "two, edited", "to bob"});
  CHECK(lines["block"][0]["target_id"] == "carol");
  CHECK(lines["mute"][0]["target_id"] == "bob");
  CHECK(exported(other, "alice")["message"].empty());
}

TEST_CASE("exports: many messages come in many slices, each message once", "[api][exports]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  auto sample = app.send("alice", "general", "first");
  Probe(superuser_database().dsn)
      .run("insert into messages (app_id, channel_id, id, seq, message_seq, user_id, type, text, created_at)"
           " select m.app_id, m.channel_id, (substr(m.id::text, 1, 24) || lpad(to_hex(n), 12, '0'))::uuid, 1000 + n, 1000 + n, m.user_id, 'regular',"
           " repeat('x', 900) || n, now() from messages m, generate_series(1, 2500) n where m.app_id = '" + uuid_of(app) + "'");
  auto lines = exported(app, "alice");
  std::set<std::string> ids;
  for (const auto& message : lines["message"]) ids.insert(message["id"]);
  CHECK(lines["message"].size() == 2501);
  CHECK(ids.size() == 2501);
  CHECK(app.rows("task_parts") > 2);
  CHECK(app.rows("task_parts", "octet_length(body) > 1100000") == 0);
}

TEST_CASE("exports: only servers ask for them, and only for users that there are", "[api][exports][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  CHECK(app.user("alice").post("/v1/users/alice/export").code() == "forbidden");
  CHECK(app.server().post("/v1/users/nobody/export").code() == "not_found");
  CHECK(other.server().post("/v1/users/alice/export").code() == "not_found");
  CHECK(app.rows("tasks") == 0);
}

TEST_CASE("tasks: they are for those who began them", "[api][tasks][tenancy]") {
  TestApp app, other;
  app.add_users({"alice"});
  auto task = app.server().post("/v1/users/alice/export").body["task"];
  CHECK(finished(app, task_path(task))["items"] == 1);
  for (auto stranger : {app.user("alice"), other.server(), other.user("alice")}) {
    CHECK(stranger.get(task_path(task)).code() == "not_found");
    CHECK(stranger.get(task_path(task) + "/parts/1").code() == "not_found");
  }
  for (const char* part : {"2", "0", "-1", "one", "1x", "99999999999999999999"})
    CHECK(app.server().get(task_path(task) + "/parts/" + part).code() == "not_found");
  CHECK(app.server().get("/v1/tasks/nonsense").code() == "not_found");
}

TEST_CASE("tasks: an application has twenty unfinished ones at most", "[api][tasks][limits]") {
  TestApp app;
  app.add_users({"alice"});
  Probe(superuser_database().dsn)
      .run("insert into tasks (app_id, id, type, owner, input, created_at, updated_at)"
           " select '" + uuid_of(app) + "', gen_random_uuid(), 'unknown_here', '', '{}', now(), now() from generate_series(1, 20)");
  CHECK(app.server().post("/v1/users/alice/export").code() == "limit_reached");
  CHECK(app.rows("tasks") == 20);
}

TEST_CASE("tasks: what a dead worker held is taken over where it stood", "[api][tasks]") {
  TestApp app;
  app.add_users({"alice"});
  auto task = app.server().post("/v1/users/alice/export").body["task"];
  finished(app, task_path(task));
  const auto id = "app_id = '" + uuid_of(app) + "'";
  Probe probe(superuser_database().dsn);
  // As a worker leaves it that dies after the first section: its slice kept, its lease running out.
  probe.run("update tasks set status = 'running', worker = gen_random_uuid(), lease_until = now() + interval '1 second', state = '1:', finished_at = null,"
            " expires_at = null where " + id);
  CHECK(app.server().get(task_path(task)).body["task"]["status"] == "running");
  auto done = finished(app, task_path(task));
  CHECK(done["status"] == "done");
  CHECK(done["parts"] == 1);                   // the first section was not written again
  probe.run("update tasks set status = 'running', worker = gen_random_uuid(), lease_until = now(), attempts = 5, state = '1:' where " + id);
  done = finished(app, task_path(task));
  CHECK(done["status"] == "failed");
  CHECK(done.contains("error"));
}

TEST_CASE("tasks: a slice that can't be done is tried again, and then the task has failed", "[api][tasks]") {
  TestApp app;
  app.add_users({"alice"});
  Probe probe(superuser_database().dsn);
  probe.run("insert into tasks (app_id, id, type, owner, input, attempts, created_at, updated_at) select '" + uuid_of(app) +
            "', gen_random_uuid(), 'export_user', '', '{\"user_id\":\"alice\",\"user\":\"nonsense\"}', 3, now(), now()");
  eventually("the failure", [&] { return app.rows("tasks", "status = 'failed' and error is not null") == 1; }, std::chrono::seconds(30));
}

TEST_CASE("tasks: output is forgotten when it is due", "[api][tasks]") {
  TestApp app;
  app.add_users({"alice"});
  auto task = app.server().post("/v1/users/alice/export").body["task"];
  finished(app, task_path(task));
  Probe(superuser_database().dsn).run("update tasks set expires_at = now() - interval '1 second' where app_id = '" + uuid_of(app) + "'");
  eventually("the sweep", [&] {
    Service::get().node().run_job("sweep_tasks");
    return app.rows("tasks") + app.rows("task_parts") == 0;
  });
  CHECK(app.server().get(task_path(task)).code() == "not_found");
}

TEST_CASE("tasks: what an operator began is no server's and no user's, and what can't be done fails at once", "[api][tasks][tenancy]") {
  TestApp app;
  app.add_users({"alice"});
  const auto id = tasks::TaskId::make(system_clock().now());
  Probe(superuser_database().dsn)
      .run("insert into tasks (app_id, id, type, owner, input, created_at, updated_at) values ('" + uuid_of(app) + "', '" + id.text() +
           "', 'export_application', '/operator', '{}', now(), now())");
  for (auto caller : {app.server(), app.user("alice")}) {
    CHECK(caller.get("/v1/tasks/" + id.wire()).code() == "not_found");
    CHECK(caller.get("/v1/tasks/" + id.wire() + "/parts/1").code() == "not_found");
  }
  Json task;                                   // the application is not suspended
  eventually("the failure", [&] {
    task = Service::get().operators().get(path_of(app, "/exports/" + id.wire())).body["task"];
    return task["status"] == "failed";
  }, std::chrono::seconds(30));
  CHECK(task["error"].get<std::string>().find("resumed") != std::string::npos);
  CHECK(app.rows("tasks", "attempts = 0") == 1);   // no slice was tried again
}
