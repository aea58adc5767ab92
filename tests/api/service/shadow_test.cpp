#include "tests/api/service/shadow_stage.h"

// The walk through every exit of what is said in the shadow. What is really sent, and how it comes out: shadow_out_test.
using namespace chat;
using namespace chat::test;

TEST_CASE("shadow: its author reads it on every path, moderators in the history, nobody else anywhere", "[api][shadow][bans]") {
  each_way([](ShadowRoom& room) {
    room.send("alice", "general", "hello");
    room.shade();
    const auto id = room.mutter("buy", {{"mentions", {"bob"}}, {"mention_roles", {"member"}}});
    const auto poll = room.mutter("which?", {{"poll", {{"question", kMark}, {"options", {"red", "blue"}}}}});
    room.mutter("more of it", {{"parent_id", id}, {"show_in_channel", true}});
    REQUIRE(room.user("alice").post(kMessages + "/" + id + "/pin").status == 200);
    room.send("alice", "general", "goodbye");
    index_all(room);
    auto bob = room.user("bob"), mallory = room.user("mallory");
    for (const auto& path : Texts{kMessages, kMessages + "?before=" + id, kMessages + "?after=" + id, kMessages + "?limit=1&before=" + poll, kChannel,
                                  kChannel + "/pinned", kChannel + "/marks", kChannel + "/members", "/v1/threads", "/v1/unread", "/v1/bookmarks",
                                  "/v1/drafts", "/v1/pending_messages", "/v1/scheduled_messages"}) {
      const auto answer = bob.get(path);
      REQUIRE(answer.status == 200);
      room.check_hidden(path, answer.http.body);
    }
    for (const auto& [path, body] : std::vector<std::pair<std::string, Json>>{
             {"/v1/channels/query", Json::object()}, {"/v1/search/messages", {{"query", "buy"}}}, {"/v1/sync", {{"channels", Json::object()}}}}) {
      const auto answer = bob.post(path, body);
      REQUIRE(answer.status == 200);
      room.check_hidden(path, answer.http.body);
    }
    CHECK(texts(bob) == Texts{"hello", "goodbye"});
    CHECK(bob.get(kChannel).body["membership"]["unread"] == 2);
    CHECK(bob.get("/v1/unread").body["total"] == 2);
    CHECK(bob.get("/v1/unread").body["mentions"] == 0);
    for (auto reader : {mallory, room.user("alice"), room.server()}) CHECK(texts(reader).size() == 5);
    CHECK(mallory.get(kMessages + "/" + id).status == 200);
    CHECK(mallory.get(kMessages + "?around=" + id).body["messages"].size() == 5);
    CHECK(texts(mallory, kMessages + "/" + id + "/replies").size() == 1);
    CHECK(texts(mallory, kMessages + "?before=" + poll) == Texts{"hello", kLink + " buy"});
    const auto found = mallory.post("/v1/search/messages", {{"query", "buy"}}).body["results"];
    REQUIRE(found.size() == 1);
    CHECK(found[0]["message"]["id"] == id);
    for (const char* other : {"alice", "carol"}) CHECK(room.user(other).post("/v1/search/messages", {{"query", "buy"}}).body["results"].empty());
    CHECK(room.server().post("/v1/search/messages", {{"query", "buy"}}).body["results"].empty());
    CHECK(room.rows("mentions") == 0);
    CHECK(room.rows("channel_mentions") == 0);
  });
}

TEST_CASE("shadow: to others it is as if it were not there, whatever they try with its id", "[api][shadow][bans]") {
  each_way([](ShadowRoom& room) {
    room.send("alice", "general", "hello");
    room.add_channel("elsewhere", {"bob"});
    room.shade();
    const auto id = room.mutter("which?", {{"poll", {{"question", kMark}, {"options", {"red", "blue"}}}}});
    const auto missing = MessageId::make(system_clock().now()).wire();
    auto bob = room.user("bob");
    const std::vector<std::pair<std::string, std::function<Answer(const std::string&)>>> tries{
        {"get", [&](const auto& one) { return bob.get(kMessages + "/" + one); }},
        {"around", [&](const auto& one) { return bob.get(kMessages + "?around=" + one); }},
        {"replies", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/replies"); }},
        {"edits", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/edits"); }},
        {"thread", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/thread"); }},
        {"follow", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/thread/follow"); }},
        {"read the thread", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/thread/read"); }},
        {"receipts", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/receipts"); }},
        {"reactions", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/reactions"); }},
        {"react", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/reactions", {{"type", "like"}}); }},
        {"take back a reaction", [&](const auto& one) { return bob.del(kMessages + "/" + one + "/reactions/like"); }},
        {"votes", [&](const auto& one) { return bob.get(kMessages + "/" + one + "/poll/votes"); }},
        {"vote", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/poll/votes", {{"options", {"1"}}}); }},
        {"take back a vote", [&](const auto& one) { return bob.del(kMessages + "/" + one + "/poll/votes/1"); }},
        {"suggest", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/poll/options", {{"text", "green"}}); }},
        {"close the poll", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/poll/close"); }},
        {"bookmark", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/bookmark"); }},
        {"change", [&](const auto& one) { return bob.patch(kMessages + "/" + one, {{"set", {{"text", "x"}}}}); }},
        {"delete", [&](const auto& one) { return bob.del(kMessages + "/" + one); }},
        {"undelete", [&](const auto& one) { return bob.post(kMessages + "/" + one + "/undelete"); }},
        {"read", [&](const auto& one) { return bob.post(kChannel + "/read", {{"message_id", one}}); }},
        {"read many", [&](const auto& one) { return bob.post("/v1/read", {{"channels", {{{"cid", "messaging:general"}, {"message_id", one}}}}}); }},
        {"delivered", [&](const auto& one) { return bob.post("/v1/delivered", {{"channels", {{{"cid", "messaging:general"}, {"message_id", one}}}}}); }},
        {"unread", [&](const auto& one) { return bob.post(kChannel + "/unread", {{"message_id", one}}); }},
        {"quote", [&](const auto& one) { return bob.post(kMessages, {{"text", "?"}, {"quoted_message_id", one}}); }},
        {"reply", [&](const auto& one) { return bob.post(kMessages, {{"text", "?"}, {"parent_id", one}}); }},
        {"forward", [&](const auto& one) {
           return bob.post("/v1/channels/messaging/elsewhere/messages", {{"forward", {{"cid", "messaging:general"}, {"message_id", one}}}});
         }}};
    for (const auto& [what, act] : tries) {
      INFO(what);
      auto of_hidden = act(id), of_missing = act(missing);
      for (auto* answer : {&of_hidden, &of_missing}) answer->body.erase("request_id");
      CHECK(of_hidden.status == of_missing.status);
      CHECK(of_hidden.body == of_missing.body);
      room.check_hidden(what, of_hidden.http.body);
    }
    CHECK(room.user("mallory").post(kMessages + "/" + id + "/poll/votes", {{"options", {"1"}}}).status == 201);
    CHECK(room.user("mallory").post(kChannel + "/read", {{"message_id", id}}).status == 200);
    CHECK(room.user("mallory").post("/v1/read", {{"channels", {{{"cid", "messaging:general"}, {"message_id", id}}}}}).body["results"][0]["status"] != "refused");
    CHECK(room.user("alice").post("/v1/read", {{"channels", {{{"cid", "messaging:general"}, {"message_id", id}}}}}).body["results"][0]["status"] != "refused");
  });
}

TEST_CASE("shadow: all that happens to it is told to its author's connections alone, also after a resume", "[api][shadow][bans][ws]") {
  each_way([](ShadowRoom& room) {
    REQUIRE(room.server().put("/v1/commands/shout", {{"description", "d"}}).status == 201);
    REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"shout"}}}}}).status == 200);
    auto bob = room.connect("bob"), phone = room.connect("mallory"), desk = room.connect("mallory"), backend = room.connect("");
    const Json buttons{{"attachments", Json::array({Json{{"actions", Json::array({Json{{"name", "go"}}})}}})}};
    const auto first = room.send("alice", "general", "hello", buttons);
    for (auto* socket : {&bob, &phone, &desk, &backend}) up_to(*socket, "hello");
    room.shade();
    auto mallory = room.user("mallory"), alice = room.user("alice");
    const auto id = room.mutter("buy", {{"mentions", {"bob"}}});
    const auto path = kMessages + "/" + id;
    for (auto* device : {&phone, &desk}) CHECK(hear(*device, "message.new")["data"]["message"]["id"] == id);
    CHECK(mallory.patch(path, {{"set", {{"text", kLink + " sell"}, {"mentions", {"bob", "carol"}}}}}).status == 200);
    CHECK(mallory.post(path + "/reactions", {{"type", "like"}}).status == 201);
    CHECK(alice.post(path + "/reactions", {{"type", "wow"}}).status == 201);
    CHECK(alice.post(path + "/pin").status == 200);
    CHECK(room.server().put(path + "/translations/de", {{"text", kMark + " verkaufen"}}).status == 200);
    CHECK(mallory.del(path).status == 200);
    CHECK(mallory.post(path + "/undelete").status == 200);
    CHECK(mallory.del(path + "?mode=hard").status == 200);
    const auto poll = room.mutter("which?", {{"poll", {{"question", kMark}, {"options", {"red", "blue"}}}}});
    CHECK(mallory.post(kMessages + "/" + poll + "/poll/votes", {{"options", {"1"}}}).status == 201);
    Service::get().node().run_job("tell_changed_polls");
    CHECK(mallory.post(kMessages + "/" + poll + "/poll/close").status == 200);
    room.ids.push_back(room.send("mallory", "general", "/shout " + kLink)["id"]);
    const auto run = [&](const std::string& message) {
      return mallory.post(kMessages + "/" + message + "/actions", {{"name", "go"}, {"data", {{"k", kMark}}}}).status;
    };
    CHECK(run(room.mutter("press", buttons)) == 202);
    if (room.bans()) CHECK(run(first["id"]) == 202);
    room.send("alice", "general", "goodbye");
    room.check_hidden("bob's connection", up_to(bob, "goodbye"));
    for (const auto& frame : up_to(backend, "goodbye"))   // what moderation says of it is for moderators
      if (!frame.value("type", "").starts_with("moderation.")) room.check_hidden("the server's connection", frame.dump());
    Texts types;
    for (const auto& frame : up_to(desk, "goodbye")) {
      types.push_back(frame["type"]);
      CHECK_FALSE(frame.contains("seq"));
    }
    for (const char* type : {"message.updated", "reaction.new", "message.deleted", "message.undeleted", "poll.closed"}) CHECK(has(types, type));
    CHECK(room.rows("channel_events", "message_id is not null") == 0);
    CHECK(room.rows("mentions") == 0);

    auto late = room.connect("bob");
    const auto epoch = room.user("bob").get(kChannel).body["channel"]["epoch"];
    late.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", epoch}, {"seq", first["seq"]}}}}}});
    room.check_hidden("what bob missed", up_to(late, "goodbye"));
  });
}

TEST_CASE("shadow: it moves no count, no mark and no order of anybody's channels", "[api][shadow][bans]") {
  each_way([](ShadowRoom& room) {
    const auto parent = room.send("bob", "general", "a question");
    room.add_channel("second", {"alice", "bob"});
    room.send("alice", "second", "newer");
    const auto path = kMessages + "/" + parent["id"].get<std::string>();
    room.user("bob").post(path + "/thread/follow");
    room.shade();
    auto bob = room.user("bob");
    const auto of = [&](const std::string& what) { return bob.get(what).body; };
    const auto listed = [&] { return bob.post("/v1/channels/query", {{"sort", {{{"field", "last_message_at"}, {"order", "desc"}}}}}).body; };
    const Texts watched{kChannel, path, path + "/thread", "/v1/unread", "/v1/threads", kChannel + "/marks"};
    std::vector<Json> before;
    for (const auto& one : watched) before.push_back(of(one));
    const auto order = listed();
    const auto id = room.mutter("answer", {{"parent_id", parent["id"]}, {"mentions", {"bob"}}});
    room.mutter("answer for all", {{"parent_id", parent["id"]}, {"show_in_channel", true}});
    room.mutter("quote", {{"quoted_message_id", parent["id"]}, {"mention_roles", {"member"}}});
    for (std::size_t i = 0; i < watched.size(); ++i) {
      INFO(watched[i]);
      CHECK(of(watched[i]) == before[i]);
    }
    CHECK(listed() == order);
    CHECK(texts(bob, path + "/replies").empty());
    CHECK(texts(room.user("mallory"), path + "/replies").size() == 2);
    REQUIRE(room.user("mallory").del(kMessages + "/" + id).status == 200);
    CHECK(of(path) == before[1]);
  });
}

TEST_CASE("shadow: what is built on it afterwards gives nothing of it away", "[api][shadow][bans][ws]") {
  each_way([](ShadowRoom& room) {
    room.shade();
    const auto id = room.mutter("buy");
    room.lift();
    auto bob = room.user("bob"), mallory = room.user("mallory");
    auto socket = room.connect("bob");
    room.send("mallory", "general", "as I said", {{"quoted_message_id", id}});
    const auto quoting = bob.get(kMessages);
    CHECK(quoting.body["messages"].size() == 1);
    CHECK(quoting.http.body.find(kMark) == std::string::npos);
    CHECK_FALSE(quoting.body["messages"][0].contains("quoted_message"));
    room.ids.clear();                          // the quote names its id, as one of a message that was erased would
    room.ids.push_back(room.send("mallory", "general", "and more", {{"parent_id", id}, {"mentions", {"bob"}}, {"show_in_channel", true}})["id"]);
    room.ids.push_back(room.send("mallory", "general", "and yet more", {{"parent_id", id}, {"mentions", {"bob"}}})["id"]);
    room.send("alice", "general", "goodbye");
    room.check_hidden("bob's connection", up_to(socket, "goodbye"));
    for (const auto& path : Texts{kMessages, "/v1/threads", "/v1/unread", kChannel}) room.check_hidden(path, bob.get(path).http.body);
    CHECK(room.rows("mentions") == 0);
    CHECK(texts(mallory, kMessages + "/" + id + "/replies") == Texts{"and more", "and yet more"});
  });
}

TEST_CASE("shadow: nothing of it is previewed, indexed for others or exported with them", "[api][shadow][bans]") {
  each_way([](ShadowRoom& room) {
    REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"link_previews", true}}}}).status == 200);
    room.shade();
    const auto id = room.mutter("see https://example.com/" + kMark, {{"mentions", {"bob"}}});
    CHECK(room.user("mallory").patch(kMessages + "/" + id, {{"set", {{"text", kLink + " https://example.org/"}}}}).status == 200);
    CHECK(room.rows("preview_queue") == 0);
    index_all(room);
    CHECK(room.rows("search_index", "words @@ '" + kMark + ":*'") == 1);
    CHECK(room.rows("search_index", "words @@ '" + kMark + ":*' and not words @@ '''@s'''") == 0);
    for (const char* user : {"bob", "alice"}) room.check_hidden(std::string("the export of ") + user, exported(room, user));
    CHECK(exported(room, "mallory").find(kMark) != std::string::npos);
  });
}

TEST_CASE("shadow: what its author scheduled before is sent into it", "[api][shadow][bans][scheduled]") {
  each_way([](ShadowRoom& room) {
    const auto at = format_time(system_clock().now() + std::chrono::hours(1));
    REQUIRE(room.user("mallory").post(kChannel + "/scheduled_messages", {{"message", {{"text", kLink + " later"}}}, {"send_at", at}}).status == 201);
    room.shade();
    Probe(superuser_database().dsn).run("update scheduled_messages set send_at = now() - interval '1 second' where app_id = '" +
                                        AppId::parse(room.id())->text() + "'");
    eventually("it is sent", [&] {
      Service::get().node().run_job("send_scheduled");
      return room.rows("scheduled_messages") == 0;
    });
    CHECK(texts(room.user("mallory")) == Texts{kLink + " later"});
    CHECK(texts(room.user("bob")).empty());
    CHECK(room.user("bob").get("/v1/unread").body["total"] == 0);
  });
}
