#include <algorithm>
#include <thread>

#include "platform/base/clock.h"
#include "tests/api/service/blocklists_stage.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kLists = "/v1/block_lists";

std::vector<std::string> entries_of(TestApp& app, const std::string& name, const std::string& query = "") {
  std::vector<std::string> texts;
  std::string next;
  do {
    auto page = app.server().get(kLists + "/" + name + "/entries?limit=2" + query + (next.empty() ? "" : "&next=" + next)).body;
    for (const auto& entry : page["entries"]) texts.push_back(entry["entry"]);
    next = page.value("next", "");
  } while (!next.empty());
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("block lists: made, changed, listed and deleted by the backend, and noted", "[api][blocklists][permissions][tenancy]") {
  TestApp app, other;
  auto server = app.server();
  auto made = server.put(kLists + "/swearing", {{"kind", "word"}, {"behaviour", "mask"}, {"folding", {{"confusables", true}}}});
  CHECK(made.status == 201);
  CHECK(made.body["block_list"]["folding"]["confusables"] == true);
  CHECK(made.body["block_list"]["folding"]["case"] == true);
  CHECK(made.body["block_list"]["state"] == "ready");
  auto changed = server.put(kLists + "/swearing", {{"kind", "word"}, {"server_calls", true}});
  CHECK(changed.status == 200);
  CHECK(changed.body["block_list"]["behaviour"] == "mask");
  CHECK(changed.body["block_list"]["folding"]["confusables"] == true);
  CHECK(server.put(kLists + "/swearing", {{"kind", "phrase"}}).code() == "conflict");
  CHECK(server.get(kLists).body["block_lists"].size() == 1);
  CHECK(server.get(kLists + "/swearing").body["block_list"] == changed.body["block_list"]);
  CHECK(other.server().get(kLists).body["block_lists"].empty());
  CHECK(other.server().get(kLists + "/swearing").code() == "not_found");
  CHECK(other.server().del(kLists + "/swearing").code() == "not_found");
  app.add_users({"alice"});
  CHECK(app.user("alice").get(kLists).code() == "forbidden");
  CHECK(app.user("alice").put(kLists + "/x", {{"kind", "word"}}).code() == "forbidden");
  CHECK(server.put(kLists + "/Big", {{"kind", "word"}}).pointer() == "path:name");
  CHECK(server.put(kLists + "/x", Json::object()).pointer() == "#/kind");
  CHECK(server.put(kLists + "/x", {{"kind", "regex"}, {"folding", {{"leet", true}}}}).pointer() == "#/folding/leet");
  CHECK(server.put(kLists + "/x", {{"kind", "ip"}, {"folding", {{"case", true}}}}).pointer() == "#/folding/case");
  CHECK(app.rows("block_lists") == 1);
  auto audit = server.get("/v1/app/audit").body["audit"];
  REQUIRE(audit.size() == 2);
  CHECK(audit[0]["action"] == "block_list.put");
  CHECK(audit[0]["object"] == "block_list:swearing");
  CHECK(audit[0]["before"]["server_calls"] == false);
  CHECK(server.del(kLists + "/swearing").status == 204);
  CHECK(server.del(kLists + "/swearing").code() == "not_found");
  CHECK(app.rows("block_lists") == 0);
}

TEST_CASE("block lists: entries come and go in bulk, are kept in one form, and come in pages", "[api][blocklists]") {
  TestApp app;
  auto server = app.server();
  REQUIRE(server.put(kLists + "/hosts", {{"kind", "domain"}}).status == 201);
  auto changed = server.post(kLists + "/hosts/entries", {{"add", {" Evil.Example ", "a.example", "b.example", "evil.example"}}});
  CHECK(changed.body["added"] == 3);
  CHECK(changed.body["block_list"]["entry_count"] == 3);
  CHECK(entries_of(app, "hosts") == Texts{"a.example", "b.example", "evil.example"});
  CHECK(entries_of(app, "hosts", "&starts_with=e") == Texts{"evil.example"});
  changed = server.post(kLists + "/hosts/entries", {{"add", {"a.example"}}, {"remove", {"b.example", "none.example"}}});
  CHECK(changed.body["added"] == 0);
  CHECK(changed.body["removed"] == 1);
  CHECK(changed.body["block_list"]["entry_count"] == 2);
  CHECK(server.post(kLists + "/none/entries", {{"add", {"a.example"}}}).code() == "not_found");
  CHECK(server.post(kLists + "/hosts/entries", Json::object()).pointer() == "#/add");
  CHECK(server.get(kLists + "/hosts/entries?next=x").pointer() == "query:next");
  REQUIRE(server.put(kLists + "/nets", {{"kind", "ip"}}).status == 201);
  REQUIRE(server.post(kLists + "/nets/entries", {{"add", {"10.1.2.3/8", "192.0.2.1", "2001:DB8::1/32"}}}).status == 200);
  CHECK(entries_of(app, "nets") == Texts{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32"});
}

TEST_CASE("block lists: every mistake is named with its place, and nothing changes", "[api][blocklists]") {
  TestApp app;
  auto server = app.server();
  REQUIRE(server.put(kLists + "/rules", {{"kind", "regex"}}).status == 201);
  auto refused = server.post(kLists + "/rules/entries", {{"add", {"fine\\d+", "ébad)", "(a)\\1", "x(a{500}){500}"}}});
  CHECK(refused.code() == "invalid_field");
  REQUIRE(refused.body["errors"].size() == 3);
  CHECK(refused.body["errors"][0]["pointer"] == "#/add/1");
  CHECK(refused.body["errors"][0]["detail"].get<std::string>().find("At code point 4.") != std::string::npos);
  CHECK(refused.body["errors"][2]["detail"].get<std::string>().find("At code point 9.") != std::string::npos);
  CHECK(app.rows("block_list_entries") == 0);
  REQUIRE(server.put(kLists + "/words", {{"kind", "word"}}).status == 201);
  CHECK(server.post(kLists + "/words/entries", {{"add", {"two words"}}}).pointer() == "#/add/0");
  CHECK(server.post(kLists + "/words/entries", {{"add", {{{"entry", "x"}, {"expires_at", "2001-01-01T00:00:00Z"}}}}}).pointer() == "#/add/0");
  CHECK(server.post(kLists + "/words/entries", {{"add", {std::string(256, 'x')}}}).pointer() == "#/add/0");
  CHECK(server.post(kLists + "/words/entries", {{"add", {7}}}).pointer() == "#/add/0");
  REQUIRE(server.put(kLists + "/nets", {{"kind", "ip"}}).status == 201);
  CHECK(server.post(kLists + "/nets/entries", {{"add", {"10.0.0.0/33"}}}).pointer() == "#/add/0");
  CHECK(app.rows("block_list_entries") == 0);
}

TEST_CASE("block lists: as CSV they come in, replace what was there, and go out the same", "[api][blocklists]") {
  TestApp app;
  auto server = app.server();
  REQUIRE(server.put(kLists + "/phrases", {{"kind", "phrase"}}).status == 201);
  REQUIRE(server.post(kLists + "/phrases/entries", {{"add", {"old"}}}).status == 200);
  const std::string csv = "entry,expires_at\r\n\"go, away\",\r\n\"say \"\"no\"\"\",2999-01-31T12:00:00.000000Z\r\nshut up,\r\n";
  auto taken = server.post(kLists + "/phrases/import", {{"csv", csv}, {"replace", true}});
  CHECK(taken.body["added"] == 3);
  CHECK(taken.body["removed"] == 1);
  const auto out = server.call("GET", kLists + "/phrases/export", "");
  CHECK(out.http.body == csv);
  CHECK(out.http.header("content-type").value_or("").starts_with("text/csv"));
  CHECK(server.post(kLists + "/phrases/import", {{"csv", "one\ntwo"}}).body["block_list"]["entry_count"] == 5);
  auto refused = server.post(kLists + "/phrases/import", {{"csv", "fine\n\"open\n"}});
  CHECK(refused.body["errors"][0]["detail"].get<std::string>().find("Line 2: ") == 0);
  CHECK(server.post(kLists + "/phrases/import", {{"csv", "a,soon\n"}}).pointer() == "#/csv");
  CHECK(server.post(kLists + "/phrases/import", {{"csv", "a,,b\n"}}).pointer() == "#/csv");
  CHECK(app.rows("block_list_entries") == 5);
  const auto audit = server.get("/v1/app/audit").body["audit"];
  CHECK(audit[0]["action"] == "block_list.import");
  CHECK(audit[0]["after"]["added"] == 2);
}

TEST_CASE("block lists: 50 of an application and 1,000 regular expressions of a list, not one more", "[api][blocklists][limits]") {
  TestApp app;
  auto server = app.server();
  for (int i = 0; i < 50; ++i) REQUIRE(server.put(kLists + "/l" + std::to_string(i), {{"kind", "regex"}}).status == 201);
  CHECK(server.put(kLists + "/more", {{"kind", "word"}}).code() == "limit_reached");
  CHECK(app.rows("block_lists") == 50);
  Json many = Json::array();
  for (int i = 0; i < 1'000; ++i) many.push_back("a" + std::to_string(i));
  REQUIRE(server.post(kLists + "/l0/entries", {{"add", many}}).body["added"] == 1'000);
  CHECK(server.post(kLists + "/l0/entries", {{"add", {"one more"}}}).code() == "limit_reached");
  CHECK(server.get(kLists + "/l0").body["block_list"]["entry_count"] == 1'000);
  CHECK(server.post(kLists + "/l0/entries", {{"add", {"one more"}}, {"remove", {"a0"}}}).status == 200);
}

TEST_CASE("block lists: two who change at once both have their way, and the count is right", "[api][blocklists]") {
  TestApp app;
  REQUIRE(app.server().put(kLists + "/words", {{"kind", "word"}}).status == 201);
  for (int i = 0; i < 4; ++i)                  // every node knows the application
    eventually("a node is ready", [&] { return app.server().get(kLists).status == 200; });
  std::vector<std::thread> changes;
  for (int i = 0; i < 8; ++i)
    changes.emplace_back([&app, i] { app.server().post(kLists + "/words/entries", {{"add", {"w" + std::to_string(i % 4), "x" + std::to_string(i)}}}); });
  for (auto& change : changes) change.join();
  CHECK(app.server().get(kLists + "/words").body["block_list"]["entry_count"] == 12);
  CHECK(app.rows("block_list_entries") == 12);
}

TEST_CASE("block lists: hold where they are used, the nearest place decides", "[api][blocklists]") {
  ListRoom room;
  auto server = room.server();
  REQUIRE(server.put(kLists + "/words", {{"kind", "word"}, {"behaviour", "flag"}}).status == 201);
  REQUIRE(server.post(kLists + "/words/entries", {{"add", {"bad"}}}).status == 200);
  room.wait("bad", 1, {{"all_lists", true}});
  CHECK(room.found("bad")["matches"].empty());
  CHECK(server.put(kLists + "/words/use", Json::object()).status == 201);
  CHECK(server.put(kLists + "/words/use", Json::object()).status == 200);
  room.wait("so bad!", 1);
  CHECK(room.found("so bad!") == Json::parse(R"({"behaviour":"flag","matches":[{"list":"words","entry":"bad","start":3,"end":6,"allow":false,"allowed":false,"behaviour":"flag"}]})"));
  REQUIRE(server.put(kLists + "/words/use", {{"channel_type", "messaging"}, {"behaviour", "block"}}).status == 201);
  eventually("the type decides", [&] { return room.found("bad").value("behaviour", "") == "block"; });
  REQUIRE(server.put(kLists + "/words/use", {{"channel_type", "messaging"}, {"channel_id", "general"}, {"behaviour", "mask"}}).status == 201);
  eventually("the channel decides", [&] { return room.found("bad").value("masked", "") == "***"; });
  CHECK(room.found("bad", {{"channel_type", "team"}})["behaviour"] == "flag");
  CHECK(room.found("bad", {{"channel_type", "messaging"}, {"channel_id", "other"}})["behaviour"] == "block");
  CHECK(room.found("bad", {{"channel_type", "messaging"}, {"by_server", true}})["matches"].empty());
  CHECK(server.get(kLists + "/words").body["uses"].size() == 3);
  CHECK(server.del(kLists + "/words/use?channel_type=messaging").status == 204);
  CHECK(server.del(kLists + "/words/use?channel_type=messaging").code() == "not_found");
  CHECK(server.put(kLists + "/none/use", Json::object()).code() == "not_found");
  CHECK(server.put(kLists + "/words/use", {{"channel_type", "none"}}).code() == "not_found");
  CHECK(server.put(kLists + "/words/use", {{"channel_type", "messaging"}, {"channel_id", "none"}}).code() == "not_found");
  CHECK(server.put(kLists + "/words/use", {{"channel_id", "general"}}).pointer() == "#/channel_type");
  REQUIRE(server.del(kLists + "/words").status == 204);
  CHECK(room.rows("block_list_uses") == 0);
  room.wait("bad", 0, {{"all_lists", true}});
}

TEST_CASE("block lists: a channel type names lists that exist, and they hold in its channels", "[api][blocklists][types]") {
  ListRoom room;
  auto server = room.server();
  REQUIRE(server.put(kLists + "/words", {{"kind", "word"}}).status == 201);
  REQUIRE(server.post(kLists + "/words/entries", {{"add", {"bad"}}}).status == 200);
  CHECK(server.patch("/v1/channel_types/messaging", {{"settings", {{"block_lists", {"words", "none"}}}}}).pointer() == "#/settings/block_lists/1");
  REQUIRE(server.patch("/v1/channel_types/messaging", {{"settings", {{"block_lists", {"words"}}}}}).status == 200);
  room.wait("bad", 1);
  CHECK(room.found("bad", {{"channel_type", "team"}})["matches"].empty());
  CHECK(room.say("alice", "bad").code() == "forbidden");
  REQUIRE(server.patch("/v1/channel_types/messaging", {{"settings", {{"block_lists", Json::array()}}}}).status == 200);
  room.wait("bad", 0);
}

TEST_CASE("block lists: the operator's hold where applications use them, and change for all at once", "[api][blocklists][tenancy]") {
  ListRoom room, other;
  auto operators = Service::get().operators();
  const std::string name = "t" + room.key().substr(room.key().size() - 8);
  std::string lower;
  for (const char c : name) lower += static_cast<char>(std::tolower(c));
  const std::string path = "/operator/v1/block_lists/" + lower;
  REQUIRE(operators.put(path, {{"kind", "word"}, {"description", "For all"}}).status == 201);
  CHECK(operators.put(path, {{"kind", "word"}, {"description", "For everybody"}}).status == 200);
  REQUIRE(operators.post(path + "/entries", {{"add", {"vile", "worse"}}}).status == 200);
  CHECK(operators.get(path + "/entries").body["entries"].size() == 2);
  const auto shared = room.server().get(kLists).body["shared"];
  CHECK(std::any_of(shared.begin(), shared.end(), [&](const Json& list) { return list["name"] == "shared:" + lower && list["entry_count"] == 2; }));
  REQUIRE(room.server().put(kLists + "/shared:" + lower + "/use", {{"behaviour", "mask"}}).status == 201);
  room.wait("vile", 1);
  CHECK(room.found("vile")["masked"] == "****");
  CHECK(other.found("vile", {{"all_lists", true}})["matches"].empty());
  CHECK(room.server().post(kLists + "/shared:" + lower + "/entries", {{"add", {"mine"}}}).code() == "not_found");
  CHECK(room.server().get(kLists + "/" + lower).code() == "not_found");
  REQUIRE(operators.post(path + "/import", {{"csv", "ghastly\n"}, {"replace", true}}).body["removed"] == 2);
  room.wait("ghastly", 1);
  room.wait("vile", 0);
  CHECK(operators.call("GET", path + "/export", "").http.body == "entry,expires_at\r\nghastly,\r\n");
  CHECK(operators.get("/operator/v1/audit?object=block_list:" + lower).body["audit"][0]["action"] == "block_list.import");
  REQUIRE(operators.del(path).status == 204);
  room.wait("ghastly", 0);
  CHECK(room.server().put(kLists + "/shared:" + lower + "/use", {{"channel_type", "team"}}).code() == "not_found");
  const auto all = operators.get("/operator/v1/block_lists").body["block_lists"];
  CHECK(std::none_of(all.begin(), all.end(), [&](const Json& list) { return list["name"] == lower; }));
  CHECK(Service::get().stranger_at_operators().get("/operator/v1/block_lists").status == 401);
}

TEST_CASE("block lists: one that can't be compiled says so, and what it said before holds", "[api][blocklists]") {
  ListRoom room;
  room.make("rules", {{"kind", "regex"}}, {"go+d"});
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.wait("gooood bad", 2);
  // As another version of the library would have taken it.
  Probe probe(superuser_database().dsn);
  probe.run("insert into block_list_entries (app_id, list_id, entry, created_at) select app_id, list_id, 'ba(d', now() from block_lists where name = 'rules' and app_id = '" +
            uuid_of(room.id()) + "'");
  REQUIRE(room.server().post(kLists + "/rules/entries", {{"add", {"ug+ly"}}}).status == 200);
  REQUIRE(room.server().post(kLists + "/words/entries", {{"add", {"worse"}}}).status == 200);
  room.wait("worse", 1);
  Json list;
  eventually("the list says so", [&] { return (list = room.server().get(kLists + "/rules").body["block_list"])["state"] == "failed"; });
  CHECK(list["mistake"]["entry"] == "ba(d");
  CHECK(room.found("gooood")["matches"].size() == 1);
  CHECK(room.server().get(kLists + "/words").body["block_list"]["state"] == "ready");
  REQUIRE(room.server().post(kLists + "/rules/entries", {{"remove", {"ba(d"}}}).status == 200);
  room.wait("uggly", 1);
  eventually("the list is ready again", [&] { return room.server().get(kLists + "/rules").body["block_list"]["state"] == "ready"; });
}

TEST_CASE("block lists: belong to what a plan calls moderation", "[api][blocklists][limits]") {
  TestApp app;
  auto operators = Service::get().operators();
  REQUIRE(app.server().put(kLists + "/words", {{"kind", "word"}}).status == 201);
  const auto plan = "p-" + app.id().substr(4);
  const auto planned = operators.put("/operator/v1/plans/" + plan, {{"name", "P"}, {"limits", Json::array()}, {"features", {{"moderation", false}}}});
  INFO(planned.http.body);
  REQUIRE(planned.status == 200);
  REQUIRE(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"plan", plan}}}}).status == 200);
  eventually("the plan holds", [&] { return app.server().put(kLists + "/more", {{"kind", "word"}}).pointer() == "plan:features/moderation"; });
  CHECK(app.server().del(kLists + "/words").status == 204);
}

TEST_CASE("block lists: a clone has those of its model, and each goes its own way", "[api][blocklists][tenancy]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "mask"}}, {"bad", {{"entry", "later"}, {"expires_at", "2999-01-01T00:00:00Z"}}});
  REQUIRE(room.server().put(kLists + "/words/use", {{"channel_type", "messaging"}, {"channel_id", "general"}}).status == 201);
  const auto made = Service::get().operators().post(path_of(room, "/clone"), {{"name", "twin"}});
  REQUIRE(made.status == 201);
  const auto twin = uuid_of(made.body["application"]["app_id"].get<std::string>());
  Probe probe(superuser_database().dsn);
  const auto count = [&](const std::string& table) { return probe.value("select count(*) from " + table + " where app_id = '" + twin + "'"); };
  CHECK(count("block_lists") == "1");
  CHECK(count("block_list_entries") == "2");
  CHECK(count("block_list_uses") == "1");   // not that of a channel, which it has not
  CHECK(count("block_list_versions") == "1");
  REQUIRE(room.server().del(kLists + "/words").status == 204);
  CHECK(count("block_list_entries") == "2");
}

TEST_CASE("block lists: a moderator of the application bans addresses, and nothing else", "[api][blocklists][permissions]") {
  TestApp app;
  app.add_users({"bob"});
  REQUIRE(app.server().post("/v1/users", {{"users", {{{"user_id", "maud"}, {"role", "moderator"}}}}}).status == 200);
  auto server = app.server(), maud = app.user("maud"), bob = app.user("bob");
  REQUIRE(server.put(kLists + "/nets", {{"kind", "ip"}}).status == 201);
  REQUIRE(server.put(kLists + "/words", {{"kind", "word"}}).status == 201);
  REQUIRE(server.put(kLists + "/friends", {{"kind", "ip"}, {"allow", true}}).status == 201);
  REQUIRE(server.put(kLists + "/all", {{"kind", "ip"}, {"server_calls", true}}).status == 201);
  const auto add = [](Actor& who, const std::string& list, const std::string& entry) { return who.post(kLists + "/" + list + "/entries", {{"add", {entry}}}); };
  CHECK(add(bob, "nets", "198.51.100.9").code() == "forbidden");
  CHECK(add(bob, "none", "198.51.100.9").code() == "forbidden");
  CHECK(bob.get(kLists + "/nets/entries").code() == "forbidden");
  const auto added = maud.post(kLists + "/nets/entries", {{"add", {"198.51.100.0/24", {{"entry", "2001:db8::7"}, {"expires_at", "2999-01-01T00:00:00Z"}}}}});
  REQUIRE(added.body["added"] == 2);
  CHECK(maud.get(kLists + "/nets/entries").body["entries"].size() == 2);
  CHECK(maud.post(kLists + "/nets/entries", {{"remove", {"2001:db8::7"}}}).body["removed"] == 1);
  CHECK(add(maud, "nets", "0.0.0.0/0").pointer() == "#/add/0");
  CHECK(add(maud, "nets", "198.51.0.0/16").pointer() == "#/add/0");
  CHECK(add(maud, "nets", "2001:db8::/32").pointer() == "#/add/0");
  CHECK(add(maud, "nets", "::ffff:0.0.0.0/90").pointer() == "#/add/0");
  CHECK(add(maud, "words", "bad").code() == "forbidden");
  CHECK(add(maud, "friends", "198.51.100.9").code() == "forbidden");
  CHECK(add(maud, "all", "198.51.100.9").code() == "forbidden");
  CHECK(add(maud, "none", "198.51.100.9").code() == "not_found");
  CHECK(maud.put(kLists + "/mine", {{"kind", "ip"}}).code() == "forbidden");
  CHECK(maud.post(kLists + "/nets/import", {{"csv", "198.51.100.9\n"}}).code() == "forbidden");
  REQUIRE(server.put(kLists + "/nets/use", {{"server_calls", true}}).status == 201);
  CHECK(add(maud, "nets", "198.51.100.9").code() == "forbidden");
  CHECK(app.rows("block_list_entries") == 1);
  const auto audit = server.get("/v1/app/audit?action=block_list.entries").body["audit"];
  for (const auto& entry : audit) CHECK(entry["after"]["user_id"] == "maud");
}

TEST_CASE("block lists: one of addresses holds everywhere or nowhere", "[api][blocklists]") {
  TestApp app;
  auto server = app.server();
  REQUIRE(server.put(kLists + "/nets", {{"kind", "ip"}}).status == 201);
  CHECK(server.put(kLists + "/nets/use", {{"channel_type", "messaging"}}).pointer() == "#/channel_type");
  CHECK(server.patch("/v1/channel_types/messaging", {{"settings", {{"block_lists", {"nets"}}}}}).pointer() == "#/settings/block_lists/0");
  CHECK(server.put(kLists + "/nets/use", Json::object()).status == 201);
  CHECK(app.rows("block_list_uses") == 1);
}

TEST_CASE("block lists: regular expressions of all lists together have 20,000 places, for every text pays for them", "[api][blocklists][limits]") {
  TestApp app;
  auto server = app.server();
  for (const auto* name : {"a", "b"}) REQUIRE(server.put(kLists + "/" + name, {{"kind", "regex"}}).status == 201);
  Json heavy = Json::array();
  for (int i = 0; i < 19; ++i) heavy.push_back("x" + std::to_string(i) + "a{990}");
  REQUIRE(server.post(kLists + "/a/entries", {{"add", heavy}}).body["added"] == 19);
  CHECK(server.post(kLists + "/b/entries", {{"add", {"ya{990}", "za{990}"}}}).code() == "limit_reached");
  CHECK(app.rows("block_list_entries") == 19);
  CHECK(server.post(kLists + "/b/entries", {{"add", {"yb{500}"}}}).body["added"] == 1);
  std::string csv;
  for (int i = 0; i < 1'001; ++i) csv += "r" + std::to_string(i) + "\n";
  CHECK(server.post(kLists + "/b/import", {{"csv", csv}, {"replace", true}}).code() == "limit_reached");
}
