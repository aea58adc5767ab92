#include <catch2/catch.hpp>
#include <map>
#include <regex>

#include "cli/line/command.h"
#include "cli/run.h"
#include "platform/base/webhook_signature.h"
#include "tests/api/cli/real.h"

// Every example of every verb, as the help, the man pages and ops/docs/chatctl.md show it, against a whole chatd. Each has an
// application of its own with the users, channels, messages, secrets and files that examples name. A verb that needs more has a
// line in kBefore.
namespace chat::test {
namespace {

/// What must be so before an example of this verb makes sense; lines of chatctl.
const std::map<std::string, std::vector<std::string>>& before() {
  static const std::map<std::string, std::vector<std::string>> kBefore = {
      {"app resume", {"app suspend acme --reason overdue --yes"}},
      {"app restore", {"app delete acme --confirm acme"}},
      {"app purge", {"app delete acme --confirm acme"}},
      {"app export", {"app suspend acme --reason moving --yes"}},
      {"app import",
       {"app suspend acme --reason moving --yes", "app export acme --out-file acme.jsonl", "app delete acme --confirm acme",
        "app purge acme --confirm acme", "context add new --server https://new.example.com"}},
      {"ban lift", {"ban add bob --app acme --yes"}},
      {"campaign pause", {"campaign start cmp_01m7yzmjq2e60tak362xesvjfr --app acme"}},
      {"campaign resume",
       {"campaign start cmp_01m7yzmjq2e60tak362xesvjfr --app acme", "campaign pause cmp_01m7yzmjq2e60tak362xesvjfr --app acme"}},
      {"campaign stop", {"campaign start cmp_01m7yzmjq2e60tak362xesvjfr --app acme"}},
      {"campaign resend", {"campaign start cmp_01m7yzmjq2e60tak362xesvjfr --app acme --wait"}},
      {"blocklist show", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist delete", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist entries", {"blocklist set swearing --app acme --kind word", "blocklist add swearing damn --app acme"}},
      {"blocklist add", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist remove", {"blocklist set swearing --app acme --kind word", "blocklist add swearing damn --app acme"}},
      {"blocklist import", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist export", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist use", {"blocklist set swearing --app acme --kind word"}},
      {"blocklist unuse", {"blocklist set swearing --app acme --kind word", "blocklist use swearing --app acme --type messaging"}},
      {"user reactivate", {"user deactivate alice --app acme --yes"}},
      {"limit clear", {"limit set messages --app acme --hard 100000"}},
      {"plan delete", {"plan apply -f trial.yaml"}},
      {"plan archive", {"plan apply -f trial.yaml"}},
      {"statement show", {"statement finalize --app acme --month 2026-10"}},
      {"statement void", {"statement finalize --app acme --month 2026-10"}},
      {"context use", {"context add prod --server https://ops.example.com"}},
      {"context show", {"context add prod --server https://ops.example.com"}},
      {"context remove", {"context add old-staging --server https://ops.example.com"}},
  };
  return kBefore;
}

/// An application as the examples speak of it, and what its ids really are.
class Scene {
 public:
  Scene() : real_("acme-") {
    real_.create();
    const auto application = real_.show();
    id_ = application.at("app_id");
    stand_for("key_01h455vb4pex5vsknk084sn02q", application.at("api_key"));
    real_.stage.write("owner.dsn", owner_database().dsn + "\n");
    stand_for("host=/run/postgresql dbname=chat user=chat_owner", owner_database().dsn);
    real_.stage.write("plans.yaml", kPlans);
    real_.stage.write("trial.yaml", "{plan_id: trial-2025, name: Trial, currency: EUR, price_month: 0}");
    real_.stage.write("words.csv", "entry,expires_at\ndamn,\n");
    real_.stage.write("rules.yaml", "rules: [{name: links, kind: links, then: flag}]");
    real_.stage.write("gold.yaml", "{name: Gold, currency: EUR, price_month: 9900}");
    real_.ok("plan apply -f plans.yaml");
    stand_for("ops/config/plans.yaml", "plans.yaml");
    real_.stage.write("chatd.yaml", "database:\n  dsn: host=/run dbname=chat\noperator:\n  token: " +
                                        std::string(43, 'x') + "\nsecrets:\n  master_key: " +
                                        "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n");
    stand_for("/etc/chatd/chatd.yaml", "chatd.yaml");
  }

  void people() {
    for (const auto* user : {"alice", "bob", "mallory"}) real_.ok(std::string("user set ") + user);
    real_.ok("channel create messaging:general --by alice --member bob");
    auto message = real_.ok("message send messaging:general hello --user alice -o name");
    message.pop_back();
    stand_for("msg_01m7yzmjq2e60tak362xesvjfr", message);
    message_ = message;
    real_.ok("team create red");
  }
  void segment() {
    auto segment = real_.ok("segment create Team --of users --target alice -o name");
    segment.pop_back();
    stand_for("seg_01m7yzmjq2e60tak362xesvjfr", segment);
  }
  /// Alice's message is flagged; with `decided` deleted, and with `appealed` she objects.
  void flagged(bool decided, bool appealed) {
    auto server = backend();
    REQUIRE(server.post("/v1/channels/messaging/general/messages/" + message_ + "/flag", {{"user_id", "bob"}, {"reason", "spam"}}).status == 201);
    const Json item = server.post("/v1/moderation/items/query").body.at("items").at(0).at("item_id");
    stand_for("mdi_01m7yzmjq2e60tak362xesvjfr", item);
    if (!decided) return;
    const auto made = server.post("/v1/moderation/decisions", {{"item_ids", {item}}, {"action", "delete"}});
    const std::string decision = made.body.at("results").at(0).at("decision").at("decision_id");
    stand_for("mdd_01m7yzmjq2e60tak362xesvjfr", decision);
    if (!appealed) return;
    const auto appeal = server.post("/v1/moderation/decisions/" + decision + "/appeal", {{"user_id", "alice"}, {"text", "A joke."}});
    REQUIRE(appeal.status == 201);
    stand_for("apl_01m7yzmjq2e60tak362xesvjfr", appeal.body.at("appeal").at("appeal_id"));
  }
  /// One that is sent again must have failed; one that is paused or stopped must not be over.
  void campaign(const std::string& command) {
    const bool is_late = command == "campaign pause" || command == "campaign resume" || command == "campaign stop";
    auto campaign = real_.ok(std::string("campaign create Hello --sender alice --to bob --text ") + (command == "campaign resend" ? "{{data.code}}" : "Hi") +
                             (is_late ? " --at " + format_time(system_clock().now() + std::chrono::hours(24)).substr(0, 16) : "") + " -o name");
    campaign.pop_back();
    stand_for("cmp_01m7yzmjq2e60tak362xesvjfr", campaign);
  }
  void secret() {
    stand_for("sec_01h455vb4pex5vsknk084sn02q",
              Json::parse(real_.ok("key create -o json")).at("secret").at("secret_id"));
  }
  void task() {
    const auto seen = real_.stage.run_line("user export alice");
    std::smatch found;
    REQUIRE(std::regex_search(seen.err, found, std::regex("task_[0-9a-z]{26}")));
    stand_for("task_01m7yzmjqcedqrb018tr4sjm6r", found.str());
  }
  /// What was purged is gone only after a job.
  void wait_until_gone() {
    eventually("nothing is left", [this] {
      Service::get().node().run_job("purge_deleted");
      return real_.fails("app show " + id_) == 3;
    });
  }
  void device() {
    const auto made = backend().post(
        "/v1/devices", {{"user_id", "alice"}, {"device_id", "3f1c"}, {"provider", "fcm"}, {"platform", "android"}, {"token", "cNpW3b1xQ7q"}});
    REQUIRE(made.status == 201);
  }
  void upload() {
    const auto begun = backend().post("/v1/uploads", {{"name", "a.txt"}, {"size_bytes", 5}});
    REQUIRE(begun.status == 201);
    stand_for("upl_01m7yzmjq2e60tak362xesvjfr", begun.body.at("upload").at("id"));
  }
  void endpoint() {
    const auto made = backend().post("/v1/webhooks/endpoints", {{"url", "http://127.0.0.1:65535/"}, {"events", {"message.*"}}});
    REQUIRE(made.status == 201);
    stand_for("whe_01m7yzmjq2e60tak362xesvjfr", made.body.at("webhook_endpoint").at("id"));
  }
  /// What webhook verify is asked about, signed now.
  void delivery() {
    const auto key = webhook::make_key(webhook::Scheme::v1);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(system_clock().now()).time_since_epoch().count();
    real_.stage.write("hook.secret", key.text() + "\n");
    real_.stage.write("body.json", "{}");
    stand_for("1795867200", std::to_string(seconds));
    stand_for("v1,…", webhook::sign(key, "evt_01m7yzmjqcedqrb018tr4sjm6r", seconds, "{}"));
  }

  Stage::Seen run(const std::string& line, bool is_new) {
    auto text = std::regex_replace(line, std::regex(R"(\bacme\b(?!\.))"),
                                   is_new ? real_.name + "-new" : real_.name);
    for (const auto& [name, value] : stand_ins_)
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
        text.replace(at, name.size(), value);
    auto words = split_words(text);
    words.emplace_back("--yes");
    return real_.stage.run(words);
  }
  Real& real() { return real_; }

 private:
  Actor backend() {
    auto token = real_.ok("token create --server-token -o name");
    token.pop_back();
    return {Service::get().port(),
            {{"X-API-Key", real_.show().at("api_key")}, {"Authorization", "Bearer " + token}}};
  }
  void stand_for(const std::string& name, const std::string& value) { stand_ins_.emplace_back(name, value); }

  static constexpr const char* kPlans =
      "plans:\n"
      "  free: {name: Free, currency: EUR, price_month: 0}\n"
      "  growth: {name: Growth, currency: EUR, price_month: 4900}\n";

  Real real_;
  std::string id_, message_;
  std::vector<std::pair<std::string, std::string>> stand_ins_;
};

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

/// What would run until Ctrl-C, or wait for what nobody sends, ends after a second.
std::string bounded(const cli::Command& command, const std::string& example) {
  if (command.path != "tail" && command.path != "webhook listen") return example;
  const auto length = example.find("--for ");
  return (length == std::string::npos ? example + " " : example.substr(0, length)) + "--for 1s";
}

void play(const cli::Command& command, const std::string& example) {
  INFO("chatctl " << example);
  Scene scene;
  const bool needs_people =
      example.find("alice") != std::string::npos || example.find("bob") != std::string::npos ||
      example.find("messaging:") != std::string::npos || example.find(" red") != std::string::npos ||
      example.find("msg_") != std::string::npos || example.find("seg_") != std::string::npos || example.find("cmp_") != std::string::npos ||
      begins(command.path, "task") || begins(command.path, "moderation");
  if (needs_people) scene.people();
  const auto names = [&](const char* prefix) { return example.find(prefix) != std::string::npos; };
  if (names("mdi_") || names("mdd_") || names("apl_")) scene.flagged(names("mdd_") || names("apl_"), names("apl_"));
  if (example.find("sec_") != std::string::npos) scene.secret();
  if (example.find("--secret-file acme.secret") != std::string::npos)
    scene.real().stage.write("acme.secret", scene.real().stage.read("app.secret"));
  if (begins(command.path, "task")) scene.task();
  if (begins(command.path, "upload")) scene.upload();
  if (example.find("whe_") != std::string::npos) scene.endpoint();
  if (command.path == "webhook verify") scene.delivery();
  if (example.find("seg_") != std::string::npos) scene.segment();
  if (example.find("cmp_") != std::string::npos) scene.campaign(command.path);
  if (example.find("3f1c") != std::string::npos) scene.device();
  if (const auto found = before().find(command.path); found != before().end())
    for (const auto& line : found->second) REQUIRE(scene.run(line, false).exit == 0);
  if (command.path == "app import") scene.wait_until_gone();
  const auto seen = scene.run(bounded(command, example), command.path == "app create");
  INFO(seen.out << seen.err);
  CHECK(seen.exit == 0);
}

}  // namespace

TEST_CASE("chatctl: every example of every verb does what it says, against a real chatd", "[api][cli]") {
  cli::CommandLine line;
  cli::add_all(line);
  const auto commands = line.commands();
  REQUIRE(commands.size() > 50);
  for (const auto& command : commands) {
    INFO(command.path);
    CHECK(!command.examples.empty());
    for (const auto& example : command.examples) {
      CHECK(begins(example, command.path.substr(0, command.path.find(' '))));
      play(command, example);
    }
  }
}

}  // namespace chat::test
