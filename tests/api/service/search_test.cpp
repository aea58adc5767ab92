#include <catch2/catch.hpp>

#include <set>
#include <thread>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

using Texts = std::vector<std::string>;

Answer find(Actor actor, const Json& body) { return actor.post("/v1/search/messages", body); }

Texts texts(const Answer& answer) {
  INFO(answer.http.body);
  REQUIRE(answer.status == 200);
  Texts out;
  for (const auto& result : answer.body["results"]) out.push_back(result["message"]["text"]);
  return out;
}

Json newest(Json body) {
  body["sort"] = Json::array({{{"field", "created_at"}}});
  return body;
}

// Everything that was sent so far is in the index.
void index_all(TestApp& app) {
  Service::get().node().run_job("index_messages");
  eventually("everything is indexed", [&] {
    if (app.rows("search_queue") == 0) return true;
    Service::get().node().run_job("index_messages");
    return false;
  });
}

void set_language(TestApp& app, const std::string& language) {
  auto operators = Service::get().operators();
  REQUIRE(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"settings", {{"search_language", language}}}}}}).status == 200);
}

std::string marked(const Json& result) {
  std::string out;
  for (const auto& piece : result["snippet"]) out += piece.value("match", false) ? "[" + piece["text"].get<std::string>() + "]" : piece["text"].get<std::string>();
  return out;
}

}  // namespace

TEST_CASE("search: words, phrases, alternatives and exclusions find what they say", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (const auto* text : {"the quick brown fox", "a brown quick dog", "lazy dog", "quick thinking"}) app.send("alice", "general", text);
  index_all(app);
  auto alice = app.user("alice");
  CHECK(texts(find(alice, newest({{"query", "quick brown"}}))) == Texts{"a brown quick dog", "the quick brown fox"});
  CHECK(texts(find(alice, {{"query", "\"quick brown\""}})) == Texts{"the quick brown fox"});
  CHECK(texts(find(alice, newest({{"query", "fox or lazy"}}))) == Texts{"lazy dog", "the quick brown fox"});
  CHECK(texts(find(alice, newest({{"query", "quick -brown"}}))) == Texts{"quick thinking"});
  CHECK(texts(find(alice, {{"query", "QUICK Fox"}})) == Texts{"the quick brown fox"});
  CHECK(texts(find(alice, {{"query", "absent"}})).empty());
  CHECK(texts(find(alice, {{"query", "..."}})).empty());
  auto only_without = find(alice, {{"query", "-quick"}});
  CHECK(only_without.code() == "invalid_field");
  CHECK(only_without.pointer() == "#/query");
}

TEST_CASE("search: nobody finds what he could not read", "[api][search][tenancy]") {
  TestApp app, other;
  for (TestApp* one : {&app, &other}) {
    one->add_users({"alice", "bob"});
    one->add_channel("general", {"alice"});
  }
  app.add_channel("shared", {"alice", "bob"});
  app.send("alice", "general", "secret treasure");
  app.send("alice", "shared", "shared treasure");
  other.send("alice", "general", "foreign treasure");
  index_all(app);
  index_all(other);
  CHECK(texts(find(app.user("bob"), {{"query", "treasure"}})) == Texts{"shared treasure"});
  CHECK(texts(find(app.user("alice"), {{"query", "treasure"}})).size() == 2);
  CHECK(texts(find(app.server(), {{"query", "treasure"}})).size() == 2);
  CHECK(texts(find(app.server(), {{"query", "treasure"}, {"user_id", "bob"}})).size() == 1);
  CHECK(texts(find(other.server(), {{"query", "treasure"}})) == Texts{"foreign treasure"});
  CHECK(find(app.user("bob"), {{"query", "treasure"}, {"filter", {{"cid", "messaging:general"}}}}).code() == "not_found");
  CHECK(find(app.user("bob"), {{"query", "treasure"}, {"user_id", "alice"}}).code() == "forbidden");
  REQUIRE(app.user("bob").del("/v1/channels/messaging/shared/members/bob").status == 204);
  CHECK(texts(find(app.user("bob"), {{"query", "treasure"}})).empty());
  // The function itself refuses a transaction of another application, whatever the program does.
  Probe server(server_database().dsn);
  server.run("begin");
  server.run("select set_config('chat.app_id', '" + AppId::parse(app.id())->text() + "', true)");
  CHECK_THROWS(server.run("select * from search_messages('" + AppId::parse(other.id())->text() +
                          "', null, null, 'treasure', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 10, 10)"));
  server.run("rollback");
}

TEST_CASE("search: what a member cleared, and what was written in the shadow of a ban, is found by nobody it is hidden from", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("alice", "general", "old treasure");
  index_all(app);
  REQUIRE(app.user("bob").patch("/v1/channels/messaging/general/membership", {{"set", {{"hidden", true}}}, {"clear_history", true}}).status == 200);
  app.send("alice", "general", "new treasure");
  index_all(app);
  CHECK(texts(find(app.user("bob"), {{"query", "treasure"}})) == Texts{"new treasure"});
  CHECK(texts(find(app.user("bob"), {{"query", "treasure"}, {"filter", {{"cid", "messaging:general"}}}})) == Texts{"new treasure"});
  CHECK(texts(find(app.user("alice"), {{"query", "treasure"}})).size() == 2);
  REQUIRE(app.user("alice").put("/v1/channels/messaging/general/bans/bob", {{"shadow", true}}).status == 200);
  app.send("bob", "general", "shadow treasure");
  index_all(app);
  CHECK(texts(find(app.user("alice"), {{"query", "treasure"}})).size() == 2);
  CHECK(texts(find(app.server(), {{"query", "treasure"}})).size() == 2);
}

TEST_CASE("search: messages hidden with their author are found by nobody until they are shown again", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("bob", "general", "treasure map");
  index_all(app);
  REQUIRE(app.server().post("/v1/users/bob/deactivate", {{"hide_messages", true}}).status == 200);
  CHECK(texts(find(app.user("alice"), {{"query", "treasure"}})).empty());
  CHECK(texts(find(app.server(), {{"query", "treasure"}})).empty());
  REQUIRE(app.server().post("/v1/users/bob/reactivate").status == 200);
  CHECK(texts(find(app.user("alice"), {{"query", "treasure"}})) == Texts{"treasure map"});
}

TEST_CASE("search: a member of no channel finds nothing", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "loner"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "treasure");
  index_all(app);
  CHECK(texts(find(app.user("loner"), {{"query", "treasure"}})).empty());
}

TEST_CASE("search: an open channel is found in when it is named", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  REQUIRE(app.server().post("/v1/channel_types", {{"type", "forum"}, {"settings", {{"open", true}}}}).status == 201);
  REQUIRE(app.user("alice").post("/v1/channels/forum/faq").status == 201);
  REQUIRE(app.user("alice").post("/v1/channels/forum/faq/messages", {{"text", "open question"}}).status == 201);
  index_all(app);
  CHECK(texts(find(app.user("bob"), {{"query", "question"}})).empty());
  CHECK(texts(find(app.user("bob"), {{"query", "question"}, {"filter", {{"cid", "forum:faq"}}}})).size() == 1);
}

TEST_CASE("search: an edited message is found by what it says now", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto sent = app.send("alice", "general", "meet at noon");
  index_all(app);
  auto alice = app.user("alice");
  REQUIRE(alice.patch(kMessages + "/" + sent["id"].get<std::string>(), {{"set", {{"text", "meet at dusk"}}}}).status == 200);
  CHECK(texts(find(alice, {{"query", "noon"}})).empty());
  index_all(app);
  CHECK(texts(find(alice, {{"query", "noon"}})).empty());
  CHECK(texts(find(alice, {{"query", "dusk"}})) == Texts{"meet at dusk"});
}

TEST_CASE("search: what is deleted or erased leaves the index with the same commit", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto soft = app.send("alice", "general", "softly gone"), hard = app.send("alice", "general", "wholly gone"), early = app.send("alice", "general", "early gone");
  auto alice = app.user("alice");
  REQUIRE(alice.del(kMessages + "/" + early["id"].get<std::string>() + "?mode=hard").status == 200);   // before it was indexed
  index_all(app);
  CHECK(texts(find(alice, {{"query", "gone"}})).size() == 2);
  REQUIRE(alice.del(kMessages + "/" + soft["id"].get<std::string>()).status == 200);
  REQUIRE(alice.del(kMessages + "/" + hard["id"].get<std::string>() + "?mode=hard").status == 200);
  CHECK(app.rows("search_index", "words is not null") == 0);
  CHECK(texts(find(alice, {{"query", "gone"}})).empty());
  index_all(app);
  CHECK(app.rows("search_index", "words is not null") == 0);
}

TEST_CASE("search: a hard deleted user's words leave the index", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("bob", "general", "bob was here");
  app.send("alice", "general", "alice was here");
  index_all(app);
  REQUIRE(app.server().del("/v1/users/bob?mode=hard").status == 204);
  eventually("erased", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("messages", "erased") == 1;
  });
  CHECK(app.rows("search_index", "words is not null") == 1);
  CHECK(texts(find(app.user("alice"), {{"query", "here"}})) == Texts{"alice was here"});
}

TEST_CASE("search: a deleted channel and a deleted application take their index with them", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "some words");
  index_all(app);
  REQUIRE(app.user("alice").del("/v1/channels/messaging/general").status == 204);
  CHECK(texts(find(app.server(), {{"query", "words"}})).empty());
  eventually("purged", [&] {
    Service::get().node().run_job("purge_deleted");
    return app.rows("search_index") == 0;
  });
}

TEST_CASE("search: filters narrow by channel, author, mention, attachment and time", "[api][search]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.add_channel("other", {"alice", "bob"});
  auto first = app.send("alice", "general", "plan one");
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  app.send("bob", "general", "plan two", {{"mentions", {"alice"}}});
  app.send("alice", "other", "plan three", {{"attachments", {{{"type", "image"}, {"url", "x"}}}}});
  app.send("bob", "other", "plan four", {{"attachments", {{{"type", "file"}}}}});
  index_all(app);
  auto by = [&](const Json& filter) { return texts(find(app.user("alice"), newest({{"query", "plan"}, {"filter", filter}}))); };
  CHECK(by({{"cid", "messaging:other"}}) == Texts{"plan four", "plan three"});
  CHECK(by({{"cid", {{"$in", {"messaging:other", "messaging:general"}}}}}).size() == 4);
  CHECK(by({{"user_id", "alice"}}) == Texts{"plan three", "plan one"});
  CHECK(by({{"user_id", {{"$eq", "nobody"}}}}).empty());
  CHECK(by({{"mentions", "alice"}}) == Texts{"plan two"});
  CHECK(by({{"has_attachments", true}}) == Texts{"plan four", "plan three"});
  CHECK(by({{"attachment_type", "image"}}) == Texts{"plan three"});
  CHECK(by({{"has_attachments", true}, {"user_id", "bob"}}) == Texts{"plan four"});
  CHECK(by({{"created_at", {{"$lte", first["created_at"]}}}}) == Texts{"plan one"});
  CHECK(by({{"created_at", {{"$gt", first["created_at"]}}}}).size() == 3);
  CHECK(texts(find(app.user("alice"), {{"filter", {{"mentions", "alice"}}}})) == Texts{"plan two"});
}

TEST_CASE("search: pages follow each other without gap or twin, by time and by relevance, while others send", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  for (int i = 0; i < 11; ++i) app.send("alice", "general", std::string("apple") + (i % 3 == 0 ? " apple apple" : "") + " number " + std::to_string(i));
  index_all(app);
  for (const auto* field : {"created_at", "relevance"}) {
    INFO(field);
    Json body{{"query", "apple"}, {"limit", 4}, {"sort", Json::array({{{"field", field}}})}};
    Texts seen;
    for (int page = 0; page < 3; ++page) {
      auto answer = find(app.user("alice"), body);
      for (const auto& text : texts(answer)) seen.push_back(text);
      if (page == 0) {
        app.send("alice", "general", "apple apple apple newcomer");
        index_all(app);
      }
      CHECK(answer.body.contains("next") == (page < 2));
      if (page < 2) body["next"] = answer.body["next"];
    }
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == seen.size());
    const std::size_t newcomers = field == std::string("created_at") ? 0 : 1;
    CHECK(seen.size() == 11 + newcomers);
    if (field == std::string("created_at")) CHECK(seen.front() == "apple number 10");
    else CHECK_THAT(seen.front(), Catch::Contains("apple apple"));
  }
  auto first = find(app.user("alice"), {{"query", "apple"}, {"limit", 1}});
  CHECK(find(app.user("alice"), {{"query", "number"}, {"limit", 1}, {"next", first.body["next"]}}).code() == "invalid_field");
}

TEST_CASE("search: a snippet holds what the author wrote in pieces, and no markup of its own", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "is 3 < 4 & \x01" "beer\x02 <b>cold</b>? beer!");
  index_all(app);
  auto found = find(app.user("alice"), {{"query", "beer"}});
  REQUIRE(texts(found).size() == 1);
  CHECK_THAT(marked(found.body["results"][0]), Catch::Contains("[beer]"));
  CHECK_THAT(marked(found.body["results"][0]), Catch::Contains("is 3 < 4 & [beer] <b>cold</b>? [beer]!"));
  app.send("alice", "general", std::string(1000, 'a') + " " + std::string("long ") + std::string(5000, 'b') + " wine");
  index_all(app);
  auto other = find(app.user("alice"), {{"query", "wine"}});
  CHECK_THAT(marked(other.body["results"][0]), Catch::Contains("[wine]"));
  CHECK(find(app.user("alice"), {{"filter", {{"user_id", "alice"}}}}).body["results"][0]["snippet"].empty());
}

TEST_CASE("search: the application's language knows forms of a word, and a change of it indexes anew", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  app.send("alice", "general", "we were running late");
  index_all(app);
  CHECK(texts(find(app.user("alice"), {{"query", "run"}})).empty());
  set_language(app, "english");
  eventually("the index is in English", [&] {
    Service::get().node().run_job("rebuild_search");
    index_all(app);
    return app.rows("search_states", "language = 'english' and complete") == 1;
  });
  auto found = find(app.user("alice"), {{"query", "run"}});
  REQUIRE(texts(found).size() == 1);
  CHECK_THAT(marked(found.body["results"][0]), Catch::Contains("[running]"));
  CHECK(texts(find(app.user("alice"), {{"query", "we were"}})).empty());
  set_language(app, "off");
  eventually("the index is gone", [&] {
    Service::get().node().run_job("rebuild_search");
    return app.rows("search_index") == 0 && app.rows("search_states", "complete") == 1;
  });
  CHECK(find(app.user("alice"), {{"query", "run"}}).code() == "forbidden");
  app.send("alice", "general", "not queued");
  CHECK(app.rows("search_queue") == 0);
  auto operators = Service::get().operators();
  CHECK(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"settings", {{"search_language", "klingon"}}}}}}).code() == "invalid_field");
}

TEST_CASE("search: what is wrong with a query is said by name", "[api][search]") {
  TestApp app;
  app.add_users({"alice"});
  auto alice = app.user("alice");
  auto pointer = [&](const Json& body) {
    auto answer = find(alice, body);
    CHECK(answer.status == 400);
    return answer.pointer();
  };
  CHECK(pointer(Json::object()) == "#/query");
  CHECK(pointer({{"query", std::string(257, 'x')}}) == "#/query");
  CHECK(pointer({{"query", "x"}, {"limit", 51}}) == "#/limit");
  CHECK(pointer({{"query", "x"}, {"filter", {{"colour", "red"}}}}) == "#/filter/colour");
  CHECK(pointer({{"query", "x"}, {"filter", {{"cid", "general"}}}}) == "#/filter/cid");
  CHECK(pointer({{"query", "x"}, {"filter", {{"user_id", {{"$in", Json(std::vector<std::string>(21, "a"))}}}}}}) == "#/filter/user_id/$in");
  CHECK(pointer({{"query", "x"}, {"filter", {{"has_attachments", false}}}}) == "#/filter/has_attachments");
  CHECK(pointer({{"filter", {{"user_id", "alice"}}}, {"sort", Json::array({{{"field", "relevance"}}})}}) == "#/sort/0/field");
  CHECK(pointer({{"query", "x"}, {"next", "forged"}}) == "#/next");
}

TEST_CASE("search: channels are found by the beginnings of the words in their names", "[api][search][tenancy]") {
  TestApp app, other;
  app.add_users({"alice", "bob"});
  auto make = [&](const std::string& id, const std::string& name, const std::string& member) {
    REQUIRE(app.server().post("/v1/channels/messaging/" + id, {{"name", name}, {"members", {member}}}).status == 201);
  };
  make("a", "Quarterly Report", "alice");
  make("b", "Report on it's \\ quarks", "bob");
  make("c", "Cooking", "alice");
  auto names = [&](Actor actor, const Json& body) {
    auto answer = actor.post("/v1/search/channels", body);
    INFO(answer.http.body);
    REQUIRE(answer.status == 200);
    Texts out;
    for (const auto& item : answer.body["channels"]) out.push_back(item["channel"]["name"]);
    return out;
  };
  CHECK(names(app.user("alice"), {{"query", "rep qua"}}) == Texts{"Quarterly Report"});
  CHECK(names(app.server(), {{"query", "rep qua"}}) == Texts{"Quarterly Report", "Report on it's \\ quarks"});
  CHECK(names(app.server(), {{"query", "it's"}}).size() == 1);
  CHECK(names(app.server(), {{"query", "' \\ :* | !"}}).empty());
  CHECK(names(other.server(), {{"query", "rep"}}).empty());
  auto first = app.server().post("/v1/search/channels", {{"query", "rep"}, {"limit", 1}});
  REQUIRE(first.body.contains("next"));
  CHECK(names(app.server(), {{"query", "rep"}, {"limit", 1}, {"next", first.body["next"]}}) == Texts{"Report on it's \\ quarks"});
}
