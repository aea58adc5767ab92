#pragma once
#include <algorithm>
#include <map>
#include <set>

#include "tests/support/service.h"

/// An application with a shop that writes to its users.
namespace chat::test {

inline std::vector<std::string> many(int count) {
  std::vector<std::string> users;
  for (int i = 0; i < count; ++i) users.push_back("u" + std::to_string(i));
  return users;
}

struct Shop : TestApp {
  explicit Shop(const std::vector<std::string>& customers = {"alice", "bob"}, const Json& limits = Json::object()) : TestApp(limits) {
    auto all = customers;
    all.emplace_back("shop");
    for (std::size_t at = 0; at < all.size(); at += 100)
      add_users({all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(std::min(at + 100, all.size()))});
  }

  Json draft(Json more = Json::object()) {
    Json body{{"name", "Sale"}, {"sender_id", "shop"}, {"variants", {{{"text", "Hi {{user.name|there}}"}}}}};
    body.update(more);
    const auto made = server().post("/v1/campaigns", body);
    REQUIRE(made.status == 201);
    return made.body["campaign"];
  }
  Json draft_for(const std::vector<std::string>& users, Json more = Json::object()) {
    more["recipients"] = users;
    return draft(more);
  }
  Answer act(const Json& campaign, const std::string& what, const Json& body = Json::object()) { return server().post(path_of(campaign, "/" + what), body); }
  Json show(const Json& campaign) { return server().get(path_of(campaign)).body["campaign"]; }
  Json start(const Json& campaign) {
    const auto started = act(campaign, "start");
    REQUIRE(started.status == 200);
    return started.body["campaign"];
  }
  /// Until it is in that state; this node's job lends a hand.
  Json run_until(const Json& campaign, const std::string& status) {
    Json now;
    eventually("the campaign is " + status, [&] {
      Service::get().node().run_job("send_campaigns");
      now = show(campaign);
      return now["status"] == status;
    }, std::chrono::milliseconds(30'000));
    return now;
  }
  Json run(const Json& campaign) {
    start(campaign);
    return run_until(campaign, "completed");
  }
  /// By user_id or cid.
  std::map<std::string, Json> recipients(const Json& campaign, const std::string& state = "") {
    std::map<std::string, Json> all;
    std::string next;
    do {
      const auto page = server().get(path_of(campaign, "/recipients?limit=2" + (state.empty() ? "" : "&state=" + state) + (next.empty() ? "" : "&next=" + next))).body;
      for (const auto& one : page["recipients"]) {
        const auto name = one.contains("user_id") ? one["user_id"] : one["cid"];
        CHECK(all.emplace(name, one).second);
      }
      next = page.value("next", "");
    } while (!next.empty());
    return all;
  }
  /// Texts that the shop sent to this user, the oldest first.
  std::vector<std::string> inbox(const std::string& user_id) {
    std::vector<std::string> texts;
    auto actor = user(user_id);
    const auto channels = actor.post("/v1/channels/query").body["channels"];
    for (const auto& one : channels) {
      const auto messages = actor.get("/v1/channels/messaging/" + one["channel"]["id"].get<std::string>() + "/messages").body["messages"];
      for (const auto& message : messages)
        if (message["user_id"] == "shop") texts.push_back(message["text"]);
    }
    return texts;
  }
  static std::string path_of(const Json& campaign, const std::string& more = "") { return "/v1/campaigns/" + campaign["id"].get<std::string>() + more; }
  void sql(const std::string& statement) const { Probe(superuser_database().dsn).run(statement + " and app_id = '" + AppId::parse(id())->text() + "'"); }
};

using Texts = std::vector<std::string>;

}  // namespace chat::test
