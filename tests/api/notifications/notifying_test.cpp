#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/push/keys.h"
#include "tests/api/notifications/notifying_stage.h"
#include "tests/support/contract.h"
#include "tests/support/hooked.h"

// Who is notified of what, as it reaches the devices. Credentials, preferences and templates themselves: notifications_test.
using namespace chat;
using namespace chat::test;

TEST_CASE("notifications: who is away is told once, with name, text, place and badge; the author is not", "[api][notifications]") {
  Pushing app;
  app.add_phone("alice");
  app.send("alice", "general", "one");
  auto message = app.send("alice", "general", "Where do we meet?");
  app.settle();
  const auto got = services().got(app.token("bob"));
  REQUIRE(got.size() >= 1);
  const auto& told = got.back().body["message"];
  CHECK(told["notification"] == Json{{"title", "Alice A."}, {"body", "Where do we meet?"}});
  CHECK(told["data"]["cid"] == "messaging:general");
  CHECK(told["data"]["message_id"] == message["id"]);
  CHECK(told["data"]["event"] == "message.new");
  CHECK(told["data"]["sender_id"] == "alice");
  CHECK(told["android"]["collapse_key"] == "messaging:general");
  CHECK(told["android"]["notification"]["notification_count"] == app.user("bob").get("/v1/unread").body["total"]);
  CHECK(services().got(app.token("alice")).empty());
  CHECK(app.metered() == static_cast<std::int64_t>(got.size()));
  auto usage = app.server().get("/v1/usage").body["usage"]["meters"];
  for (const auto& meter : usage)
    if (meter["meter"] == "push") CHECK(meter["value"] == app.metered());
}

TEST_CASE("notifications: who is connected is not told, and is once the connection is gone", "[api][notifications][ws]") {
  Pushing app;
  {
    auto device = app.connect("bob");
    app.send("alice", "general", "live");
    hear(device, "message.new");
    CHECK(app.told("bob").empty());
    device.close();
    device.wait_closed();
  }
  eventually("the end of the connection", [&] {
    app.send("alice", "general", "away");
    return !app.told("bob").empty();
  });
  CHECK(app.told("bob").back() == "away");
}

TEST_CASE("notifications: several messages at once are one notification, of the last", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "zero");
  app.settle();
  app.send("alice", "general", "one");
  app.send("alice", "general", "two");
  app.send("alice", "general", "three");
  app.settle();
  const auto got = services().got(app.token("bob"));
  CHECK(got.size() <= 4);
  CHECK(got.back().body["message"]["notification"]["body"] == "three");
  CHECK(got.back().body["message"]["android"]["notification"]["notification_count"] == 4);
}

TEST_CASE("notifications: while one worker tells a device of a channel no other does, so that the newest is told last", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "older");
  CHECK(app.told("bob") == Texts{"older"});
  outside().run("insert into push_deliveries (app_id, user_id, device_id, channel_id, message_id, event, actor_id, due_at, expires_at, claimed_by, claimed_until, created_at)"
                " select m.app_id, u.id, 'phone', m.channel_id, m.id, 'message.new', m.user_id, now(), now() + interval '1 hour', gen_random_uuid(),"
                " now() + interval '1 hour', now() from messages m join users u on u.app_id = m.app_id and u.user_id = 'bob' where m.app_id = '" + app.uuid() + "'");
  app.send("alice", "general", "newer");
  eventually("it waits", [&] {
    node().run_job("decide_pushes");
    return app.rows("push_queue") == 0 && app.rows("push_deliveries") == 2;
  });
  for (int i = 0; i < 5; ++i) node().run_job("deliver_pushes");
  CHECK(app.rows("push_deliveries", "claimed_by is null") == 1);
  outside().run("update push_deliveries set claimed_until = now() - interval '1 second' where claimed_by is not null and app_id = '" + app.uuid() + "'");
  CHECK(app.told("bob") == Texts{"older", "newer"});
}

TEST_CASE("notifications: while it is decided of a message nobody else decides of a later one of its channel", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "older");
  CHECK(app.told("bob") == Texts{"older"});
  outside().run("insert into push_queue (app_id, id, event, channels, messages, created_at, claimed_by, claimed_until) select app_id, '" +
                new_uuid7(system_clock().now()).text() + "', 'message.new', array[channel_id], array[id], now(), gen_random_uuid(), now() + interval '1 hour'"
                " from messages where app_id = '" + app.uuid() + "'");
  app.send("alice", "general", "newer");
  for (int i = 0; i < 5; ++i) node().run_job("decide_pushes");
  CHECK(app.rows("push_queue", "claimed_by is null") == 1);
  outside().run("update push_queue set claimed_until = now() - interval '1 second' where claimed_by is not null and app_id = '" + app.uuid() + "'");
  CHECK(app.told("bob").back() == "newer");
}

TEST_CASE("notifications: an application without push leaves nothing behind a send", "[api][notifications]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  app.add_channel("general", {"alice", "bob"});
  app.send("alice", "general", "nobody is told");
  CHECK(app.rows("push_queue") == 0);
  Pushing other;
  REQUIRE(other.server().del("/v1/push/providers/fcm/default").status == 204);
  other.send("alice", "general", "no longer");
  CHECK(other.rows("push_queue") == 0);
}

TEST_CASE("notifications: a level of mentions tells of mentions alone, of a user, a role or the channel", "[api][notifications]") {
  Pushing app;
  REQUIRE(app.user("bob").put("/v1/push/preferences", {{"level", "mentions"}}).status == 200);
  app.send("alice", "general", "not for bob");
  CHECK(app.told("bob").empty());
  app.send("alice", "general", "bob!", {{"mentions", {"bob"}}});
  CHECK(app.told("bob") == Texts{"bob!"});
  app.send("alice", "general", "members!", {{"mention_roles", {"member"}}});
  app.settle();
  app.send("alice", "general", "owners!", {{"mention_roles", {"owner"}}});
  app.settle();
  app.send("alice", "general", "everybody!", {{"mention_channel", true}});
  CHECK(app.told("bob") == Texts{"bob!", "members!", "everybody!"});
  CHECK(services().got(app.token("bob"))[0].body["message"]["data"]["event"] == "mention");
  REQUIRE(app.user("bob").put("/v1/channels/messaging/general/push_preference", {{"level", "all"}}).status == 200);
  app.send("alice", "general", "all here");
  CHECK(app.told("bob").back() == "all here");
  REQUIRE(app.user("bob").put("/v1/channels/messaging/general/push_preference", {{"level", "none"}}).status == 200);
  app.send("alice", "general", "bob?", {{"mentions", {"bob"}}});
  CHECK(app.told("bob").back() == "all here");
}

TEST_CASE("notifications: muted until a time, in general or in a channel, and told afterwards", "[api][notifications]") {
  Pushing app;
  auto bob = app.user("bob");
  const std::string later = format_time(system_clock().now() + std::chrono::hours(1)), before = format_time(system_clock().now() - std::chrono::hours(1));
  const std::string in_channel = "/v1/channels/messaging/general/push_preference";
  REQUIRE(bob.put("/v1/push/preferences", {{"muted_until", later}}).status == 200);
  app.send("alice", "general", "muted");
  CHECK(app.told("bob").empty());
  REQUIRE(bob.put("/v1/push/preferences", {{"muted_until", before}}).status == 200);
  REQUIRE(bob.put(in_channel, {{"muted_until", later}}).status == 200);
  app.send("alice", "general", "muted here");
  CHECK(app.told("bob").empty());
  REQUIRE(bob.put(in_channel, {{"muted_until", before}}).status == 200);
  app.send("alice", "general", "heard");
  CHECK(app.told("bob") == Texts{"heard"});
}

TEST_CASE("notifications: nothing in quiet hours, which are the user's own", "[api][notifications]") {
  Pushing app;
  auto bob = app.user("bob");
  auto quiet = [&](const Json& hours) { REQUIRE(bob.put("/v1/push/preferences", {{"quiet", hours}}).status == 200); };
  quiet({{"from", "00:00"}, {"to", "00:00"}, {"time_zone", "UTC"}});
  app.send("alice", "general", "always quiet");
  CHECK(app.told("bob").empty());
  const auto hour = [](int from_now) {
    const auto text = format_time(system_clock().now() + std::chrono::hours(from_now));
    return text.substr(11, 5);
  };
  quiet({{"from", hour(-2)}, {"to", hour(2)}, {"time_zone", "UTC"}});
  app.send("alice", "general", "quiet now");
  CHECK(app.told("bob").empty());
  quiet({{"from", hour(-2)}, {"to", hour(2)}, {"time_zone", "Asia/Kolkata"}});    // there these hours are at another time
  app.send("alice", "general", "heard");
  CHECK(app.told("bob") == Texts{"heard"});
}

TEST_CASE("notifications: quiet hours over midnight belong to the day on which they begin", "[api][notifications]") {
  auto quiet = [](const std::string& at, const std::string& days, const std::string& zone = "Europe/Berlin") {
    return outside().value("select is_quiet('" + at + "', 1320::smallint, 420::smallint, " + days + ", '" + zone + "')") == "t";
  };
  CHECK(quiet("2026-11-27T22:30:00Z", "null"));             // 23:30 in Berlin
  CHECK(quiet("2026-11-28T05:59:00Z", "null"));
  CHECK_FALSE(quiet("2026-11-28T06:00:00Z", "null"));
  CHECK_FALSE(quiet("2026-11-27T20:59:00Z", "null"));
  CHECK(quiet("2026-11-27T21:00:00Z", "'{5}'"));            // Friday evening
  CHECK(quiet("2026-11-28T03:00:00Z", "'{5}'"));            // the night to Saturday
  CHECK_FALSE(quiet("2026-11-28T21:30:00Z", "'{5}'"));      // Saturday evening
  CHECK_FALSE(quiet("2026-11-27T03:00:00Z", "'{5}'"));      // the night to Friday
  CHECK(quiet("2026-11-30T03:00:00Z", "'{7}'"));            // the night from Sunday to Monday
  CHECK(quiet("2026-07-01T20:30:00Z", "null"));             // 22:30, in summer
}

TEST_CASE("notifications: quiet hours keep to the clock on the wall in the nights in which it is changed", "[api][notifications]") {
  auto quiet = [](const std::string& at, const std::string& days = "null") {
    return outside().value("select is_quiet('" + at + "', 1320::smallint, 420::smallint, " + days + ", 'Europe/Berlin')") == "t";
  };
  CHECK_FALSE(quiet("2026-03-28T20:59:00Z"));               // 21:59; at two it will be three
  CHECK(quiet("2026-03-28T21:00:00Z"));
  CHECK(quiet("2026-03-29T01:00:00Z", "'{6}'"));            // 03:00, the night of Saturday
  CHECK(quiet("2026-03-29T04:59:00Z"));                     // 06:59, after eight hours
  CHECK_FALSE(quiet("2026-03-29T05:00:00Z"));
  CHECK_FALSE(quiet("2026-10-24T19:59:00Z"));               // 21:59; at three it will be two again
  CHECK(quiet("2026-10-24T20:00:00Z"));
  CHECK(quiet("2026-10-25T00:30:00Z", "'{6}'"));            // 02:30
  CHECK(quiet("2026-10-25T01:30:00Z", "'{6}'"));            // 02:30 again
  CHECK(quiet("2026-10-25T05:59:00Z"));                     // 06:59, after ten hours
  CHECK_FALSE(quiet("2026-10-25T06:00:00Z"));
}

TEST_CASE("notifications: not of muted channels, nor of muted or blocked users, and again when they are not any more", "[api][notifications]") {
  Pushing app;
  auto bob = app.user("bob");
  REQUIRE(bob.patch("/v1/channels/messaging/general/membership", {{"set", {{"muted", true}}}}).status == 200);
  app.send("alice", "general", "muted channel");
  CHECK(app.told("bob").empty());
  REQUIRE(bob.patch("/v1/channels/messaging/general/membership", {{"set", {{"muted", false}}}}).status == 200);
  REQUIRE(bob.post("/v1/users/bob/mutes", {{"target_id", "alice"}}).status == 200);
  app.send("alice", "general", "muted user");
  CHECK(app.told("bob").empty());
  REQUIRE(bob.del("/v1/users/bob/mutes/alice").status == 204);
  REQUIRE(bob.post("/v1/users/bob/blocks", {{"target_id", "alice"}}).status == 200);
  app.send("alice", "general", "blocked user");
  CHECK(app.told("bob").empty());
  REQUIRE(bob.del("/v1/users/bob/blocks/alice").status == 204);
  app.send("alice", "general", "heard");
  CHECK(app.told("bob") == Texts{"heard"});
}

TEST_CASE("notifications: not of silent, system or deleted messages, nor of what a shadow-banned user writes", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "silent", {{"silent", true}});
  REQUIRE(app.server().post(kMessages, {{"text", "joined"}, {"type", "system"}, {"user_id", "alice"}}).status == 201);
  CHECK(app.rows("push_queue") == 0);
  REQUIRE(app.server().put("/v1/channels/messaging/general/bans/alice", {{"shadow", true}}).status / 100 == 2);
  app.send("alice", "general", "unheard");
  CHECK(app.rows("push_queue") == 0);
  REQUIRE(app.server().del("/v1/channels/messaging/general/bans/alice").status == 204);
  const auto message = app.send("alice", "general", "regretted");
  outside().run("delete from push_queue where app_id = '" + app.uuid() + "'");
  outside().run("delete from push_deliveries where app_id = '" + app.uuid() + "'");
  REQUIRE(app.user("alice").del(kMessages + "/" + message["id"].get<std::string>()).status == 200);
  const auto before = app.told("bob");                       // perhaps told before it was deleted
  outside().run("insert into push_queue (app_id, id, event, channels, messages, created_at) select app_id, gen_random_uuid(), 'message.new',"
                " array[channel_id], array[id], now() from messages where text = 'regretted' and app_id = '" + app.uuid() + "'");
  CHECK(app.told("bob") == before);
}

TEST_CASE("notifications: what is read or deleted while it waits for its provider is not told any more", "[api][notifications]") {
  Pushing app;
  services().answer(app.token("bob"), 503, "{}");
  const auto message = app.send("alice", "general", "too late");
  eventually("the first attempt", [&] {
    node().run_job("decide_pushes");
    node().run_job("deliver_pushes");
    return app.rows("push_deliveries", "attempts = 1 and claimed_by is null") == 1;
  });
  CHECK(app.metered() == 0);
  services().answer(app.token("bob"), 200, "{}");
  REQUIRE(app.user("bob").post("/v1/channels/messaging/general/read").status == 200);
  outside().run("update push_deliveries set due_at = now() where app_id = '" + app.uuid() + "'");
  app.settle();
  CHECK(services().got(app.token("bob")).size() == 1);       // the attempt that failed
  CHECK(app.metered() == 0);
}

TEST_CASE("notifications: a provider that is busy is asked again, and the notification counts once", "[api][notifications]") {
  Pushing app;
  services().answer(app.token("bob"), 503, "{}");
  app.send("alice", "general", "patience");
  eventually("the first attempt", [&] {
    node().run_job("decide_pushes");
    node().run_job("deliver_pushes");
    return app.rows("push_deliveries", "attempts = 1 and claimed_by is null and due_at > now() + interval '2 s'") == 1;
  });
  services().answer(app.token("bob"), 200, "{}");
  outside().run("update push_deliveries set due_at = now() where app_id = '" + app.uuid() + "'");
  app.settle();
  CHECK(services().got(app.token("bob")).size() == 2);
  CHECK(app.metered() == 1);
}

TEST_CASE("notifications: given up after eight attempts", "[api][notifications]") {
  Pushing app;
  services().answer(app.token("bob"), 503, "{}");
  app.send("alice", "general", "never");
  eventually("the first attempt", [&] {
    node().run_job("decide_pushes");
    node().run_job("deliver_pushes");
    return app.rows("push_deliveries", "attempts = 1 and claimed_by is null") == 1;
  });
  outside().run("update push_deliveries set attempts = 7, due_at = now() where app_id = '" + app.uuid() + "'");
  app.settle();
  CHECK(app.metered() == 0);
  CHECK(app.rows("user_devices") == 1);
}

TEST_CASE("notifications: a dead token is forgotten, a living one of the same user is told", "[api][notifications]") {
  Pushing app;
  const std::string living = "living-" + app.id();
  REQUIRE(app.user("bob").post("/v1/devices", {{"device_id", "tablet"}, {"provider", "fcm"}, {"platform", "android"}, {"token", living}}).status == 201);
  services().answer(app.token("bob"), 404, R"({"error":{"details":[{"errorCode":"UNREGISTERED"}]}})");
  app.send("alice", "general", "hello");
  app.settle();
  CHECK(app.rows("user_devices", "device_id = 'phone'") == 0);
  CHECK(app.rows("user_devices", "device_id = 'tablet'") == 1);
  CHECK(services().got(living).size() == 1);
  CHECK(app.metered() == 1);
}

TEST_CASE("notifications: the backend is told of each that a provider took, and of those that are lost, with their outcome", "[api][notifications][webhooks]") {
  Pushing app;
  Hooked hooked, others;
  const auto endpoint = subscribe(app, hooked.url(), {{"events", {"push.*"}}});
  subscribe(app, others.url(), {{"events", {"push.failed"}}});
  const auto message = app.send("alice", "general", "hello");
  app.settle();
  eventually("push.sent", [&] { return !hooked.all("push.sent").empty(); }, std::chrono::seconds(20));
  const auto got = hooked.all("push.sent").at(0);
  CHECK(endpoint.verify(got) == "");
  CHECK(got.frame()["cid"] == "messaging:general");
  CHECK(got.frame()["data"] == Json{{"user_id", "bob"}, {"device_id", "phone"}, {"provider", "fcm"}, {"event", "message.new"}, {"message_id", message["id"]}, {"outcome", "sent"}});
  services().answer(app.token("bob"), 404, R"({"error":{"details":[{"errorCode":"UNREGISTERED"}]}})");
  app.send("alice", "general", "are you there?");
  app.settle();
  eventually("push.failed", [&] { return !others.all("push.failed").empty(); }, std::chrono::seconds(20));
  CHECK(others.all().at(0).frame()["data"]["outcome"] == "dead");
  CHECK(others.all("push.sent").empty());
  CHECK(got.body.find("hello") == std::string::npos);
  for (const auto& one : hooked.all())
    for (const auto& mistake : Contract::get().check_event(one.body)) FAIL_CHECK(mistake << " in " << one.body);
}

TEST_CASE("notifications: wrong credentials lose the notification, not the device", "[api][notifications]") {
  Pushing app;
  services().answer(app.token("bob"), 403, R"({"error":{"status":"PERMISSION_DENIED"}})");
  app.send("alice", "general", "hello");
  app.settle();
  CHECK(app.rows("user_devices") == 1);
  CHECK(app.metered() == 0);
}

TEST_CASE("notifications: Apple and browsers are told in their own ways", "[api][notifications]") {
  Pushing app;
  const auto server = [&] { return app.server(); };
  REQUIRE(server().post("/v1/push/providers", {{"provider", "apns"}, {"private_key", PushServices::apple_key()}, {"key_id", "K"}, {"team_id", "T"},
                                               {"topic", "com.example.shop"}}).status == 201);
  REQUIRE(server().post("/v1/push/providers", {{"provider", "web"}, {"contact", "mailto:ops@example.com"}}).status == 201);
  const std::string hex = crypto::hex(crypto::sha256(app.id())), path = "browser-" + app.id();
  REQUIRE(app.user("bob").post("/v1/devices", {{"device_id", "phone"}, {"provider", "apns"}, {"platform", "ios"}, {"token", hex}}).status == 200);
  REQUIRE(app.user("bob").post("/v1/devices", {{"device_id", "browser"}, {"provider", "web"}, {"platform", "web"},
              {"subscription", {{"endpoint", services().endpoint(path)},
                                {"keys", {{"p256dh", crypto::base64url(push::PrivateKey::make_p256().public_point())},
                                          {"auth", crypto::base64url(std::string(16, 'a'))}}}}}}).status == 201);
  app.send("alice", "general", "hello");
  app.settle();
  const auto phone = services().got(hex);
  REQUIRE(phone.size() == 1);
  CHECK(phone[0].request.header("apns-topic") == "com.example.shop");
  CHECK(phone[0].request.header("apns-collapse-id") == "messaging:general");
  CHECK(phone[0].body["aps"]["alert"] == Json{{"title", "Alice A."}, {"body", "hello"}});
  CHECK(phone[0].body["aps"]["badge"] == 1);
  CHECK(phone[0].body["cid"] == "messaging:general");
  const auto browser = services().got(path);
  REQUIRE(browser.size() == 1);
  CHECK(browser[0].request.header("content-encoding") == "aes128gcm");
  CHECK(browser[0].request.body.find("hello") == std::string::npos);
  CHECK(app.metered() == 2);
}

TEST_CASE("notifications: a reply in a thread tells those who follow it, and who is mentioned", "[api][notifications]") {
  Pushing app;
  REQUIRE(app.user("alice").post("/v1/channels/messaging/general/members", {{"members", {{{"user_id", "carol"}}}}}).status == 200);
  app.add_phone("carol");
  const auto parent = app.send("bob", "general", "a question");
  app.settle();
  app.send("alice", "general", "an answer", {{"parent_id", parent["id"]}});
  CHECK(app.told("bob") == Texts{"an answer"});
  CHECK(app.told("carol") == Texts{"a question"});
  CHECK(services().got(app.token("bob"))[0].body["message"]["data"]["parent_id"] == parent["id"]);
  app.send("alice", "general", "carol?", {{"parent_id", parent["id"]}, {"mentions", {"carol"}}});
  CHECK(app.told("carol") == Texts{"a question", "carol?"});
}

TEST_CASE("notifications: not in types without push, as livestream is", "[api][notifications]") {
  Pushing app;
  CHECK(app.server().get("/v1/channel_types/livestream").body["channel_type"]["settings"]["push"] == false);
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"push", false}}}}).status == 200);
  app.send("alice", "general", "unheard");
  CHECK(app.told("bob").empty());
  REQUIRE(app.server().patch("/v1/channel_types/messaging", {{"settings", {{"push", true}}}}).status == 200);
  app.send("alice", "general", "heard");
  CHECK(app.told("bob") == Texts{"heard"});
}

TEST_CASE("notifications: not in large channels, whatever a channel's own settings say", "[api][notifications][large]") {
  Pushing app;
  const std::string show = "/v1/channels/livestream/show";
  REQUIRE(app.user("alice").post(show, {{"members", {"bob"}}}).status == 201);
  REQUIRE(app.server().patch(show, {{"set", {{"settings", {{"push", true}}}}}}).status == 200);
  REQUIRE(app.user("alice").post(show + "/messages", {{"text", "on air"}, {"mentions", {"bob"}}}).status == 201);
  app.send("alice", "general", "small");
  CHECK(app.told("bob") == Texts{"small"});
}

TEST_CASE("notifications: reactions once there is a template, in the author's language; reminders always", "[api][notifications]") {
  Pushing app;
  app.add_phone("alice");
  auto bob = app.user("bob");
  const auto message = app.send("alice", "general", "Lunch?");
  const std::string path = kMessages + "/" + message["id"].get<std::string>();
  REQUIRE(bob.post(path + "/reactions", {{"type", "like"}}).status == 201);
  CHECK(app.told("alice").empty());
  const std::string of_reactions = "/v1/push/templates/reaction.new";
  REQUIRE(app.server().put(of_reactions, {{"title", "x"}, {"body", "{{reaction.type}}: {{message.text}}"}}).status == 201);
  REQUIRE(app.server().put(of_reactions, {{"title", "x"}, {"body", "{{reaction.type}} zu {{message.text}}"}, {"language", "de"}}).status == 201);
  REQUIRE(app.user("alice").put("/v1/push/preferences", {{"language", "de"}}).status == 200);
  REQUIRE(bob.post(path + "/reactions", {{"type", "love"}}).status == 201);
  REQUIRE(app.user("alice").post(path + "/reactions", {{"type", "own"}}).status == 201);
  CHECK(app.told("alice") == Texts{"love zu Lunch?"});
  const auto heard = app.told("bob").size();
  REQUIRE(bob.post(path + "/bookmark", {{"remind_at", format_time(system_clock().now() + std::chrono::milliseconds(300))}}).status == 201);
  eventually("the reminder", [&] {
    node().run_job("tell_due_reminders");
    return app.told("bob").size() == heard + 1;
  });
  CHECK(app.told("bob").back() == "Alice A.: Lunch?");
}

TEST_CASE("notifications: invitations once there is a template, to whom is invited alone, until they are answered", "[api][notifications][invites]") {
  Pushing app;
  app.add_channel("club", {"alice"});
  app.add_phone("carol");
  const std::string invites = "/v1/channels/messaging/club/invites";
  const auto invite = [&](Actor by, const std::string& user) { REQUIRE(by.post(invites, {{"users", {user}}, {"text", "Join us"}}).status == 200); };
  invite(app.user("alice"), "bob");
  CHECK(app.told("bob").empty());
  REQUIRE(app.server().put("/v1/push/templates/invite.created", {{"title", "x"}, {"body", "{{sender.name}} > {{channel.id}}: {{message.text}}"}}).status == 201);
  REQUIRE(app.user("alice").del(invites + "/bob").status == 204);
  invite(app.user("alice"), "bob");
  CHECK(app.told("bob") == Texts{"Alice A. > club: Join us"});
  CHECK(app.told("carol").empty());
  const auto data = services().got(app.token("bob")).back().body["message"]["data"];
  CHECK(data["event"] == "invite.created");
  CHECK(data["cid"] == "messaging:club");
  CHECK(data["sender_id"] == "alice");
  CHECK_FALSE(data.contains("message_id"));
  REQUIRE(app.user("bob").post("/v1/channels/messaging/club/invite/reject").status == 200);
  REQUIRE(app.user("bob").put("/v1/push/preferences", {{"level", "none"}}).status == 200);
  invite(app.user("alice"), "bob");
  CHECK(app.told("bob").size() == 1);
  invite(app.server(), "carol");
  REQUIRE(app.told("carol").size() == 1);
  CHECK(app.told("carol")[0].ends_with(" > club: Join us"));
}

TEST_CASE("notifications: in a channel of thousands each member's device is told once, by any number of workers", "[api][notifications]") {
  Pushing app;
  outside().run("insert into users (app_id, id, user_id, created_at, updated_at) select '" + app.uuid() + "', gen_random_uuid(), 'm' || n, now(), now()"
                " from generate_series(1, 2200) n");
  outside().run("insert into channel_members (app_id, channel_id, user_id, joined_message_seq, created_at, updated_at) select u.app_id, c.id, u.id, 0,"
                " now(), now() from users u join channels c on c.app_id = u.app_id where u.app_id = '" + app.uuid() + "' and u.user_id like 'm%'");
  outside().run("insert into user_devices (app_id, user_id, device_id, provider, provider_name, platform, token, token_key, created_at, seen_at)"
                " select app_id, id, 'phone', 'fcm', 'default', 'android', user_id || '-" + app.id() + "', sha256((user_id || '" + app.id() + "')::bytea),"
                " now(), now() from users where app_id = '" + app.uuid() + "' and user_id like 'm%' and substr(user_id, 2)::integer % 40 = 0");
  outside().run("analyze users");              // as autovacuum does before long
  outside().run("analyze channel_members");
  outside().run("analyze user_devices");
  Worker worker;
  app.send("alice", "general", "to all");
  {
    const std::jthread beside([&](const std::stop_token& stop) {
      storage::Connection connection(server_database());
      notifications::Courier courier(worker.notifying);
      while (!stop.stop_requested()) {
        notifications::decide_pushes(connection, worker.notifying);
        courier.deliver(connection);
      }
    });
    app.settle();
  }
  worker.pool.stop();
  int told = 0;
  for (int n = 40; n <= 2200; n += 40) told += services().got("m" + std::to_string(n) + "-" + app.id()).size() == 1;
  CHECK(told == 55);
  CHECK(services().got(app.token("bob")).size() == 1);
  CHECK(app.metered() == 56);
}

TEST_CASE("notifications: what a worker had when it died is told by another once its claim is over", "[api][notifications]") {
  Pushing app;
  const std::string dead = "claimed_by = gen_random_uuid(), claimed_until = now() + interval '1 hour' where app_id = '" + app.uuid() + "'";
  const std::string over = "claimed_until = now() - interval '1 s' where app_id = '" + app.uuid() + "'";
  app.send("alice", "general", "first");
  app.settle();
  outside().run("insert into push_queue (app_id, id, event, channels, messages, created_at, claimed_by, claimed_until) select app_id, gen_random_uuid(),"
                " 'message.new', array[channel_id], array[id], now(), gen_random_uuid(), now() + interval '1 hour' from messages where app_id = '" +
                app.uuid() + "'");
  node().run_job("decide_pushes");
  CHECK(app.rows("push_queue") == 1);
  outside().run("update push_queue set " + over);
  services().answer(app.token("bob"), 503, "{}");
  eventually("the second attempt", [&] {
    node().run_job("decide_pushes");
    node().run_job("deliver_pushes");
    return app.rows("push_deliveries", "attempts = 1 and claimed_by is null") == 1;
  });
  outside().run("update push_deliveries set due_at = now(), " + dead);
  services().answer(app.token("bob"), 200, "{}");
  node().run_job("deliver_pushes");
  CHECK(app.rows("push_deliveries") == 1);
  outside().run("update push_deliveries set " + over);
  app.settle();
  CHECK(app.metered() == 2);
}

TEST_CASE("notifications: a worker whose time is over gives back what it had not begun", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "first");
  app.settle();
  outside().run("insert into push_queue (app_id, id, event, channels, messages, created_at) select app_id, gen_random_uuid(), 'message.new',"
                " array[channel_id], array[id], now() + interval '1 hour' from messages where app_id = '" + app.uuid() + "'");
  Worker worker;
  worker.notifying.delay = -std::chrono::hours(2);           // it alone takes what the others must wait for
  worker.notifying.budget = std::chrono::milliseconds(-1);
  storage::Connection connection(server_database());
  CHECK(notifications::decide_pushes(connection, worker.notifying) == 0);
  CHECK(app.rows("push_queue", "claimed_by is null") == 1);
  outside().run("delete from push_queue where app_id = '" + app.uuid() + "'");
  CHECK(app.told("bob") == Texts{"first"});
}

TEST_CASE("notifications: what waited for more than an hour is no news", "[api][notifications]") {
  Pushing app;
  app.send("alice", "general", "first");
  app.settle();
  const auto before = app.told("bob").size();
  outside().run("insert into push_queue (app_id, id, event, channels, messages, created_at) select app_id, gen_random_uuid(), 'message.new',"
                " array[channel_id], array[id], now() - interval '61 minutes' from messages where app_id = '" + app.uuid() + "'");
  CHECK(app.told("bob").size() == before);
}

TEST_CASE("notifications: nobody is told in another application, nor who left or is banned", "[api][notifications][tenancy]") {
  Pushing app, other;
  app.send("alice", "general", "ours");
  CHECK(app.told("bob") == Texts{"ours"});
  CHECK(other.told("bob").empty());
  REQUIRE(app.server().put("/v1/channels/messaging/general/bans/bob", Json::object()).status / 100 == 2);
  app.send("alice", "general", "banned");
  CHECK(app.told("bob") == Texts{"ours"});
  REQUIRE(app.server().del("/v1/channels/messaging/general/bans/bob").status == 204);
  REQUIRE(app.user("alice").del("/v1/channels/messaging/general/members/bob").status / 100 == 2);
  app.send("alice", "general", "left");
  CHECK(app.told("bob") == Texts{"ours"});
}

TEST_CASE("notifications: beyond the plan's limit devices are told nothing more", "[api][notifications][limits]") {
  Pushing app;
  REQUIRE(Service::get().operators().patch("/operator/v1/applications/" + app.id(), {{"set", {{"limits", {{"push", {{"hard", 1}}}}}}}}).status == 200);
  app.send("alice", "general", "one");
  CHECK(app.told("bob") == Texts{"one"});
  app.send("alice", "general", "two");
  CHECK(app.told("bob") == Texts{"one"});             // whichever node tells it
  CHECK(app.metered() == 1);
  const auto is_used_up = [&] {
    const auto limits = app.server().get("/v1/limits").body["limits"];
    return std::ranges::any_of(limits, [](const auto& limit) { return limit["meter"] == "push" && limit["state"] == "blocked"; });
  };
  eventually("every node says so, after its next flush", [&] { return is_used_up() && is_used_up(); }, std::chrono::seconds(20));
}

TEST_CASE("notifications: without push in the plan nobody is told, whatever devices there are", "[api][notifications][limits]") {
  Pushing app;
  const auto plan = "quiet-" + app.id().substr(4);
  auto operators = Service::get().operators();
  REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "Q"}, {"limits", Json::array()}, {"features", {{"push", false}}}}).status == 200);
  REQUIRE(operators.patch("/operator/v1/applications/" + app.id(), {{"set", {{"plan", plan}}}}).status == 200);
  const auto is_known = [&] { return app.server().get("/v1/limits").body["plan"] == plan; };
  eventually("every node knows the plan", [&] { return is_known() && is_known(); });
  app.send("alice", "general", "one");
  CHECK(app.told("bob").empty());
  CHECK(app.metered() == 0);
}
