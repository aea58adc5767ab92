#include <catch2/catch.hpp>
#include <future>

#include "tests/api/cli/real.h"

// chatctl against a whole chatd: that what one sends, the other understands, and that the answers have the
// shapes shown.
namespace chat::test {
namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("chatctl and chatd: an application's life from create to delete", "[api][cli]") {
  Real real;
  real.create();
  const auto id = real.show().at("app_id").get<std::string>();
  CHECK(real.show().at("status") == "active");
  real.ok("app update " + real.name + " --limit messages.hard=5 --limit connections.hard=7");
  real.ok("app update " + real.name + " --limit messages.hard=");
  CHECK(real.show().at("limits") == Json{{"connections", {{"hard", 7}}}});
  real.ok("app suspend " + real.name + " --reason overdue --yes");
  CHECK(real.show().at("status_reason") == "overdue");
  real.ok("app resume " + real.name);
  CHECK(holds(real.ok("app list -o name"), id));
  CHECK(real.fails("app update " + real.name + " --plan no-such-plan") == 1);
  CHECK(real.fails("app show no-such-application") == 3);
  real.ok("app set " + real.name + " --set guests=true --set search_language=german");
  real.ok("app set " + real.name + " --unset guests");
  CHECK(real.show().at("settings") == Json{{"search_language", "german"}});
  real.ok("app update " + real.name + " --organisation " + real.name + " --environment production --label cluster=eu-1 --contact 'Ada <ada@acme.example> billing'");
  CHECK(real.show().at("contacts") == Json::array({{{"name", "Ada"}, {"email", "ada@acme.example"}, {"role", "billing"}}}));
  real.ok("app clone " + real.name + " " + real.name + "-dev --environment development --out-file dev.secret");
  CHECK(Json::parse(real.ok("app list --organisation " + real.name + " -o json")).size() == 2);
  real.ok("app delete " + real.name + " --confirm " + real.name);
  CHECK(real.show().at("status") == "deleting");
  real.ok("app restore " + real.name);
  CHECK(real.show().at("status") == "active");
  CHECK(real.fails("app purge " + real.name + " --confirm " + real.name) == 5);
  real.ok("app delete " + real.name + " --confirm " + real.name);
  real.ok("app purge " + real.name + " --confirm " + real.name);
  eventually("nothing is left", [&] {
    Service::get().node().run_job("purge_deleted");
    return real.fails("app show " + id) == 3;
  });
}

TEST_CASE("chatctl and chatd: keys are made, rotated and deleted", "[api][cli]") {
  Real real;
  real.create();
  const auto made = Json::parse(real.ok("key create -o json"));
  real.ok("key rotate --grace 1h");
  auto secrets = Json::parse(real.ok("key show -o json")).at("secrets");
  CHECK(secrets.size() == 3);
  const auto secret_id = made.at("secret").at("secret_id").get<std::string>();
  real.ok("key expire " + secret_id + " --in 1h");
  real.ok("key delete " + secret_id + " --yes");
  CHECK(real.fails("key delete " + secret_id + " --yes") == 3);
  CHECK(Json::parse(real.ok("key show -o json")).at("secrets").size() == 2);
}

TEST_CASE("chatctl and chatd: a token signed offline is accepted, and dead once revoked", "[api][cli]") {
  Real real;
  real.create();
  const auto key = real.show().at("api_key").get<std::string>();
  auto token =
      real.ok("token create --user alice --secret-file app.secret --ttl 1h -o name --api-key " + key);
  token.pop_back();
  const auto status = [&](const std::string& with) {
    Actor actor(Service::get().port(), {{"X-API-Key", key}, {"Authorization", "Bearer " + with}});
    return actor.get("/v1/unread").status;
  };
  auto from_api = real.ok("token create --server-token -o name");
  from_api.pop_back();
  Actor server(Service::get().port(), {{"X-API-Key", key}, {"Authorization", "Bearer " + from_api}});
  REQUIRE(server.post("/v1/users", {{"users", {{{"user_id", "alice"}}}}}).status == 200);
  CHECK(status(token) == 200);
  real.ok("token revoke --user alice --before " +
          format_time(system_clock().now() + std::chrono::minutes(1)) + " --yes");
  eventually("the token is dead", [&] { return status(token) == 401; });
}

TEST_CASE("chatctl and chatd: plan apply changes once and then nothing", "[api][cli]") {
  Real real;
  const std::string plan =
      "{plan_id: cli-apply, name: N, currency: EUR, price_month: 0, price_year: 0, features: {}, "
      "limits: [{meter: messages, window: month, included: 1, hard: 2, action: block}]}";
  real.stage.write("plan.yaml", plan);
  real.ok("plan apply -f plan.yaml");
  CHECK(Json::parse(real.ok("plan apply -f plan.yaml -o json")).at(0).at("result") == "unchanged");
  CHECK(holds(real.ok("plan list -o name"), "cli-apply\n"));
  real.stage.write("bad.yaml", "{plan_id: cli-bad, name: '', limits: [{meter: nonsense}]}");
  const auto bad = real.stage.run_line("plan apply -f bad.yaml");
  CHECK(bad.exit == 1);
  CHECK(holds(bad.err, "bad.yaml:1: cli-bad/limits/0/meter: Unknown meter: nonsense."));
  real.ok("plan delete cli-apply --yes");
  CHECK(real.fails("plan show cli-apply") == 3);
}

TEST_CASE("chatctl and chatd: tail prints what is sent while it listens", "[api][cli]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  Real real;
  const auto url = "ws://127.0.0.1:" + std::to_string(Service::get().port()) + "/v1/connect";
  auto tail = std::async(std::launch::async, [&] {
    return real.stage.run_line("tail --app " + app.id() + " --ws-url " + url +
                               " --type message.new --count 1 --for 20s -o json");
  });
  eventually(
      "tail has seen a message",
      [&] {
        (void)app.send("alice", "general", "hello");
        return tail.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready;
      },
      std::chrono::seconds(20));
  const auto seen = tail.get();
  INFO(seen.err);
  REQUIRE(seen.exit == 0);
  const auto event = Json::parse(seen.out);
  CHECK(event.at("type") == "message.new");
  CHECK(event.at("data").at("message").at("text") == "hello");
}

TEST_CASE("chatctl and chatd: usage and doctor", "[api][cli]") {
  const auto today = test::today();
  Real real;
  real.create();
  const auto usage = Json::parse(real.ok("usage show -o json"));
  CHECK(usage.at("plan") == Service::kPlan);
  CHECK(holds(real.ok("usage show"), "messages"));
  CHECK(holds(real.ok("usage reconcile --day " + today), "active_users"));
  CHECK(Json::parse(real.ok("usage reconcile --day " + today + " -o json")).at("difference") == 0);
  CHECK(real.fails("usage reconcile --day 2026-11") == 2);
  real.ok("doctor");
  real.stage.write("token", "another-token\n");
  CHECK(real.fails("app list") == 4);
}

TEST_CASE("chatctl and chatd: an operator is made, acts under its own name, and is revoked; the audit's chain holds", "[api][cli]") {
  Real real;
  real.create();
  const auto name = real.name.substr(0, 60);
  real.ok("operator create " + name + " --role operator --out-file ines.token");
  real.stage.environment["CHATCTL_TOKEN_FILE"] = (real.stage.folder / "ines.token").string();
  real.ok("app suspend " + real.name + " --reason overdue --yes");
  CHECK(real.fails("operator create other --role viewer --out-file other.token") == 4);
  const auto entries = Json::parse(real.ok("audit list --app " + real.name + " --operator " + name + " -o json"));
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].at("action") == "application.suspend");
  CHECK(entries[0].at("after").at("status_reason") == "overdue");
  const auto verified = Json::parse(real.ok("audit verify -o json"));
  const auto anchor = std::to_string(verified.at("rows").get<int>()) + ":" + verified.at("hash").get<std::string>();
  real.ok("audit verify --anchor " + anchor);
  CHECK(real.fails("audit verify --anchor " + anchor.substr(0, anchor.find(':')) + ":" + std::string(64, 'a')) == 1);
  real.stage.environment["CHATCTL_TOKEN_FILE"] = (real.stage.folder / "token").string();
  real.ok("operator revoke " + name + " --yes");
  real.stage.environment["CHATCTL_TOKEN_FILE"] = (real.stage.folder / "ines.token").string();
  CHECK(real.fails("app show " + real.name) == 4);
}

TEST_CASE("chatctl and chatd: top shows sends and errors of the application that makes them", "[api][cli]") {
  Real real;
  real.create();
  real.ok("user set alice");
  real.ok("channel create messaging:general --by alice");
  const auto send = [&] {
    real.ok("message send messaging:general hello --user alice");
    CHECK(real.fails("user show nobody") == 3);
  };
  for (int i = 0; i < 60; ++i) send();  // among the busiest since the start, which have series of their own
  Real looker;
  auto seen = std::async(std::launch::async, [&] { return looker.stage.run_line("top --interval 2s --limit 500 -o json"); });
  while (seen.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) send();
  const auto top = seen.get();
  REQUIRE(top.exit == 0);
  bool found = false;
  for (const auto& row : Json::parse(top.out)) {
    if (row.at("name") != real.name) continue;
    found = true;
    CHECK(row.at("sends_per_s").get<double>() > 0);
    CHECK(row.at("errors_per_s").get<double>() > 0);
    CHECK(row.at("calls_per_s").get<double>() >= row.at("sends_per_s").get<double>());
    CHECK(row.at("sockets") == 0);
  }
  CHECK(found);
}

TEST_CASE("chatctl and chatd: an application goes into a file and comes back from it, and a spoilt file leaves nothing", "[api][cli]") {
  Real real;
  real.create();
  const auto id = real.show().at("app_id").get<std::string>();
  const auto file = (real.stage.folder / "app.jsonl").string();
  CHECK(real.fails("app export " + real.name + " --out-file " + file) == 5);   // it is not suspended
  CHECK_FALSE(std::filesystem::exists(file));
  real.ok("app suspend " + real.name + " --reason moving --yes");
  real.ok("app export " + real.name + " --out-file " + file);
  CHECK(real.fails("app export " + real.name + " --out-file " + file) == 5);   // never over an existing file
  CHECK(real.fails("app import " + file) == 5);                                // it is here
  real.ok("app delete " + real.name + " --confirm " + real.name);
  real.ok("app purge " + real.name + " --confirm " + real.name);
  eventually("nothing is left", [&] {
    Service::get().node().run_job("purge_deleted");
    return real.fails("app show " + id) == 3;
  });
  const auto whole = real.stage.read("app.jsonl");
  const auto second = whole.find('\n') + 1;
  const auto cut = real.stage.run_line("app import " + real.stage.write("cut.jsonl", whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1)));
  CHECK(cut.exit == 1);
  CHECK(holds(cut.err, "without its last line: it was cut short"));
  const auto spoilt = real.stage.run_line("app import " + real.stage.write("spoilt.jsonl", whole.substr(0, second) + whole.substr(second + 1)));
  CHECK(spoilt.exit == 1);
  CHECK(holds(spoilt.err, "spoilt.jsonl:2: It is not JSON."));
  CHECK(real.stage.run_line("app import " + real.stage.write("odd.jsonl", "hello\n")).exit == 1);
  const auto numberless = real.stage.run_line("app import " + real.stage.write("numberless.jsonl", whole.substr(0, second) + "{\"end\":true,\"rows\":many}\n"));
  CHECK(numberless.exit == 1);
  CHECK(real.fails("app show " + id) == 3);
  real.ok("app import " + file);
  real.ok("app resume " + id);
  CHECK(real.show().at("status") == "active");
}

}  // namespace chat::test
