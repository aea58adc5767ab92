#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    message = send("alice", "general", "Lunch at noon");
  }
  [[nodiscard]] std::string path(const std::string& more = "") const { return kMessages + "/" + message["id"].get<std::string>() + more; }
  Answer translate(const std::string& language, const std::string& text) {
    return server().put(path("/translations/" + language), {{"text", text}});
  }
  Json shown(const std::string& query = "") { return user("bob").get(path(query)).body["message"]; }
  Json message;
};

}  // namespace

TEST_CASE("translations: kept per language, shown to everybody, and one's own on request", "[api][translations][ws]") {
  Room room;
  auto bob = room.connect("bob");
  auto answer = room.translate("de", "Mittagessen um zwölf");
  CHECK(answer.status == 200);
  CHECK(hear(bob, "message.updated")["data"]["message"]["translations"] == Json({{"de", "Mittagessen um zwölf"}}));
  CHECK(room.translate("PT-br", "Almoço ao meio-dia").status == 200);
  const Json both = {{"de", "Mittagessen um zwölf"}, {"pt-BR", "Almoço ao meio-dia"}};
  CHECK(room.shown()["translations"] == both);
  CHECK(room.shown()["text"] == "Lunch at noon");
  CHECK_FALSE(room.shown().contains("updated_at"));   // it is no edit
  CHECK(room.user("bob").get(kMessages).body["messages"][0]["translations"] == both);
  CHECK(room.shown("?language=pt-br")["translations"] == Json({{"pt-BR", "Almoço ao meio-dia"}}));
  CHECK(room.shown("?language=de-CH")["translations"] == Json({{"de", "Mittagessen um zwölf"}}));
  CHECK_FALSE(room.shown("?language=fr").contains("translations"));
  CHECK(room.user("bob").get(kMessages + "?language=de").body["messages"][0]["translations"].size() == 1);
  room.send("bob", "general", "reply", {{"parent_id", room.message["id"]}});
  CHECK_FALSE(room.user("bob").get(room.path("/replies?language=de")).body["messages"][0].contains("translations"));
}

TEST_CASE("translations: the same again tells nobody, another text replaces it, deleted it is gone", "[api][translations][ws]") {
  Room room;
  room.translate("de", "eins");
  room.translate("de", "eins");
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 1);
  CHECK(room.translate("de", "zwei").body["message"]["translations"]["de"] == "zwei");
  room.translate("fr", "un");
  auto bob = room.connect("bob");
  auto path = room.path("/translations/de");
  CHECK(room.server().del(path).body["message"]["translations"] == Json({{"fr", "un"}}));
  eventually("what came before is told late at most", [&] { return !hear(bob, "message.updated")["data"]["message"]["translations"].contains("de"); });
  CHECK(room.server().del(path).code() == "not_found");
  CHECK_FALSE(room.server().del(room.path("/translations/fr")).body["message"].contains("translations"));
}

TEST_CASE("translations: an edit of the text forgets them, another change does not", "[api][translations]") {
  Room room;
  room.translate("de", "Mittagessen");
  auto alice = room.user("alice");
  CHECK(alice.patch(room.path(), {{"set", {{"custom", {{"a", 1}}}}}}).body["message"].contains("translations"));
  CHECK_FALSE(alice.patch(room.path(), {{"set", {{"text", "Dinner"}}}}).body["message"].contains("translations"));
}

TEST_CASE("translations: gone with the message, and the search does not find by them", "[api][translations]") {
  Room room;
  room.translate("de", "Mittagessen");
  eventually("the index", [&] {
    Service::get().node().run_job("index_messages");
    return room.user("bob").post("/v1/search/messages", {{"query", "lunch"}}).body["results"].size() == 1;
  });
  CHECK(room.user("bob").post("/v1/search/messages", {{"query", "Mittagessen"}}).body["results"].empty());
  room.user("alice").del(room.path());
  CHECK_FALSE(room.shown().contains("translations"));
  CHECK(room.translate("fr", "x").code() == "not_found");
  room.user("alice").del(room.path("?mode=hard"));
  CHECK(room.rows("messages", "extras is not null") == 0);
}

TEST_CASE("translations: what may not be kept is refused, and leaves nothing", "[api][translations][permissions][limits][tenancy]") {
  Room room, other;
  CHECK(room.user("alice").put(room.path("/translations/de"), {{"text", "x"}}).code() == "forbidden");
  for (const char* bad : {"d", "deutsch", "de_DE", "de-", "de-a", "de-toolongsubtag", "de-11-22-33-44", "1e"})
    CHECK(room.translate(bad, "x").pointer() == "path:language");
  CHECK(room.user("bob").get(room.path("?language=x")).pointer() == "query:language");
  CHECK(room.translate("de", "").pointer() == "#/text");
  CHECK(room.translate("de", std::string(20'001, 'x')).code() == "too_large");
  CHECK(other.server().put(room.path("/translations/de"), {{"text", "x"}}).code() == "not_found");
  CHECK(room.rows("messages", "extras is not null") == 0);
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 0);
  for (char c = 'a'; c < 'a' + 20; ++c) REQUIRE(room.translate(std::string("x") + c, "x").status == 200);
  CHECK(room.translate("de", "x").code() == "limit_reached");
  CHECK(room.translate("xa", "other").status == 200);
}
