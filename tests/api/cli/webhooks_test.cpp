#include <catch2/catch.hpp>

#include <thread>

#include "tests/api/cli/stage.h"
#include "tests/support/hooked.h"

// chatctl's noun webhook against a whole chatd and a receiver on loopback.
namespace chat::test {
namespace {

struct Desk {
  TestApp app;
  Hooked hooked;
  Stage stage;

  Desk() {
    auto& node = Service::get().node();
    stage.real = true;
    stage.write("token", "operator-of-the-tests-0123456789\n");
    stage.environment["CHATCTL_SERVER"] = "http://127.0.0.1:" + std::to_string(node.operator_port());
    stage.environment["CHATCTL_PUBLIC"] = "http://127.0.0.1:" + std::to_string(node.public_port());
    stage.environment["CHATCTL_APP"] = app.id();
    app.add_users({"alice"});
    app.add_channel("general", {"alice"});
  }
  std::string ok(const std::string& line) {
    const auto seen = stage.run_line(line);
    INFO(line << "\n" << seen.out << seen.err);
    CHECK(seen.exit == 0);
    return seen.out;
  }
};

}  // namespace

TEST_CASE("chatctl and chatd: a webhook endpoint from create to delete", "[api][cli][webhooks]") {
  Desk desk;
  const auto made = Json::parse(desk.ok("webhook create --url " + desk.hooked.url("/chat") + " --event message.new --header 'X-Shop: one' --max-in-flight 4 -o json"));
  const std::string id = made["webhook_endpoint"]["id"], secret = made["secret"];
  CHECK(desk.ok("webhook list -o name") == id + "\n");
  CHECK(Json::parse(desk.ok("webhook show " + id + " -o json"))["max_in_flight"] == 4);
  desk.app.send("alice", "general", "hello");
  eventually("the delivery", [&] { return desk.hooked.all("message.new").size() == 1; }, std::chrono::seconds(20));
  const auto got = desk.hooked.all("message.new").at(0);
  CHECK(got.request.header("x-shop") == "one");
  eventually("the log", [&] { return desk.ok("webhook logs --outcome succeeded -o name") == got.id + "\n"; });
  const auto verify = [&](const std::string& body) {
    return desk.stage.run({"webhook", "verify", "--secret-file", desk.stage.write("hook.secret", secret + "\n"), "--id", got.id, "--timestamp", got.timestamp,
                           "--signature", got.signature}, body).exit;
  };
  CHECK(verify(got.body) == 0);
  CHECK(verify(got.body + " ") == 1);
  desk.ok("webhook trigger " + id + " --type channel.created");
  eventually("the test", [&] { return desk.hooked.all("channel.created").size() == 1; }, std::chrono::seconds(20));
  desk.ok("webhook replay " + id + " --event " + got.id);
  eventually("the replay", [&] { return desk.hooked.all("message.new").size() == 2; }, std::chrono::seconds(20));
  CHECK(Json::parse(desk.ok("webhook pause " + id + " -o json"))["state"] == "paused");
  CHECK(Json::parse(desk.ok("webhook disable " + id + " -o json"))["state"] == "disabled");
  CHECK(Json::parse(desk.ok("webhook resume " + id + " -o json"))["state"] == "active");
  CHECK(Json::parse(desk.ok("webhook replay " + id + " --which missed -o json"))["replayed"] == 0);
  CHECK(Json::parse(desk.ok("webhook update " + id + " --event channel.created -o json"))["events"] == Json{"channel.created"});
  CHECK(Json::parse(desk.ok("webhook rotate " + id + " --overlap 1h -o json"))["secret"] != secret);
  CHECK(desk.stage.run_line("webhook delete " + id).exit == 2);   // asks first
  desk.ok("webhook delete " + id + " --yes");
  CHECK(desk.stage.run_line("webhook show " + id).exit == 3);
}

TEST_CASE("chatctl and chatd: a replay of many goes on until all are on their way", "[api][cli][webhooks]") {
  Desk desk;
  const std::string id = Json::parse(desk.ok("webhook create --url " + desk.hooked.url() + " --event poll.closed -o json"))["webhook_endpoint"]["id"];
  desk.ok("webhook pause " + id);
  Probe(superuser_database().dsn).run(
      "insert into webhook_deliveries (app_id, endpoint_id, event_id, type, trigger, body, ordered, state, ended_at, created_at) "
      "select e.app_id, e.id, uuid7_floor(now() - s * interval '1 second'), 'poll.closed', 'event', '{}', false, 'succeeded', now(), now() "
      "from webhook_endpoints e, generate_series(1, 10500) s where e.app_id = '" + AppId::parse(desk.app.id())->text() + "'");
  const auto seen = desk.stage.run_line("webhook replay " + id + " --which all -o json");
  CHECK(Json::parse(seen.out) == Json{{"replayed", 10'500}, {"complete", true}});
  CHECK(seen.err.find("10000 deliveries so far") != std::string::npos);
  CHECK(desk.app.rows("webhook_deliveries", "state = 'pending'") == 10'500);
}

TEST_CASE("chatctl and chatd: events are passed on to a receiver on the desk, signed", "[api][cli][webhooks][ws]") {
  Desk desk;
  const auto key = webhook::make_key(webhook::Scheme::v1).text();
  const auto file = desk.stage.write("desk.secret", key + "\n");
  std::jthread sender([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested() && i < 200; ++i) {
      desk.app.send("alice", "general", "hello");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  const auto out = desk.ok("webhook listen --forward-to " + desk.hooked.url("/desk") + " --secret-file " + file + " --count 1 --for 20s");
  sender.request_stop();
  sender.join();
  CHECK(out.find("message.new  evt_") == 0);
  const auto got = desk.hooked.all("message.new").at(0);
  CHECK(got.path == "/desk");
  CHECK(webhook::verify(*webhook::parse_key(key), {got.id, got.timestamp, got.signature, got.body}, system_clock().now()) == "");
}

}  // namespace chat::test
