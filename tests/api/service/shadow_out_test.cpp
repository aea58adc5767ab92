#include "tests/api/service/shadow_stage.h"
#include "tests/support/push_services.h"

// What leaves chatd of what is said in the shadow, and how it comes out of it. The walk through the API: shadow_test.
using namespace chat;
using namespace chat::test;

TEST_CASE("shadow: of what is really sent to phones and to the customer's servers nothing is of it", "[api][shadow][bans][webhooks]") {
  each_way([](ShadowRoom& room) {
    auto& services = push_services();
    const auto token = [&](const std::string& user) { return user + "-" + room.id(); };
    REQUIRE(room.server().post("/v1/push/providers", {{"provider", "fcm"}, {"service_account", services.service_account()}}).status == 201);
    for (const char* user : {"alice", "bob"}) {
      const Json phone{{"device_id", "phone"}, {"provider", "fcm"}, {"platform", "android"}, {"token", token(user)}};
      REQUIRE(room.user(user).post("/v1/devices", phone).status == 201);
    }
    for (const bool visible : {true, false})
      REQUIRE(room.server().put(visible ? "/v1/commands/shout" : "/v1/commands/order", {{"description", "d"}, {"visible", visible}}).status == 201);
    REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"shout", "order"}}}}}).status == 200);
    Hooked hooked;
    subscribe(room, hooked.url());
    room.shade();
    auto mallory = room.user("mallory");
    const auto id = room.mutter("buy", {{"mentions", {"bob"}}});
    const auto path = kMessages + "/" + id;
    CHECK(mallory.patch(path, {{"set", {{"text", kLink + " sell"}, {"mentions", {"bob"}}}}}).status == 200);
    CHECK(mallory.post(path + "/reactions", {{"type", "like"}}).status == 201);
    CHECK(mallory.del(path).status == 200);
    CHECK(mallory.post(path + "/undelete").status == 200);
    const auto poll = room.mutter("which?", {{"poll", {{"question", kMark}, {"options", {"red", "blue"}}}}});
    CHECK(mallory.post(kMessages + "/" + poll + "/poll/votes", {{"options", {"1"}}}).status == 201);
    CHECK(mallory.post(kMessages + "/" + poll + "/poll/close").status == 200);
    room.ids.push_back(room.send("mallory", "general", "/shout " + kLink)["id"]);
    if (room.bans()) CHECK(mallory.post(kMessages, {{"text", "/order " + kMark}}).status == 202);
    CHECK(room.user("carol").post(kMessages, {{"text", "/order tea"}}).status == 202);
    room.send("carol", "general", "goodbye");
    eventually("the end of all notifications", [&] {
      Service::get().node().run_job("decide_pushes");
      Service::get().node().run_job("deliver_pushes");
      return room.rows("push_queue") + room.rows("push_deliveries") == 0;
    }, std::chrono::seconds(30));
    for (const char* user : {"alice", "bob"}) {
      const auto pushed = services.got(token(user));
      CHECK(pushed.size() == 1);               // carol's
      for (const auto& one : pushed) room.check_hidden("pushed", one.request.body);
    }
    eventually("the customer's server hears what carol said", [&] {
      return hooked.all("message.new").size() == 1 && hooked.all("command.invoked").size() == 1;
    }, std::chrono::seconds(30));
    for (const auto& got : hooked.all())       // what moderation says of it is for moderators
      if (!got.frame()["type"].get<std::string>().starts_with("moderation.")) room.check_hidden("hooked", got.body);
  });
}

TEST_CASE("shadow: its files are its author's and moderators' to fetch", "[api][shadow][bans][uploads]") {
  each_way([](ShadowRoom& room) {
    const std::string bytes(100, 'x');
    const auto begun = room.user("mallory").post(kChannel + "/uploads", {{"name", "a.bin"}, {"size_bytes", bytes.size()}});
    REQUIRE(begun.status == 201);
    const auto upload = Actor(Service::get().port(), {}).call("PUT", begun.body["upload_url"], bytes).body["upload"]["id"].get<std::string>();
    room.shade();
    room.mutter("look", {{"attachments", {{{"upload_id", upload}}}}});
    for (const char* user : {"bob", "carol"}) {
      CHECK(room.user(user).get("/v1/uploads/" + upload).status == 404);
      CHECK(room.user(user).post("/v1/uploads/links", {{"upload_ids", {upload}}}).body["uploads"].empty());
    }
    for (const char* user : {"mallory", "alice"}) CHECK(room.user(user).get("/v1/uploads/" + upload).status == 200);
  });
}

TEST_CASE("shadow: what was said before a ban changes for its author's eyes alone", "[api][shadow][bans][ws]") {
  each_way([](ShadowRoom& room) {
    if (!room.bans()) return;
    const auto before = room.send("mallory", "general", "hello");
    room.shade();
    auto bob = room.connect("bob"), desk = room.connect("mallory");
    auto mallory = room.user("mallory");
    const auto path = kMessages + "/" + before["id"].get<std::string>();
    const auto changed = mallory.patch(path, {{"set", {{"text", kLink}, {"mentions", {"bob"}}, {"custom", {{"k", kMark}}}}}, {"unset", {"attachments"}}});
    REQUIRE(changed.status == 200);
    CHECK(changed.body["message"]["text"] == kLink);
    CHECK(changed.body["message"]["custom"] == Json{{"k", kMark}});
    const auto heard = hear(desk, "message.updated")["data"]["message"];
    CHECK(heard["text"] == kLink);
    CHECK(heard["seq"] == 0);
    CHECK(mallory.patch(kMessages + "/" + MessageId::make(system_clock().now()).wire(), {{"set", {{"text", kLink}}}}).code() == "not_found");
    room.send("alice", "general", "goodbye");
    room.check_hidden("bob's connection", up_to(bob, "goodbye"));
    CHECK(texts(room.user("bob")) == Texts{"hello", "goodbye"});
    CHECK(room.rows("mentions") == 0);
    CHECK(room.rows("message_edits") == 0);
    room.lift();
    CHECK(mallory.patch(path, {{"set", {{"text", "hello again"}}}}).status == 200);
    CHECK(texts(room.user("bob")) == Texts{"hello again", "goodbye"});
  });
}

TEST_CASE("shadow: what a rule sent into it comes out when it is approved, once, for everybody", "[api][shadow][moderation][ws][webhooks]") {
  each_way([](ShadowRoom& room) {
    if (room.bans()) return;
    const auto parent = room.send("bob", "general", "a question");
    room.shade();
    Hooked hooked;
    subscribe(room, hooked.url(), {{"events", {"message.*"}}});
    const auto id = room.mutter("answer", {{"mentions", {"bob"}}, {"parent_id", parent["id"]}, {"show_in_channel", true}});
    auto socket = room.connect("bob");
    room.send("alice", "general", "later");
    room.check_hidden("bob's connection", up_to(socket, "later"));
    auto bob = room.user("bob");
    const auto items = room.user("alice").post("/v1/moderation/items/query").body["items"];
    REQUIRE(items.size() == 1);
    CHECK(items[0]["message_id"] == id);
    const auto epoch = bob.get(kChannel).body["channel"]["epoch"];
    const auto unread = bob.get(kChannel).body["membership"]["unread"];
    const auto decide = [&](const Json& item) {
      return room.user("alice").post("/v1/moderation/decisions", {{"item_ids", {item["item_id"]}}, {"action", "approve"}}).body["results"][0];
    };
    const auto decided = decide(items[0]);
    REQUIRE(decided["status"] == "decided");
    CHECK(decided["decision"]["params"] == Json{{"shown", true}});
    const auto heard = hear(socket, "message.new");
    CHECK(heard["data"]["message"]["id"] == id);
    CHECK(heard["seq"] == heard["data"]["message"]["seq"]);
    CHECK(texts(bob) == Texts{"a question", kLink + " answer", "later"});      // where it was said
    CHECK(bob.get(kChannel).body["membership"]["unread"] == unread);
    CHECK(bob.get(kMessages + "/" + parent["id"].get<std::string>()).body["message"]["reply_count"] == 1);
    CHECK(texts(bob, kMessages + "/" + parent["id"].get<std::string>() + "/replies").size() == 1);
    CHECK(room.rows("mentions") == 1);
    index_all(room);
    CHECK(bob.post("/v1/search/messages", {{"query", "answer"}}).body["results"].size() == 1);
    eventually("the customer's server hears it", [&] { return hooked.all("message.new").size() == 2; }, std::chrono::seconds(30));
    const auto got = hooked.all("message.new");
    CHECK(std::any_of(got.begin(), got.end(), [&](const auto& one) { return one.frame()["data"]["message"]["id"] == id; }));

    auto late = room.connect("carol");
    late.send({{"type", "resume"}, {"channels", {{"messaging:general", {{"epoch", epoch}, {"seq", parent["seq"]}}}}}});
    for (bool later = false, shown = false; !later || !shown;) {
      const auto missed = hear(late, "message.new");
      later = later || missed["data"]["message"]["text"] == "later";
      shown = shown || missed == heard;
    }

    CHECK(room.server().post("/v1/moderation/decisions/" + decided["decision"]["decision_id"].get<std::string>() + "/undo").status == 200);
    CHECK(texts(bob).size() == 3);             // what was seen is not unseen
    CHECK(decide(items[0])["decision"]["params"] == Json::object());
    CHECK(bob.get(kMessages + "/" + parent["id"].get<std::string>()).body["message"]["reply_count"] == 1);
  });
}

TEST_CASE("shadow: a command that comes out of it is told to the customer's servers, too", "[api][shadow][moderation][commands][ws]") {
  ShadowRoom room(kWays[2]);
  REQUIRE(room.server().put("/v1/commands/shout", {{"description", "d"}}).status == 201);
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"shout"}}}}}).status == 200);
  room.shade();
  auto backend = room.connect("");
  const auto id = room.send("mallory", "general", "/shout " + kLink)["id"];
  const auto items = room.user("alice").post("/v1/moderation/items/query").body["items"];
  REQUIRE(items.size() == 1);
  CHECK_FALSE(backend.find("command.invoked", std::chrono::milliseconds(100)));
  room.user("alice").post("/v1/moderation/decisions", {{"item_ids", {items[0]["item_id"]}}, {"action", "approve"}});
  CHECK(hear(backend, "command.invoked")["data"]["message"]["id"] == id);
}

TEST_CASE("shadow: what a banned user said, and what answers it, is not shown by an approval", "[api][shadow][moderation]") {
  ShadowRoom room(kWays[2]);
  room.shade();
  const auto id = room.mutter("buy");
  const auto reply = room.mutter("really", {{"parent_id", id}});
  REQUIRE(room.user("alice").put(kChannel + "/bans/mallory", {{"shadow", true}}).status == 200);
  const auto approve = [&](const std::string& message) {
    const auto all = room.server().post("/v1/moderation/items/query").body["items"];
    const auto found = std::find_if(all.begin(), all.end(), [&](const Json& one) { return one["message_id"] == message; });
    REQUIRE(found != all.end());
    return room.user("alice").post("/v1/moderation/decisions", {{"item_ids", {(*found)["item_id"]}}, {"action", "approve"}}).body["results"][0]["decision"];
  };
  const auto first = approve(id);
  CHECK(first["params"] == Json::object());
  REQUIRE(room.user("alice").del(kChannel + "/bans/mallory").status == 204);
  CHECK(approve(reply)["params"] == Json::object());   // nobody sees what it answers
  CHECK(texts(room.user("bob")).empty());
  REQUIRE(room.server().post("/v1/moderation/decisions/" + first["decision_id"].get<std::string>() + "/undo").status == 200);
  CHECK(approve(id)["params"] == Json{{"shown", true}});
  CHECK(texts(room.user("bob")).size() == 1);
}
