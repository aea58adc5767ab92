#include <catch2/catch.hpp>

#include "tests/support/contract.h"
#include "tests/support/hooked.h"

using namespace chat;
using namespace chat::test;

// What becomes of endpoints that do not fare well, and that nobody else notices.
namespace {

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
  }
  [[nodiscard]] std::string uuid() const { return AppId::parse(id())->text(); }
  Json logs(const std::string& query) { return server().get("/v1/webhooks/logs?" + query).body["webhook_logs"]; }
};

void run_sql(const std::string& statement) { Probe(superuser_database().dsn).run(statement); }

void wait_for(const Hooked& hooked, const std::string& type, std::size_t count = 1) {
  eventually(std::to_string(count) + " of " + type, [&] { return hooked.all(type).size() >= count; }, std::chrono::seconds(20));
  for (const auto& got : hooked.all(type))
    for (const auto& mistake : Contract::get().check_event(got.body)) FAIL_CHECK(mistake << " in " << got.body);
}

/// An endpoint that nothing is delivered to, whose attempts are noted as if they ended at the hours that the test says.
class Noted {
 public:
  explicit Noted(Room& room) : app_(room.uuid()) {
    subscribe(room, "https://example.com/", {{"events", {"poll.closed"}}});
    endpoint_ = probe_.value("select id from webhook_endpoints where app_id = '" + app_ + "' order by id desc limit 1");
    begin_ = probe_.value("select now()");
  }
  /// What its customer is told of it: "state reason percent"; empty: nothing.
  std::string note(double hour, bool fine = false) {
    const std::string at = "'" + begin_ + "'::timestamptz + interval '1 second' * " + std::to_string(static_cast<long>(hour * 3'600));
    return probe_.value("select state || ' ' || coalesce(reason, '-') || ' ' || warned from note_webhook_endpoints(" + at + ", '{" + app_ + "}', '{" + endpoint_ + "}', '{" +
                        (fine ? "1" : "0") + "}', '{" + (fine ? "0" : "1") + "}', '{f}')");
  }
  /// For how many seconds after this hour nothing is tried.
  std::string closed_after(double hour) {
    return probe_.value("select coalesce(round(extract(epoch from closed_until - '" + begin_ + "'::timestamptz) - " + std::to_string(static_cast<long>(hour * 3'600)) +
                        ")::text, 'open') from webhook_endpoints where app_id = '" + app_ + "' and id = '" + endpoint_ + "'");
  }
  [[nodiscard]] std::string state() {
    return probe_.value("select state from webhook_endpoints where app_id = '" + app_ + "' and id = '" + endpoint_ + "'");
  }

 private:
  Probe probe_{superuser_database().dsn};
  std::string app_, endpoint_, begin_;
};

using Told = std::vector<std::pair<int, std::string>>;   // at which hour, what

}  // namespace

TEST_CASE("webhooks: five days of failing are told at 50, 75 and 90 %, once each, and end the endpoint", "[api][webhooks]") {
  Room room;
  Noted endpoint(room);
  Told told;
  for (int hour = 0; hour <= 130; ++hour)
    if (const auto said = endpoint.note(hour); !said.empty()) told.emplace_back(hour, said);
  CHECK(told == Told{{61, "active - 50"}, {91, "active - 75"}, {109, "active - 90"}, {121, "disabled failing 90"}});
  CHECK(endpoint.state() == "disabled");
}

TEST_CASE("webhooks: one success begins the five days anew, and few failures in them end nothing", "[api][webhooks]") {
  Room room;
  Noted mended(room), rare(room);
  Told told;
  for (int hour = 0; hour <= 219; ++hour)
    if (const auto said = mended.note(hour, hour == 100); !said.empty()) told.emplace_back(hour, said);
  CHECK(told == Told{{61, "active - 50"}, {91, "active - 75"}, {162, "active - 50"}, {192, "active - 75"}, {210, "active - 90"}});   // failing again since 101
  CHECK(mended.state() == "active");
  told.clear();
  for (int hour = 0; hour <= 240; hour += 24)
    if (const auto said = rare.note(hour); !said.empty()) told.emplace_back(hour, said);
  CHECK(told == Told{{72, "active - 50"}, {96, "active - 75"}, {120, "active - 90"}, {216, "disabled failing 90"}});   // the tenth
}

TEST_CASE("webhooks: after five failures in a row nothing is tried for a while, then longer, ten minutes at most; one success ends that", "[api][webhooks]") {
  Room room;
  Noted endpoint(room);
  std::vector<std::string> closed;
  for (int i = 0; i < 18; ++i) {
    endpoint.note(i);
    closed.push_back(endpoint.closed_after(i));
  }
  CHECK(closed == std::vector<std::string>{"open", "open", "open", "open", "30", "30", "60", "60", "120", "120", "240", "240", "480", "480", "600", "600", "600", "600"});
  endpoint.note(18, true);
  CHECK(endpoint.closed_after(18) == "open");
}

TEST_CASE("webhooks: an endpoint whose key can't be read fails visibly until the key is rotated", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"message.new"}}, {"schedule_s", {2, 2, 2, 2, 2, 2, 2, 2, 2, 2}}});
  run_sql("update webhook_secrets set sealed = decode(repeat('00', 64), 'hex') where app_id = '" + room.uuid() + "'");   // as another master key's
  room.send("alice", "general", "unsigned");
  eventually("the log to say so", [&] { return !room.logs("outcome=key_unreadable").empty(); }, std::chrono::seconds(20));
  const auto failed = room.logs("outcome=key_unreadable").back();
  CHECK(failed["detail"] == "The endpoint's key or headers can't be read here; rotate the key and set the headers again.");
  CHECK(failed["attempt"] == 1);
  CHECK(hooked.all().empty());
  const auto rotated = room.server().post(endpoint.path("/rotate"), {{"overlap_s", 0}});
  REQUIRE(rotated.status == 200);
  wait_for(hooked, "message.new");
  CHECK(Subscribed{endpoint.id, rotated.body["secret"]}.verify(hooked.all().at(0)) == "");
}

TEST_CASE("webhooks: what can't be made of one application's events holds up no other's", "[api][webhooks][tenancy]") {
  Room broken, whole;                          // in the order in which they are claimed
  Hooked hooked, never;
  const auto bad = subscribe(broken, never.url(), {{"events", {"message.new"}}}), good = subscribe(whole, hooked.url(), {{"events", {"message.new"}}});
  for (auto* one : {&bad, &good}) REQUIRE((one == &bad ? broken : whole).server().post(one->path("/pause")).status == 200);
  for (auto* room : {&broken, &whole}) {
    room->send("alice", "general", "hello");
    eventually("it to wait", [&] { return room->rows("webhook_deliveries", "state = 'pending'") == 1; }, std::chrono::seconds(20));
  }
  run_sql("update webhook_deliveries set trigger = 'test', body = '{' where app_id = '" + broken.uuid() + "'");
  run_sql("update webhook_endpoints set state = 'active' where app_id in ('" + broken.uuid() + "', '" + whole.uuid() + "')");
  wait_for(hooked, "message.new");
  CHECK(never.all().empty());
  REQUIRE(broken.server().del(bad.path()).status == 204);
}

TEST_CASE("webhooks: an endpoint that takes one call at a time gets no more, from the first one on", "[api][webhooks]") {
  Room room;
  std::mutex mutex;
  std::vector<http::Responder> held;
  Hooked single([&](const Hooked::Got&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(respond));
  });
  Hooked quick;
  const auto one = subscribe(room, single.url(), {{"events", {"message.new"}}, {"max_in_flight", 1}, {"timeout_ms", 30000}});
  subscribe(room, quick.url(), {{"events", {"message.new", "message.updated"}}});
  REQUIRE(room.server().post(one.path("/pause")).status == 200);
  std::string last;
  for (int i = 0; i < 6; ++i) last = room.send("alice", "general", std::to_string(i))["id"];
  eventually("all to wait", [&] { return room.rows("webhook_deliveries", "state = 'pending'") == 6 && quick.all().size() == 6; }, std::chrono::seconds(20));
  REQUIRE(room.server().post(one.path("/resume")).status == 200);
  wait_for(single, "message.new");
  REQUIRE(room.user("alice").patch(kMessages + "/" + last, {{"set", {{"text", "changed"}}}}).status == 200);
  wait_for(quick, "message.updated");          // the workers have looked again
  CHECK(single.all().size() <= 2);             // one for each node
  REQUIRE(room.server().del(one.path()).status == 204);
  const std::lock_guard lock(mutex);
  for (auto& respond : held) respond(http::no_content());
}

TEST_CASE("webhooks: a test that is replayed is a test again", "[api][webhooks]") {
  Room room;
  Hooked hooked;
  const auto endpoint = subscribe(room, hooked.url(), {{"events", {"channel.*"}}});
  auto server = room.server();
  const std::string event = server.post(endpoint.path("/test"), {{"type", "message.new"}}).body["delivery"]["event_id"];
  const auto has_ended = [&](std::size_t attempts) {
    return [&, attempts] {
      const auto shown = server.get(endpoint.path("/deliveries/" + event)).body;
      return shown["attempts"].size() == attempts && shown["delivery"]["state"] != "pending";
    };
  };
  eventually("the test", has_ended(1), std::chrono::seconds(20));
  hooked.answer_with(500);
  const auto again = server.post(endpoint.path("/deliveries/" + event + "/replay"));
  CHECK(again.status == 202);
  CHECK(again.body["delivery"]["trigger"] == "test");
  eventually("the second", has_ended(2), std::chrono::seconds(20));
  wait_for(hooked, "message.new", 2);
  const auto got = hooked.all();
  CHECK(got.at(0).frame()["data"] == got.at(1).frame()["data"]);
  CHECK(got.at(0).id == got.at(1).id);
  CHECK(server.get(endpoint.path("/deliveries/" + event)).body["delivery"]["state"] == "failed");   // one attempt
  CHECK(room.rows("usage_metrics", "meter = 'webhook_deliveries'") == 0);
}
