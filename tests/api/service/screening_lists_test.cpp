#include "platform/base/clock.h"
#include "platform/base/metrics.h"
#include "tests/api/service/blocklists_stage.h"

// What block lists do to what users write.
using namespace chat;
using namespace chat::test;

namespace {

std::string in(std::chrono::seconds time) { return format_time(system_clock().now() + time); }

}  // namespace

TEST_CASE("block lists: what one blocks is refused and leaves nothing", "[api][blocklists][ws]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.wait("bad", 1);
  auto bob = room.connect("bob");
  auto refused = room.say("alice", "so bad", {{"nonce", "n1"}});
  CHECK(refused.code() == "forbidden");
  CHECK(refused.pointer() == "#/text");
  CHECK(room.rows("messages") == 0);
  CHECK(room.rows("message_nonces") == 0);
  CHECK(room.say("alice", "so good", {{"nonce", "n1"}}).status == 201);
  CHECK(hear(bob, "message.new")["data"]["message"]["text"] == "so good");
  CHECK(room.say("alice", "badly said").status == 201);
  CHECK(room.server().post(kMessages, {{"text", "bad"}, {"user_id", "bob"}}).status == 201);   // servers say what they like
  const auto id = room.say("alice", "fine").body["message"]["id"].get<std::string>();
  CHECK(room.user("alice").patch(kMessages + "/" + id, {{"set", {{"text", "bad"}}}}).pointer() == "#/set/text");
  CHECK(room.say("alice", "bad", {{"parent_id", id}}).code() == "forbidden");
  CHECK(room.user("alice").get(kMessages + "/" + id).body["message"]["text"] == "fine");
}

TEST_CASE("block lists: server calls are judged where the list says so", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"server_calls", true}}, {"bad"});
  room.wait("bad", 1, {{"channel_type", "messaging"}, {"by_server", true}});
  CHECK(room.server().post(kMessages, {{"text", "bad"}, {"user_id", "bob"}}).code() == "forbidden");
}

TEST_CASE("block lists: a mask keeps the length, everywhere that people read", "[api][blocklists][ws]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "mask"}, {"folding", {{"spacing", true}}}}, {"bad", "блин"});
  room.wait("bad", 1);
  auto bob = room.connect("bob");
  CHECK(room.say("alice", "é BAD b.a.d блин é").body["message"]["text"] == "é *** ***** **** é");
  CHECK(hear(bob, "message.new")["data"]["message"]["text"] == "é *** ***** **** é");
  const auto sent = room.say("alice", "x", {{"attachments", {{{"type", "bad"}, {"title", "a bad one"}, {"fields", {{{"value", "bad"}}}}}}}}).body["message"];
  CHECK(sent["attachments"] == Json::parse(R"([{"type":"bad","title":"a *** one","fields":[{"value":"***"}]}])"));
  const auto poll = room.user("alice").post(kMessages, {{"poll", {{"question", "Which is bad?"}, {"options", {"one", "bad"}}, {"allow_suggestions", true}}}}).body["message"];
  CHECK(poll["poll"]["question"] == "Which is ***?");
  CHECK(poll["poll"]["options"][1]["text"] == "***");
  const auto suggested = room.user("bob").post(kMessages + "/" + poll["id"].get<std::string>() + "/poll/options", {{"text", "very bad"}});
  CHECK(suggested.body["message"]["poll"]["options"][2]["text"] == "very ***");
  const auto edited = room.user("alice").patch(kMessages + "/" + sent["id"].get<std::string>(), {{"set", {{"text", "bad again"}}}});
  CHECK(edited.body["message"]["text"] == "*** again");
}

TEST_CASE("block lists: what is masked is so in a command's arguments, too", "[api][blocklists][commands][ws]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "mask"}}, {"bad"});
  room.wait("bad", 1);
  REQUIRE(room.server().put("/v1/commands/say", {{"description", "d"}}).status == 201);
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"say"}}}}}).status == 200);
  auto backend = room.connect("");
  const auto sent = room.say("alice", "/say so bad", {{"mention_roles", {"member"}}}).body["message"];
  CHECK(sent["text"] == "/say so ***");
  CHECK(sent["command"] == Json({{"name", "say"}, {"args", "so ***"}}));
  CHECK(sent["mention_roles"] == Json({"member"}));
  CHECK(hear(backend, "command.invoked")["data"]["command"]["args"] == "so ***");
}

TEST_CASE("block lists: the same message again under its nonce is the stored one, masked as it was", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "mask"}}, {"bad"});
  room.wait("bad", 1);
  const auto first = room.say("alice", "bad", {{"nonce", "n1"}});
  const auto again = room.say("alice", "bad", {{"nonce", "n1"}});
  CHECK(again.status == 200);
  CHECK(again.body["message"]["id"] == first.body["message"]["id"]);
  CHECK(again.body["message"]["text"] == "***");
}

TEST_CASE("block lists: what is held waits for approval and is not judged again", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "hold"}, {"server_calls", true}}, {"bad"});
  room.wait("bad", 1);
  auto held = room.say("bob", "bad");
  CHECK(held.status == 202);
  CHECK(room.rows("messages") == 0);
  const auto id = held.body["pending_message"]["id"].get<std::string>();
  REQUIRE(room.user("alice").post("/v1/channels/messaging/general/pending_messages/" + id + "/approve").status == 202);
  eventually("it is sent", [&] { return room.rows("messages") == 1; });
  CHECK(room.user("bob").get(kMessages).body["messages"][0]["text"] == "bad");
}

TEST_CASE("block lists: in the shadow only the author sees it", "[api][blocklists][ws]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "shadow"}}, {"bad"});
  room.wait("bad", 1);
  auto alice = room.connect("alice");
  REQUIRE(room.say("bob", "bad").status == 201);
  REQUIRE(room.say("bob", "good").status == 201);
  CHECK(hear(alice, "message.new")["data"]["message"]["text"] == "good");
  CHECK(room.user("bob").get(kMessages).body["messages"].size() == 2);
  const auto seen = room.server().get(kMessages + "?user_id=alice").body["messages"];
  CHECK(std::any_of(seen.begin(), seen.end(), [](const Json& one) { return one["text"] == "good"; }));
}

TEST_CASE("block lists: what is flagged is sent, and the flag says what was found where", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "flag"}}, {"bad"});
  room.wait("bad", 1);
  REQUIRE(room.say("alice", "so bad").body["message"]["text"] == "so bad");
  CHECK(room.rows("moderation_flags", "source = 'list' and rule = 'words' and detail ->> 'entry' = 'bad' and (detail ->> 'start')::int = 3") == 1);
  REQUIRE(room.say("alice", "so good").status == 201);
  CHECK(room.rows("moderation_flags") == 1);
}

TEST_CASE("block lists: what a list allows wins over what others find within it", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"*unt*"});
  room.make("hosts", {{"kind", "domain"}}, {"evil.example"});
  room.make("free", {{"kind", "phrase"}, {"allow", true}}, {"scunthorpe", "blunt*"});
  room.make("good", {{"kind", "domain"}, {"allow", true}}, {"good.evil.example"});
  room.wait("hunt scunthorpe", 3);
  CHECK(room.say("alice", "to Scunthorpe, bluntly").status == 201);
  CHECK(room.say("alice", "hunt in Scunthorpe").code() == "forbidden");
  CHECK(room.say("alice", "http://good.evil.example/x").status == 201);
  CHECK(room.say("alice", "http://evil.example/x").code() == "forbidden");
  const auto found = room.found("scunthorpe")["matches"];
  CHECK(std::count_if(found.begin(), found.end(), [](const Json& one) { return one["allowed"] == true; }) == 1);
}

TEST_CASE("block lists: scheduled and forwarded messages are judged when their turn comes", "[api][blocklists][ws]") {
  ListRoom room;
  auto alice = room.connect("alice");
  const auto original = room.say("bob", "bad news").body["message"]["id"].get<std::string>();
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.wait("bad", 1);
  REQUIRE(room.user("alice").post("/v1/channels/messaging/general/scheduled_messages", {{"message", {{"text", "bad later"}}}, {"send_at", in(std::chrono::seconds(2))}}).status == 201);
  CHECK(room.user("alice").post(kMessages, {{"forward", {{"cid", "messaging:general"}, {"message_id", original}}}}).code() == "forbidden");
  const auto failed = alice.wait_for("schedule.failed", std::chrono::seconds(60));
  CHECK(failed["data"]["scheduled_message"]["error"]["code"] == "forbidden");
  CHECK(room.rows("messages") == 1);
}

TEST_CASE("block lists: links in attachments are judged by their hosts, not by their words", "[api][blocklists]") {
  ListRoom room;
  room.make("hosts", {{"kind", "domain"}}, {"evil.example"});
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.wait("bad evil.example", 2);
  CHECK(room.say("alice", "x", {{"attachments", {{{"type", "link"}, {"title_link", "https://evil.example/a"}}}}}).pointer() == "#/attachments/0/title_link");
  CHECK(room.say("alice", "x", {{"attachments", {{{"type", "link"}, {"title_link", "https://good.example/bad"}}}}}).status == 201);
}

TEST_CASE("block lists: names of users and channels are judged by the lists that say so", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.make("names", {{"kind", "word"}, {"profiles", true}}, {"admin"});
  room.make("stars", {{"kind", "word"}, {"profiles", true}, {"behaviour", "mask"}}, {"darn"});
  room.wait("bad admin darn", 3);
  auto alice = room.user("alice");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"name", "The Admin"}}}}).pointer() == "#/set/name");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"bio", "I am admin"}}}}).pointer() == "#/set/bio");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"name", "bad alice"}, {"bio", "darn"}}}}).body["user"]["bio"] == "****");
  CHECK(alice.patch("/v1/channels/messaging/general", {{"set", {{"name", "admin"}}}}).pointer() == "#/set/name");
  CHECK(alice.post("/v1/channels/messaging/new", {{"description", "of an admin"}}).pointer() == "#/description");
  CHECK(alice.post("/v1/channels/messaging", {{"members", {"bob"}}, {"name", "admin"}}).pointer() == "#/name");
  CHECK(room.server().patch("/v1/users/alice", {{"set", {{"name", "admin"}}}}).status == 200);
  CHECK(room.rows("channels") == 1);
}

TEST_CASE("block lists: an address that one names is refused at every door, for its time, and no other is", "[api][blocklists][ws]") {
  ListRoom room;
  room.make("nets", {{"kind", "ip"}}, {"198.51.100.0/24", {{"entry", "2001:db8::7"}, {"expires_at", in(std::chrono::seconds(5))}}});
  const auto as = [&](const std::string& address, const std::string& token_of) {
    return room.with_token(room.token(token_of)).call("GET", "/v1/channels/messaging/general" + std::string(token_of.empty() ? "?user_id=bob" : ""), "", {{"X-Forwarded-For", address}});
  };
  const auto all = [&](const std::string& address, int status) {
    for (int i = 0; i < 4; ++i)
      if (as(address, "bob").status != status) return false;
    return true;
  };
  eventually("every node refuses it", [&] { return all("198.51.100.9", 403); });
  CHECK(as("198.51.100.9", "bob").code() == "forbidden");
  CHECK(as("192.0.2.66, 198.51.100.9", "bob").code() == "forbidden");
  CHECK(as("198.51.100.9, 203.0.113.1", "bob").status == 200);   // what stands before a stranger's word is the stranger's
  CHECK(as("198.51.101.9", "bob").status == 200);
  CHECK(as("198.51.100.9", "").status == 200);                   // servers, unless the list says so
  eventually("an address is free again after its time", [&] { return all("2001:db8::7", 200); }, std::chrono::seconds(60));
  const auto connect = [&](const std::string& address) {
    WsClient client({.port = Service::get().port(), .api_key = room.key(), .token = room.token("bob"), .headers = {{"X-Forwarded-For", address}}});
    client.wait_for("connection.ready");
  };
  CHECK_THROWS_AS(connect("198.51.100.9"), WsClient::Refused);
  CHECK_NOTHROW(connect("198.51.101.9"));
  room.make("friends", {{"kind", "ip"}, {"allow", true}}, {"198.51.100.9"});
  eventually("an allowed address comes in", [&] { return all("198.51.100.9", 200); });
  CHECK(as("198.51.100.10", "bob").code() == "forbidden");
}

TEST_CASE("block lists: entries whose time is over are forgotten by the job", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"stays", {{"entry", "goes"}, {"expires_at", in(std::chrono::seconds(1))}}});
  room.wait("stays", 1);
  eventually("it finds nothing after its time", [&] { return room.found("goes")["matches"].empty(); }, std::chrono::seconds(30));
  CHECK(room.found("stays")["matches"].size() == 1);
  eventually("it is forgotten", [&] {
    Service::get().node().run_job("sweep_block_list_entries");
    return room.rows("block_list_entries") == 1;
  }, std::chrono::seconds(30));
  CHECK(room.server().get("/v1/block_lists/words").body["block_list"]["entry_count"] == 1);
}

TEST_CASE("block lists: a change holds on all nodes within a moment, while messages go on", "[api][blocklists]") {
  ListRoom room;
  Json many = Json::array();
  for (int i = 0; i < 1'000; ++i) many.push_back("word" + std::to_string(i));
  room.make("words", {{"kind", "word"}}, many);
  room.wait("word999", 1);
  REQUIRE(room.server().post("/v1/block_lists/words/entries", {{"add", {"new"}}, {"remove", {"word999"}}}).status == 200);
  CHECK(room.say("alice", "something else").status == 201);
  room.wait("new", 1);
  room.wait("word999", 0);
  CHECK(room.say("alice", "new").code() == "forbidden");
}

TEST_CASE("block lists: an address that one comes to name loses its open connections, others keep theirs", "[api][blocklists][ws]") {
  ListRoom room;
  const auto connect = [&](const std::string& token_of, const std::string& address) {
    WsClient client({.port = Service::get().port(), .api_key = room.key(), .token = room.token(token_of), .headers = {{"X-Forwarded-For", address}}});
    client.wait_for("connection.ready");
    return client;
  };
  auto banned = connect("bob", "198.51.100.9"), other = connect("bob", "198.51.101.9"), backend = connect("", "198.51.100.9");
  room.make("nets", {{"kind", "ip"}}, {"198.51.100.0/24"});
  CHECK(banned.wait_closed(std::chrono::seconds(60)) == 4508);
  CHECK(banned.close_reason() == "user_banned: your address");
  CHECK(room.say("alice", "still here").status == 201);
  CHECK(hear(other, "message.new")["data"]["message"]["text"] == "still here");
  CHECK(hear(backend, "message.new")["data"]["message"]["text"] == "still here");
  REQUIRE(room.server().put("/v1/block_lists/nets/use", {{"server_calls", true}}).status == 200);
  CHECK(backend.wait_closed(std::chrono::seconds(60)) == 4508);
}

TEST_CASE("block lists: what servers tell some alone is judged where the list says so, and so are the names that they give", "[api][blocklists][ephemeral_messages][ws]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"server_calls", true}, {"profiles", true}}, {"bad"});
  room.make("stars", {{"kind", "word"}, {"server_calls", true}, {"profiles", true}, {"behaviour", "mask"}}, {"darn"});
  room.make("held", {{"kind", "word"}, {"server_calls", true}, {"behaviour", "hold"}}, {"later"});
  room.wait("bad darn later", 3, {{"by_server", true}});
  auto bob = room.connect("bob");
  const std::string path = "/v1/channels/messaging/general/ephemeral_messages";
  CHECK(room.server().post(path, {{"user_ids", {"bob"}}, {"text", "so bad"}}).pointer() == "#/text");
  CHECK(room.server().post(path, {{"user_ids", {"bob"}}, {"text", "later"}}).code() == "forbidden");
  CHECK(room.server().post(path, {{"user_ids", {"bob"}}, {"text", "x"}, {"attachments", {{{"title", "bad"}}}}}).pointer() == "#/attachments/0/title");
  CHECK(room.server().post(path, {{"user_ids", {"bob"}}, {"text", "darn it"}}).body["message"]["text"] == "**** it");
  CHECK(hear(bob, "message.ephemeral")["data"]["message"]["text"] == "**** it");
  const auto results = room.server().post("/v1/users", {{"users", {{{"user_id", "carol"}, {"name", "Bad Carol"}}, {{"user_id", "dave"}, {"name", "darn Dave"}}}}}).body["results"];
  CHECK(results[0]["status"] == "refused");
  CHECK(results[0]["error"]["errors"][0]["pointer"] == "#/users/0/name");
  CHECK(results[1]["user"]["name"] == "**** Dave");
  CHECK(room.server().get("/v1/users/carol").code() == "not_found");
}

TEST_CASE("block lists: the name of a file is judged when its upload begins, for messages show that name", "[api][blocklists][uploads]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.make("stars", {{"kind", "word"}, {"behaviour", "mask"}}, {"darn"});
  room.wait("bad darn", 2);
  const std::string path = "/v1/channels/messaging/general/uploads";
  const auto begin = [&](Actor who, const std::string& name, Json more = Json::object()) {
    more.update({{"name", name}, {"size_bytes", 3}});
    return who.post(path, more);
  };
  CHECK(begin(room.user("alice"), "bad.txt").pointer() == "#/name");
  CHECK(room.rows("uploads") == 0);
  CHECK(begin(room.user("alice"), "darn.txt").body["upload"]["name"] == "****.txt");
  CHECK(begin(room.server(), "bad.txt", {{"user_id", "alice"}}).status == 201);
}

TEST_CASE("block lists: what is flagged in a name or an option stands, and moderators see it", "[api][blocklists][moderation]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "flag"}, {"profiles", true}}, {"bad"});
  room.wait("bad", 1);
  auto alice = room.user("alice");
  CHECK(alice.patch("/v1/users/alice", {{"set", {{"name", "Bad Alice"}}}}).body["user"]["name"] == "Bad Alice");
  CHECK(room.rows("moderation_flags", "subject_type = 'user' and source = 'list' and rule = 'words' and detail ->> 'field' = '#/set/name'") == 1);
  CHECK(room.rows("moderation_items", "subject_type = 'user' and findings = 1 and evidence #>> '{author,name}' = 'Bad Alice'") == 1);
  REQUIRE(alice.patch("/v1/channels/messaging/general", {{"set", {{"name", "a bad place"}, {"description", "bad, too"}}}}).status == 200);
  CHECK(room.rows("moderation_flags", "subject_type = 'channel' and source = 'list'") == 2);
  CHECK(room.rows("moderation_items", "subject_type = 'channel' and findings = 2") == 1);
  REQUIRE(alice.post("/v1/channels/messaging/new", {{"name", "new and bad"}}).status == 201);
  REQUIRE(alice.post("/v1/channels/messaging/new", {{"name", "new and bad"}}).status == 200);   // it was there
  CHECK(room.rows("moderation_flags", "subject_type = 'channel'") == 3);
  const auto poll = alice.post(kMessages, {{"poll", {{"question", "Which?"}, {"options", {"one", "two"}}, {"allow_suggestions", true}}}}).body["message"];
  const auto options = kMessages + "/" + poll["id"].get<std::string>() + "/poll/options";
  CHECK(room.user("bob").post(options, {{"text", "a bad one"}}).status == 201);
  CHECK(room.user("alice").post(options, {{"text", "a bad one"}}).status == 200);
  CHECK(room.rows("moderation_flags", "subject_type = 'message' and source = 'list' and rule = 'words'") == 1);
}

TEST_CASE("block lists: nothing hides among many texts, behind many finds, or in what looks like a link", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}}, {"bad"});
  room.make("crowd", {{"kind", "phrase"}, {"behaviour", "flag"}}, {"x", "x x"});
  room.wait("bad x", 2);
  Json fields = Json::array();
  for (int i = 0; i < 301; ++i) fields.push_back("a");
  fields.push_back("bad");
  CHECK(room.say("alice", "look", {{"attachments", {{{"fields", fields}}}}}).pointer() == "#/attachments");
  CHECK(room.server().post(kMessages, {{"text", "look"}, {"user_id", "bob"}, {"attachments", {{{"fields", fields}}}}}).status == 201);
  std::string crowd;
  for (int i = 0; i < 5'100; ++i) crowd += "x ";
  CHECK(room.say("alice", crowd + "bad").code() == "forbidden");
  CHECK(room.say("alice", "look", {{"attachments", {{{"title", "https://so bad"}}}}}).pointer() == "#/attachments/0/title");
  CHECK(room.say("alice", "look", {{"attachments", {{{"title", "https://bad"}}}}}).pointer() == "#/attachments/0/title");
  CHECK(room.say("alice", "look", {{"attachments", {{{"title_link", "https://good.example/bad"}}}}}).status == 201);
}

TEST_CASE("block lists: in the shadow a change that would go there changes what is there; elsewhere it is refused", "[api][blocklists]") {
  ListRoom room;
  room.make("words", {{"kind", "word"}, {"behaviour", "shadow"}}, {"bad"});
  room.wait("bad", 1);
  const auto hidden = room.say("bob", "bad").body["message"]["id"].get<std::string>();
  const auto seen = room.say("bob", "good").body["message"]["id"].get<std::string>();
  const auto change = [&](const std::string& id) { return room.user("bob").patch(kMessages + "/" + id, {{"set", {{"text", "so bad"}}}}); };
  CHECK(change(hidden).body["message"]["text"] == "so bad");
  CHECK(change(seen).pointer() == "#/set/text");
}

TEST_CASE("block lists: thousands of new words hold as soon as one does, and still do once they are compiled", "[api][blocklists]") {
  ListRoom room;
  Json many = Json::array();
  for (int i = 0; i < 1'000; ++i) many.push_back("word" + std::to_string(i));
  std::string csv;
  for (int i = 1'000; i < 6'000; ++i) csv += "word" + std::to_string(i) + "\n";
  room.make("words", {{"kind", "word"}}, many);
  const auto finished = [] {
    const std::string what = "\nchat_block_lists_finish_seconds_count ";
    const auto text = metrics::expose();
    const auto at = text.find(what);
    return at == std::string::npos ? 0.0 : std::stod(text.substr(at + what.size()));
  };
  const auto before = finished();
  REQUIRE(room.server().post("/v1/block_lists/words/import", {{"csv", csv}}).body["added"] == 5'000);
  room.wait("word7 and word5999", 2);
  eventually("they are compiled", [&] { return finished() > before; }, std::chrono::seconds(60));
  room.wait("word7 and word5999", 2);
  REQUIRE(room.server().post("/v1/block_lists/words/entries", {{"add", {"another"}}, {"remove", {"word7"}}}).status == 200);
  room.wait("word7 and word5999 and another", 2);
}
