#pragma once
#include <catch2/catch.hpp>

#include <future>

#include "platform/bus/feed.h"
#include "platform/chat/messages/lanes.h"
#include "tests/support/service.h"

/// A channel with a moderator (alice, its owner), members bob and mallory, and maud, moderator of the application.
namespace chat::test {

inline const std::string kItems = "/v1/moderation/items";
inline const std::string kDecisions = "/v1/moderation/decisions";
inline const std::string kStanding = "/v1/moderation/users/mallory/standing";

struct Court : TestApp {
  Court() {
    add_users({"alice", "bob", "mallory"});
    REQUIRE(server().post("/v1/users", {{"users", {{{"user_id", "maud"}, {"role", "moderator"}}}}}).status == 200);
    add_channel("general", {"alice", "bob", "mallory"});
  }
  Answer flag(const std::string& who, const Json& message, const std::string& reason = "spam", Json more = Json::object()) {
    more["reason"] = reason;
    return user(who).post(kMessages + "/" + message["id"].get<std::string>() + "/flag", more);
  }
  /// A message of mallory's, flagged by bob: its item.
  Json flagged(const std::string& text = "Buy now!") {
    const auto message = send("mallory", "general", text);
    REQUIRE(flag("bob", message).status == 201);
    return item_of(message);
  }
  Json item_of(const Json& message) {
    for (const auto& item : items(server()))
      if (item.value("message_id", "") == message["id"]) return item;
    return nullptr;
  }
  /// A message of mallory's, who may be banned, with something found in it.
  Json judged_by_server(const std::string& text) {
    const auto message = judged("mallory", text, R"([{"source":"rule","rule":"ads"}])", false, true);
    return {{"id", message.id.wire()}};
  }
  Json items(Actor actor, Json body = Json::object()) {
    auto answer = actor.post(kItems + "/query", body);
    INFO(answer.http.body);
    REQUIRE(answer.status == 200);
    return answer.body["items"];
  }
  /// The only result.
  Json decide(Actor who, const Json& item, const std::string& action, Json more = Json::object()) {
    more["item_ids"] = Json::array({item["item_id"]});
    more["action"] = action;
    auto answer = who.post(kDecisions, more);
    INFO(answer.http.body);
    REQUIRE(answer.status == 200);
    return answer.body["results"][0];
  }
  Json decided(Actor who, const Json& item, const std::string& action, const Json& more = Json::object()) {
    auto result = decide(who, item, action, more);
    INFO(result.dump());
    REQUIRE(result["status"] == "decided");
    return result["decision"];
  }
  Answer undo(Actor who, const Json& decision) {
    return who.post(kDecisions + "/" + decision["decision_id"].get<std::string>() + "/undo", {{"reason", "a mistake"}});
  }
  Json standing(const std::string& cid = "messaging:general") {
    const auto shown = server().get(kStanding);
    for (const auto& one : shown.body["standings"])
      if (one.value("cid", "") == cid) return one;
    return nullptr;
  }
  void settings(const Json& set) { REQUIRE(server().patch("/v1/moderation/settings", {{"set", set}}).status == 200); }
  Json history(const std::string& who) { return user(who).get(kMessages).body["messages"]; }

  /// A send as rules judged it, on a lane of its own: what it stored.
  messages::Message judged(const std::string& who, const std::string& text, const std::string& findings, bool shadowed, bool by_server = false) {
    auto bus = bus::make_local_bus();
    messages::Lanes lanes({.database = server_database(), .lanes = 1}, *bus, system_clock());
    auto application = std::make_shared<tenants::Application>();
    application->id = *AppId::parse(id());
    auto send = std::make_unique<messages::Send>();
    send->account = std::make_shared<billing::Account>(application->id);
    send->application = std::move(application);
    send->channel_type = "messaging";
    send->channel_id = "general";
    send->message.cid = "messaging:general";
    send->message.user_id = who;
    send->message.text = text;
    send->findings = findings;
    send->shadowed = shadowed;
    send->by_server = by_server;
    std::promise<messages::Message> stored;
    auto future = stored.get_future();
    send->sent = [&](const messages::Sent& sent) { stored.set_value(sent.message); };
    send->refused = [&](const Error& error) { stored.set_exception(std::make_exception_ptr(error)); };
    send->held = [&](const messages::Send&) { stored.set_exception(std::make_exception_ptr(std::runtime_error("held"))); };
    REQUIRE(lanes.submit(std::move(send)));
    auto message = future.get();
    lanes.stop();
    return message;
  }
};

}  // namespace chat::test
