#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "tests/support/contract.h"
#include "tests/support/teams.h"

// Every public operation, called by a user who was taken out of the team whose channel it is a member of.
using namespace chat;
using namespace chat::test;

namespace {

/// What a team keeps for itself. All its words begin with `crimson`, so that a trace of them is seen anywhere.
class Secret {
 public:
  Secret() {
    auto server = app.server();
    app.set({{"teams", true}});
    for (const char* team : {"crimson", "blue"}) REQUIRE(server.post("/v1/teams", {{"team_id", team}}).status == 201);
    put("crimson-ann", "crimson");
    put("crimson-tom", "crimson");
    put("mole", "crimson");
    put("bea", "blue");
    auto ann = app.user("crimson-ann");
    REQUIRE(ann.post(kRoom, {{"name", "crimson plans"}, {"members", {"crimson-tom", {{"user_id", "mole"}, {"role", "owner"}}}}}).status == 201);
    const auto told = ann.post(kRoom + "/messages", {{"text", "crimson secret"}, {"mentions", {"mole"}}});
    REQUIRE(told.status == 201);
    message = told.body["message"]["id"];
    REQUIRE(ann.post(kRoom + "/messages", {{"text", "crimson reply"}, {"parent_id", message}}).status == 201);
    auto mole = app.user("mole");
    REQUIRE(mole.post(kRoom + "/messages", {{"text", "crimson answer"}, {"parent_id", message}}).status == 201);
    REQUIRE(mole.post(kRoom + "/messages/" + message + "/reactions", {{"type", "like"}}).status == 201);
    REQUIRE(mole.post(kRoom + "/messages/" + message + "/bookmark").status < 300);
    const auto tomorrow = format_time(system_clock().now() + std::chrono::hours(24));
    auto later = mole.post(kRoom + "/scheduled_messages", {{"message", {{"text", "crimson later"}}}, {"send_at", tomorrow}});
    if (later.status == 201) scheduled = later.body["scheduled_message"]["id"].get<std::string>();
    Service::get().node().run_job("index_messages");
  }

  void take_out_the_mole() { put("mole", "blue"); }
  void put(const std::string& user, const std::string& team) {
    REQUIRE(app.server().post("/v1/users", {{"users", {{{"user_id", user}, {"teams", {team}}}}}}).body["results"][0]["status"] != "refused");
  }

  [[nodiscard]] std::string path_of(std::string pattern) const {
    const std::map<std::string, std::string> parts{{"type", "messaging"},     {"id", "crimson-room"}, {"message_id", message},
                                                   {"user_id", "crimson-tom"}, {"target_id", "crimson-ann"}, {"reaction", "like"},
                                                   {"scheduled_id", scheduled}, {"team_id", "crimson"},   {"task_id", "task_01m7yzmjqcedqrb018tr4sjm6r"}, {"part", "1"}};
    for (const auto& [name, value] : parts)
      if (const auto at = pattern.find("{" + name + "}"); at != std::string::npos) pattern.replace(at, name.size() + 2, value);
    return pattern;
  }

  /// How much of what the team has there is: nothing of it may change.
  [[nodiscard]] std::string state() const {
    std::string text;
    for (const char* table : {"messages", "message_reactions", "channel_members", "channel_events", "channel_bans", "message_edits", "user_blocks",
                              "thread_members", "bookmarks", "scheduled_messages"})
      text += table + std::string(" ") + std::to_string(app.rows(table)) + " ";
    return text + std::to_string(app.rows("messages", "deleted_at is null and pinned_at is null")) + " " +
           std::to_string(app.rows("channels", "deleted_at is null and name = 'crimson plans'")) + " " +
           std::to_string(app.rows("channel_members", "read_message_seq is not null"));
  }

  static inline const std::string kRoom = "/v1/channels/messaging/crimson-room";
  TestApp app;
  std::string message, scheduled = "sched_01m7yzmjq2e60tak362xesvjfr";
};

/// Bodies that get as far as the channel, where the contract's example does not.
Json body_of(const Operation& operation, const Secret& secret) {
  const Json own{{"add_members", {{"members", {"bea"}}}},
                 {"update_member", {{"role", "moderator"}}},
                 {"get_or_create_distinct_channel", {{"members", {"mole", "crimson-ann"}}}},
                 {"get_or_create_channel", {{"members", {"bea"}}}},
                 {"mark_read", {{"message_id", secret.message}}},
                 {"mark_unread", {{"message_id", secret.message}}},
                 {"mark_channels_read", {{"channels", {{{"cid", "messaging:crimson-room"}}}}}},
                 {"mark_delivered", {{"channels", {{{"cid", "messaging:crimson-room"}}}}}},
                 {"send_message", {{"text", "hello"}}},
                 {"read_thread", Json::object()},
                 {"search_messages", {{"query", "crimson"}}},
                 {"search_channels", {{"query", "crimson"}}},
                 {"search_users", {{"q", "crimson"}}},
                 {"schedule_message", {{"message", {{"text", "x"}}}, {"send_at", format_time(system_clock().now() + std::chrono::hours(24))}}},
                 {"update_scheduled_message", {{"set", {{"message", {{"text", "x"}}}}}}},
                 {"update_membership", {{"set", {{"hidden", true}}}}},
                 {"ban_from_channel", Json::object()},
                 {"block_user", {{"target_id", "crimson-ann"}}},
                 {"mute_user", {{"target_id", "crimson-ann"}}},
                 {"query_users", Json::object()},
                 {"query_channels", Json::object()},
                 {"save_bookmark", Json::object()},
                 {"pin_message", Json::object()}};
  if (own.contains(operation.id)) return own[operation.id];
  if (!operation.node->contains("requestBody")) return nullptr;
  const auto& schemas = Contract::get().schemas();
  const Json& media = schemas.resolve(operation.node->at("requestBody"))["content"]["application/json"];
  Json body = media.contains("example") ? media["example"] : schemas.resolve(media["schema"])["examples"][0];
  body.erase("user_id");
  return body;
}

struct Called {
  int status = 0;
  bool has_trace = false;
  std::string told;
};

Called call(Secret& secret, const Operation& operation, const std::string& user) {
  const Json body = body_of(operation, secret);
  const auto path = secret.path_of(operation.path);
  auto answer = secret.app.user(user).call(operation.method, path, body.is_null() ? "" : body.dump());
  std::string shown = answer.status < 300 ? answer.http.body : "";
  const std::string named = "\"cid\":\"messaging:crimson-room\"";   // said by the caller itself
  for (auto at = shown.find(named); body.dump().find(named) != std::string::npos && at != std::string::npos; at = shown.find(named)) shown.erase(at, named.size());
  const bool has_trace = shown.find("crimson") != std::string::npos || shown.find(secret.message) != std::string::npos;
  return {answer.status, has_trace, operation.method + " " + path + " -> " + answer.http.body.substr(0, 300)};
}

bool is_open_to_users(const Operation& operation) { return operation.door == "public" && operation.access == "user_or_server"; }

// Of the caller's own doing: what it scheduled and saved itself it may see and take back, though not read what it was about.
const std::set<std::string> kOwn{"list_scheduled_messages", "cancel_scheduled_message", "update_scheduled_message"};

}  // namespace

TEST_CASE("teams: no public operation shows or changes anything of a team to one who was taken out of it", "[api][teams]") {
  Secret secret;
  int seen = 0, walked = 0;
  for (const Operation& operation : Contract::get().operations())
    if (is_open_to_users(operation) && operation.method == "GET") seen += call(secret, operation, "mole").has_trace;
  CHECK(seen >= 10);                             // while it is in the team, there is much to see

  secret.take_out_the_mole();
  const auto before = secret.state();
  for (const std::string user : {"mole", "bea", "nobody"}) {
    for (const Operation& operation : Contract::get().operations()) {
      if (!is_open_to_users(operation) || kOwn.contains(operation.id)) continue;
      const auto called = call(secret, operation, user);
      INFO(user << " " << operation.id << " " << called.told);
      ++walked;
      CHECK_FALSE(called.has_trace);
      const bool is_of_channel = operation.path.find("{type}/{id}") != std::string::npos;
      CHECK((is_of_channel ? called.status == 404 || called.status == 403 : called.status < 300 || called.status == 404 || called.status == 403));
    }
  }
  CHECK(walked > 100);
  CHECK(secret.state() == before);
}

TEST_CASE("teams: what needs a server is closed to users, whatever team they are in", "[api][teams]") {
  Secret secret;
  for (const Operation& operation : Contract::get().operations()) {
    if (operation.door != "public" || operation.access != "server") continue;
    INFO(operation.id);
    CHECK(call(secret, operation, "bea").status == 403);
  }
}
