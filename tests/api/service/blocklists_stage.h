#pragma once
#include <catch2/catch.hpp>

#include "tests/support/service.h"

namespace chat::test {

/// Alice and Bob in a channel of an application with block lists.
struct ListRoom : TestApp {
  explicit ListRoom(const Json& limits = Json::object()) : TestApp(limits) {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  /// A list of this kind, with entries, that holds everywhere.
  void make(const std::string& name, const Json& document, const Json& entries) {
    REQUIRE(server().put("/v1/block_lists/" + name, document).status == 201);
    if (!entries.empty()) REQUIRE(server().post("/v1/block_lists/" + name + "/entries", {{"add", entries}}).status == 200);
    REQUIRE(server().put("/v1/block_lists/" + name + "/use", Json::object()).status / 100 == 2);
  }
  /// What lists find in a text, as alice says it in the channel; asked of every node until all say so.
  Json found(const std::string& text, Json more = Json::object()) {
    more["text"] = text;
    if (!more.contains("channel_type")) more.update({{"channel_type", "messaging"}, {"channel_id", "general"}});
    Answer answer;
    eventually("the lists are ready", [&] { return (answer = server().post("/v1/check_text", more)).status == 200; });
    return answer.body;
  }
  /// Waits until every node finds `count` matches in the text.
  void wait(const std::string& text, std::size_t count, const Json& more = Json::object()) {
    eventually("every node finds " + std::to_string(count) + " in " + text, [&] {
      for (int i = 0; i < 4; ++i)
        if (found(text, more)["matches"].size() != count) return false;
      return true;
    }, std::chrono::milliseconds(30'000));   // a large list of another test may be compiled first, on a busy machine
  }
  Answer say(const std::string& who, const std::string& text, Json more = Json::object()) {
    more["text"] = text;
    return user(who).post(kMessages, more);
  }
};

}  // namespace chat::test
