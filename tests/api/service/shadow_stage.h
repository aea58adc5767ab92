#pragma once
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <sstream>

#include "platform/base/id.h"
#include "tests/support/hooked.h"

// What is said in the shadow, by every way that leads there.
namespace chat::test {

using Texts = std::vector<std::string>;

inline const std::string kChannel = "/v1/channels/messaging/general";
inline const std::string kMark = "zanzibar";          // a word of all that mallory says in the shadow
inline const std::string kLink = "https://" + kMark + ".example/";

/// How what mallory says comes into the shadow.
inline const Texts kWays{"banned from the channel", "banned from the application", "said with what a rule is about", "said with what a list names",
                  "said with what a classifier knows", "banned by a decision"};

/// A channel of alice, its owner, of bob and carol, and of mallory.
struct ShadowRoom : TestApp {
  std::string way;
  Texts ids;                                   // of what mallory said in the shadow

  explicit ShadowRoom(std::string how) : way(std::move(how)) {
    add_users({"alice", "bob", "carol", "mallory"});
    add_channel("general", {"alice", "bob", "carol", "mallory"});
    if (way == kWays[4]) ask_a_classifier();
  }

  void shade() {
    if (way == kWays[0]) REQUIRE(user("alice").put(kChannel + "/bans/mallory", {{"shadow", true}}).status == 200);
    if (way == kWays[1]) REQUIRE(server().put("/v1/bans/mallory", {{"shadow", true}}).status == 200);
    if (way == kWays[2]) shade_by_rule();
    if (way == kWays[3]) shade_by_list();
    if (way == kWays[4]) classifier_shades = true;
    if (way == kWays[5]) shade_by_decision();
  }
  void lift() {
    if (way == kWays[0]) REQUIRE(user("alice").del(kChannel + "/bans/mallory").status == 204);
    if (way == kWays[1]) REQUIRE(server().del("/v1/bans/mallory").status == 204);
    if (way == kWays[2]) set_rules(Json::array());
    if (way == kWays[3]) REQUIRE(server().del("/v1/block_lists/hosts").status == 204);
    if (way == kWays[4]) classifier_shades = false;
    if (way == kWays[5]) REQUIRE(server().post("/v1/moderation/decisions/" + decision + "/undo").status == 200);
  }
  [[nodiscard]] bool bans() const { return way == kWays[0] || way == kWays[1] || way == kWays[5]; }

  void set_rules(const Json& rules) { REQUIRE(server().put("/v1/moderation/rules", {{"rules", rules}}).status == 200); }
  void shade_by_rule() {
    set_rules(Json::array({Json{{"name", "links"}, {"kind", "links"}, {"then", "shadow"}}}));
    const Json asked{{"text", kLink}, {"user_id", "mallory"}, {"cid", "messaging:general"}};
    eventually("every node knows the rule", [&] {
      for (int i = 0; i < 4; ++i)
        if (server().post("/v1/moderation/rules/test", asked).body["verdict"] != "shadow") return false;
      return true;
    });
  }
  void shade_by_list() {
    REQUIRE(server().put("/v1/block_lists/hosts", {{"kind", "domain"}, {"behaviour", "shadow"}}).status == 201);
    REQUIRE(server().post("/v1/block_lists/hosts/entries", {{"add", {kMark + ".example"}}}).status == 200);
    REQUIRE(server().put("/v1/block_lists/hosts/use", Json::object()).status / 100 == 2);
    const Json asked{{"text", kLink}, {"channel_type", "messaging"}, {"channel_id", "general"}};
    eventually("every node knows the list", [&] {
      for (int i = 0; i < 4; ++i) {
        const auto found = server().post("/v1/check_text", asked);
        if (found.status != 200 || found.body["matches"].size() != 1) return false;
      }
      return true;
    });
  }
  /// It answers alike until it shades.
  void ask_a_classifier() {
    add_channel("aside", {"mallory"});
    const auto hides = Json::array({Json{{"label", "hidden"}, {"at", 0.5}, {"then", "shadow"}}});
    REQUIRE(server().put("/v1/moderation/classifier", {{"url", judge.url("/")}, {"thresholds", hides}}).status == 201);
    eventually("every node asks it", [&] {
      const auto before = judge.all().size();
      for (int i = 0; i < 4; ++i) send("mallory", "aside", "probe");
      return judge.all().size() == before + 4;
    });
  }
  void shade_by_decision() {
    REQUIRE(user("bob").post("/v1/users/mallory/flag", {{"reason", "spam"}}).status == 201);
    const auto items = server().post("/v1/moderation/items/query", {{"filter", {{"subject_type", "user"}}}}).body["items"];
    REQUIRE(items.size() == 1);
    const auto decided = server().post("/v1/moderation/decisions", {{"item_ids", {items[0]["item_id"]}}, {"action", "shadow_ban"}}).body["results"][0];
    REQUIRE(decided["status"] == "decided");
    decision = decided["decision"]["decision_id"];
  }

  std::string mutter(const std::string& text, Json more = Json::object()) {
    const auto message = send("mallory", "general", kLink + " " + text, std::move(more));
    ids.push_back(message["id"]);
    return ids.back();
  }

  /// Nothing of it stands in what somebody else was given.
  void check_hidden(const std::string& what, const std::string& given) const {
    INFO(way << ": " << what << ": " << given);
    CHECK(given.find(kMark) == std::string::npos);
    for (const auto& id : ids) CHECK(given.find(id) == std::string::npos);
  }
  void check_hidden(const std::string& what, const std::vector<Json>& frames) const {
    for (const auto& frame : frames) check_hidden(what, frame.dump());
  }

 private:
  std::string decision;
  std::atomic<bool> classifier_shades{false};
  Hooked judge{[this](const Hooked::Got& got, const http::Responder& respond) {
    const bool hides = classifier_shades && got.body.find(kMark) != std::string::npos;
    respond(http::json(200, Json{{"labels", {{"hidden", hides ? 1.0 : 0.0}}}}.dump()));
  }};
};

inline void each_way(const std::function<void(ShadowRoom&)>& walk) {
  for (const auto& way : kWays) {
    INFO(way);
    ShadowRoom room(way);
    walk(room);
  }
}

inline Texts texts(Actor actor, const std::string& path = kMessages) {
  Texts out;
  const auto answer = actor.get(path);
  for (const auto& message : answer.body["messages"]) out.push_back(message["text"]);
  return out;
}

inline bool has(const Texts& all, const std::string& part) {
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.find(part) != std::string::npos; });
}

/// Everything that came up to an event about the message with this text.
inline std::vector<Json> up_to(WsClient& socket, const std::string& text) {
  std::vector<Json> frames;
  while (auto frame = socket.next(std::chrono::seconds(20))) {
    if (frame->value("type", "") == "message.new" && (*frame)["data"]["message"]["text"] == text) return frames;
    frames.push_back(*frame);
  }
  FAIL("nothing came about " << text);
  return frames;
}

inline void index_all(TestApp& app) {
  Service::get().node().run_job("index_messages");
  eventually("everything is indexed", [&] {
    if (app.rows("search_queue") == 0) return true;
    Service::get().node().run_job("index_messages");
    return false;
  });
}

inline std::string exported(TestApp& app, const std::string& user) {
  auto server = app.server();
  const auto begun = server.post("/v1/users/" + user + "/export");
  REQUIRE(begun.status == 202);
  const auto path = "/v1/tasks/" + begun.body["task"]["task_id"].get<std::string>();
  Json task;
  eventually("the export's end", [&] {
    Service::get().node().run_job("run_tasks");
    task = server.get(path).body["task"];
    return task["status"] == "done";
  }, std::chrono::seconds(30));
  std::string all;
  for (int part = 1; part <= task["parts"].get<int>(); ++part) all += server.get(path + "/parts/" + std::to_string(part)).http.body;
  return all;
}

}  // namespace chat::test
