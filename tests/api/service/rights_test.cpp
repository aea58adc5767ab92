#include <catch2/catch.hpp>

#include <set>

#include "tests/support/contract.h"
#include "tests/support/database.h"
#include "tests/support/service.h"

// Everything that the contract's catalogue has is told once, to whom it concerns; outsiders listen all the time.
using namespace chat;
using namespace chat::test;

namespace {

const std::string kGeneral = "/v1/channels/messaging/general";
const std::string kShow = "/v1/channels/livestream/show";

std::string at(std::chrono::milliseconds from_now) { return format_time(system_clock().now() + from_now); }
std::string path_of(const Json& message, const std::string& more = "") { return kMessages + "/" + message["id"].get<std::string>() + more; }

/// alice owns the channel, bob is a member; erin comes and goes. Each step is a noun.
struct World : TestApp {
  World() {
    add_users({"alice", "bob", "erin", "guest", "dave", "mallory"});
    add_channel("general", {"alice", "bob", "mallory"});
    REQUIRE(user("alice").put(kGeneral + "/bans/mallory", Json::object()).status == 200);
    REQUIRE(user("alice").post(kShow, {{"members", {"bob"}}}).status == 201);
    REQUIRE(server().put("/v1/commands/giphy", {{"description", "A picture"}}).status == 201);
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", {{"commands", {"giphy"}}}}}).status == 200);
  }
  Actor alice() { return user("alice"); }
  Actor bob() { return user("bob"); }

  void messages() {
    first = send("alice", "general", "one @bob", {{"mentions", {"bob"}}});
    alice().patch(path_of(first), {{"set", {{"text", "edited"}}}});
    send("bob", "general", "a reply", {{"parent_id", first["id"]}});
    alice().post(path_of(first, "/thread/read"));
    alice().post(path_of(first, "/pin"));
    const auto second = send("alice", "general", "two");
    alice().del(path_of(second));
    alice().post(path_of(second, "/undelete"));
    send("bob", "general", "/giphy cats");
    server().post(kGeneral + "/ephemeral_messages", {{"text", "psst"}, {"user_ids", {"bob"}}});
  }
  void reactions_and_reads() {
    bob().post(path_of(first, "/reactions"), {{"type", "clap"}});
    bob().post(path_of(first, "/reactions"), {{"type", "clap"}, {"score", 2}});
    bob().del(path_of(first, "/reactions/clap"));
    send("alice", "general", "read this");
    bob().post("/v1/delivered", {{"channels", {{{"cid", "messaging:general"}}}}});
    bob().post(kGeneral + "/read");
    bob().post(kGeneral + "/typing");
    bob().post(kGeneral + "/typing", {{"typing", false}});
    const auto shown = alice().post(kShow + "/messages", {{"text", "on air"}}).body["message"]["id"].get<std::string>();
    bob().post(kShow + "/messages/" + shown + "/reactions", {{"type", "clap"}});
  }
  void polls() {
    const auto poll = alice().post(kMessages, {{"poll", {{"question", "Now?"}, {"options", {"yes", "no"}}}}}).body["message"];
    bob().post(path_of(poll, "/poll/votes"), {{"options", {"1"}}});
    eventually("the votes are told", [&] {
      Service::get().node().run_job("tell_changed_polls");
      return rows("polls", "changed") == 0;
    });
    alice().post(path_of(poll, "/poll/close"));
  }
  void pending() {
    for (const char* how : {"approve", "reject"}) {
      const auto held = server().post(kMessages, {{"text", "may I?"}, {"user_id", "bob"}, {"pending", true}}).body["pending_message"];
      alice().post(kGeneral + "/pending_messages/" + held["id"].get<std::string>() + "/" + how);
    }
  }
  void invites() {
    const auto invite = [&] { alice().post(kGeneral + "/invites", {{"users", {"guest"}}}); };
    invite();
    alice().del(kGeneral + "/invites/guest");
    invite();
    user("guest").post(kGeneral + "/invite/reject");
    invite();
    user("guest").post(kGeneral + "/invite/accept");
  }
  void later() {
    bob().post(path_of(first, "/bookmark"), {{"note", "lunch"}, {"remind_at", at(std::chrono::milliseconds(300))}});
    const auto second = send("alice", "general", "to be forgotten");
    bob().post(path_of(second, "/bookmark"));
    bob().del(path_of(second, "/bookmark"));
    bob().put(kGeneral + "/draft", {{"message", {{"text", "I"}}}});
    bob().del(kGeneral + "/draft");
    const auto plan = [&](const char* who, std::chrono::milliseconds in) {
      auto planned = user(who).post(kGeneral + "/scheduled_messages", {{"message", {{"text", "later"}}}, {"send_at", at(in)}});
      CHECK(planned.status == 201);
      return planned.body["scheduled_message"]["id"].get<std::string>();
    };
    plan("bob", std::chrono::milliseconds(300));
    bob().del("/v1/scheduled_messages/" + plan("bob", std::chrono::hours(1)));
    alice().post(kGeneral + "/members", {{"members", {"erin"}}});
    plan("erin", std::chrono::milliseconds(500));
    alice().patch(kGeneral + "/members/erin", {{"role", "moderator"}});
    alice().del(kGeneral + "/members/erin");
  }
  void campaigns() {
    const auto make = [&](const char* text, Json more = Json::object()) {
      more.update({{"name", "n"}, {"sender_id", "alice"}, {"recipients", {"bob"}}, {"variants", {{{"text", text}}}}});
      const auto id = server().post("/v1/campaigns", more).body["campaign"]["id"].get<std::string>();
      server().post("/v1/campaigns/" + id + "/start");
      return "/v1/campaigns/" + id;
    };
    make("hello");
    make("{{data.missing}}");
    const auto late = make("later", {{"schedule", {{"at", at(std::chrono::hours(24)).substr(0, 16)}}}});
    server().post(late + "/pause");
    server().post(late + "/stop");
  }
  void channels_and_users() {
    alice().put(kGeneral + "/bans/guest", Json::object());
    alice().del(kGeneral + "/bans/guest");
    bob().patch(kGeneral + "/membership", {{"set", {{"muted", true}}}});
    alice().patch(kGeneral, {{"set", {{"name", "General"}}}});
    bob().patch("/v1/users/bob", {{"set", {{"name", "Bob"}}}});
    for (const char* relation : {"mutes", "blocks"}) {
      bob().post(std::string("/v1/users/bob/") + relation, {{"target_id", "erin"}});
      bob().del(std::string("/v1/users/bob/") + relation + "/erin");
    }
    add_channel("second", {"alice", "bob"});
    alice().post(kGeneral + "/truncate");
    alice().del("/v1/channels/messaging/second");
    server().post("/v1/users/erin/deactivate");
    server().post("/v1/users/erin/reactivate");
    server().del("/v1/users/erin");
  }
  void moderation() {
    const Json button{{"type", "order"}, {"actions", {{{"name", "buy"}, {"text", "Buy"}}}}};
    const auto said = bob().post(kMessages, {{"text", "Buy now!"}, {"attachments", {button}}}).body["message"];
    alice().post(path_of(said, "/actions"), {{"name", "buy"}});
    const auto item = user("guest").post(path_of(said, "/flag"), {{"reason", "spam"}}).status == 201 ? first_item() : Json();
    REQUIRE(item.is_string());
    const auto decide = [&](const char* action) {
      return alice().post("/v1/moderation/decisions", {{"item_ids", {item}}, {"action", action}, {"reason", "Once"}}).body["results"][0]["decision"]["decision_id"].get<std::string>();
    };
    alice().post("/v1/moderation/decisions/" + decide("warn") + "/undo", {{"reason", "a mistake"}});
    const auto appeal = bob().post("/v1/moderation/decisions/" + decide("warn") + "/appeal", {{"text", "It was a joke."}}).body["appeal"];
    alice().post("/v1/moderation/appeals/" + appeal["appeal_id"].get<std::string>() + "/decide", {{"decision", "refuse"}, {"answer", "It was none."}});
  }
  Json first_item() { return server().post("/v1/moderation/items/query").body["items"][0]["item_id"]; }
  /// A month of 2024 is billed, and what was sent by now is more than the plan's limit has included.
  void bills() {
    auto operators = Service::get().operators();
    const auto path = "/operator/v1/applications/" + id(), plan = "w-" + id().substr(4), of_app = " where app_id = '" + AppId::parse(id())->text() + "'";
    REQUIRE(operators.put("/operator/v1/plans/" + plan, {{"name", "Walked"}, {"currency", "EUR"}, {"price_month", 100}}).status == 200);
    REQUIRE(operators.post(path + "/plan", {{"plan", plan}}).status == 200);
    Probe(superuser_database().dsn).run("delete from plan_moves" + of_app + " and plan_id <> '" + plan + "'; update plan_moves set moved_at = '2024-05-01Z'" +
                                        of_app + "; update applications set created_at = '2024-05-01Z'" + of_app);
    REQUIRE(operators.post(path + "/statements", {{"month", "2024-05"}}).status == 201);
    REQUIRE(operators.patch(path, {{"set", {{"limits", {{"messages", {{"included", 1}}}}}}}}).status == 200);
  }
  Json first;
};

void note(WsClient& client, std::set<std::string>& types, std::chrono::milliseconds patience) {
  for (const auto& frame : client.drain(patience)) types.insert(frame["type"]);
}

std::set<std::string> catalogue() {
  std::set<std::string> types;
  for (const auto& [type, event] : Contract::get().document()["x-events"].items())
    if (!type.starts_with("webhook.") && !type.starts_with("push."))   // to the backend alone: webhooks_test.cpp and notifying_test.cpp listen
      types.insert(type);
  return types;
}

std::set<std::string> without(std::set<std::string> all, const std::set<std::string>& gone) {
  std::erase_if(all, [&](const auto& one) { return gone.contains(one); });
  return all;
}

}  // namespace

TEST_CASE("live: of all events that there are a stranger, a banned user and another application hear nothing", "[api][live][ws][tenancy]") {
  World world;
  TestApp other;
  other.add_users({"alice", "bob"});
  other.add_channel("general", {"alice", "bob"});
  auto alice = world.connect("alice"), bob = world.connect("bob"), guest = world.connect("guest"), backend = world.connect("");
  auto dave = world.connect("dave"), mallory = world.connect("mallory"), stranger = other.connect("bob"), rival = other.connect("");
  bob.send({{"type", "presence"}, {"user_ids", {"erin"}}});
  bob.wait_for("presence.done");
  auto erin = world.connect("erin");
  for (auto* client : {&alice, &bob}) client->send({{"type", "watch"}, {"cids", {"messaging:general", "livestream:show"}}});
  bob.wait_for("watch.done");
  world.messages();
  world.reactions_and_reads();
  world.polls();
  world.pending();
  world.invites();
  world.later();
  std::set<std::string> told;
  const auto listen = [&] {
    for (auto* client : {&alice, &bob, &guest, &backend, &erin}) note(*client, told, std::chrono::milliseconds(20));
  };
  eventually("the reminder, and both scheduled messages' end", [&] {
    for (const char* job : {"tell_due_reminders", "send_scheduled", "send_approved"}) Service::get().node().run_job(job);
    listen();
    return told.contains("reminder.due") && told.contains("schedule.sent") && told.contains("schedule.failed");
  }, std::chrono::seconds(20));
  bob.send({{"type", "unwatch"}, {"cids", {"messaging:general", "livestream:show"}}});
  eventually("the watchers", [&] { listen(); return told.contains("user.watching.stop") && told.contains("watchers.updated"); }, std::chrono::seconds(20));
  world.moderation();
  world.campaigns();
  eventually("both campaigns' end", [&] {
    Service::get().node().run_job("send_campaigns");
    listen();
    return told.contains("campaign.completed") && told.contains("campaign.failed");
  }, std::chrono::seconds(20));
  world.channels_and_users();
  world.bills();
  eventually("the limit", [&] {
    (void)world.server().get("/v1/limits");      // whoever asks has the new limits
    Service::get().node().run_job("flush_usage");
    listen();
    return told.contains("billing.limit.crossed");
  }, std::chrono::seconds(20));
  for (int i = 0; i < 100 && !without(catalogue(), told).empty(); ++i) listen();
  for (const auto& type : without(catalogue(), told)) FAIL_CHECK("nobody heard " << type << ": walk it, too");
  std::set<std::string> overheard;
  for (auto* outsider : {&dave, &mallory, &stranger, &rival}) note(*outsider, overheard, std::chrono::milliseconds(50));
  for (const auto& type : overheard) FAIL_CHECK("an outsider heard " << type);
}

TEST_CASE("live: a stranger and a banned user can't watch a channel, nor hear that it goes", "[api][live][ws]") {
  TestApp app;
  app.add_users({"alice", "bob", "dave", "mallory"});
  app.add_channel("general", {"alice", "bob", "mallory"});
  REQUIRE(app.user("alice").put(kGeneral + "/bans/mallory", Json::object()).status == 200);
  app.add_channel("other", {"alice", "mallory"});
  auto bob = app.connect("bob"), dave = app.connect("dave"), mallory = app.connect("mallory");
  app.send("alice", "other", "hello");                // mallory's numbers come in order: with these the ban's have been told
  while (hear(mallory, "notification.unread_changed")["data"]["total"] != 1) {}
  mallory.drain(std::chrono::milliseconds(50));
  for (auto* outsider : {&dave, &mallory}) {
    outsider->send({{"type", "watch"}, {"cids", {"messaging:general"}}});
    CHECK(outsider->wait_for("watch.done")["data"]["channels"].empty());
  }
  REQUIRE(app.user("alice").del(kGeneral).status == 204);
  CHECK(hear(bob, "channel.deleted")["cid"] == "messaging:general");
  for (auto* outsider : {&dave, &mallory})
    for (const auto& frame : outsider->drain(std::chrono::milliseconds(300))) FAIL_CHECK("heard " << frame["type"]);
}
