#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/line/command.h"
#include "cli/run.h"
#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "tests/api/cli/stage.h"

namespace chat::test {
namespace {

bool asked(const Stage& stage, const std::string& request) {
  return std::find(stage.api.asked.begin(), stage.api.asked.end(), request) != stage.api.asked.end();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("chatctl: every verb has an example in its help", "[api][cli]") {
  cli::CommandLine line;
  cli::add_all(line);
  for (const auto& [noun, meaning] : line.offer({""}).words) {
    const auto verbs = line.offer({noun, ""}).words;
    const auto help = line.help_for({noun});
    const bool is_noun = holds(help, "\nVerbs:\n");
    if (!is_noun) CHECK(holds(help, "\nExamples:\n"));
    for (const auto& [verb, what] : verbs) {
      if (!is_noun) continue;
      INFO(noun << " " << verb);
      CHECK(holds(line.help_for({noun, verb}), "\nExamples:\n"));
    }
  }
}

TEST_CASE("chatctl: no help line is wider than 80 columns", "[api][cli]") {
  cli::CommandLine line;
  cli::add_all(line);
  for (const auto& [noun, meaning] : line.offer({""}).words) {
    std::istringstream lines(line.help_for({noun}));
    for (std::string text; std::getline(lines, text);) {
      INFO(text);
      CHECK((text.size() <= 80 || text.rfind("  chatctl ", 0) == 0));
    }
  }
}

TEST_CASE("chatctl: a flag beats the environment, which beats the context", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.environment = {{"XDG_CONFIG_HOME", (stage.folder / "config").string()}};
  stage.write("context-token", "from-context\n");
  REQUIRE(
      stage.run_line("context add here --server http://context --token-file context-token --app context-app")
          .exit == 0);
  (void)stage.run_line("app show");
  CHECK(stage.api.opened.back().server == "http://context");
  CHECK(asked(stage, "GET /operator/v1/applications/context-app"));
  stage.environment["CHATCTL_SERVER"] = "http://variable";
  stage.environment["CHATCTL_APP"] = "variable-app";
  (void)stage.run_line("app show");
  CHECK(stage.api.opened.back().server == "http://variable");
  CHECK(asked(stage, "GET /operator/v1/applications/variable-app"));
  (void)stage.run_line("app show --server http://flag --app flag-app");
  CHECK(stage.api.opened.back().server == "http://flag");
  CHECK(asked(stage, "GET /operator/v1/applications/flag-app"));
  (void)stage.run_line("app show named --app flag-app");
  CHECK(asked(stage, "GET /operator/v1/applications/named"));
}

TEST_CASE("chatctl: a name goes into the path encoded", "[api][cli]") {
  Stage stage;
  (void)stage.run({"app", "show", "a/../b ü?"});
  CHECK(asked(stage, "GET /operator/v1/applications/a%2F..%2Fb%20%C3%BC%3F"));
}

TEST_CASE("chatctl: what is sent is what was asked for", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  (void)stage.run_line("app update acme --limit messages.hard=20 --limit connections.hard=5");
  CHECK(asked(
      stage,
      R"(PATCH /operator/v1/applications/acme {"set":{"limits":{"connections":{"hard":5},"messages":{"hard":20}}},"if_updated_at":"2026-11-21T09:00:00.000000Z"})"));
  (void)stage.run_line("app update acme --limit messages.hard=");
  CHECK(asked(stage, R"(PATCH /operator/v1/applications/acme {"set":{"limits":{}},"if_updated_at":"2026-11-21T09:00:00.000000Z"})"));
  (void)stage.run_line("app update acme --settings - < outbox: true");
  CHECK(asked(stage, R"(PATCH /operator/v1/applications/acme {"set":{"settings":{"outbox":true}}})"));
  (void)stage.run_line("key rotate --app acme --grace 36h");
  CHECK(asked(stage, R"(POST /operator/v1/applications/acme/secrets {"expire_others_in_s":129600})"));
  (void)stage.run_line("token create --app acme --user alice --ttl 90m");
  CHECK(asked(stage, R"(POST /operator/v1/applications/acme/tokens {"user_id":"alice","ttl_s":5400})"));
  (void)stage.run_line("token revoke --app acme --user eve --before 2026-11-21T00:00:00Z --yes");
  CHECK(asked(
      stage,
      R"(POST /operator/v1/applications/acme/revoke_tokens {"user_id":"eve","before":"2026-11-21T00:00:00Z"})"));
  (void)stage.run_line("token revoke --app acme --token-id phone-7 --expires 2026-12-24T12:00:00Z --yes");
  CHECK(asked(
      stage,
      R"(POST /operator/v1/applications/acme/revoke_tokens {"token_id":"phone-7","expires_at":"2026-12-24T12:00:00Z"})"));
  const auto sent = stage.api.asked.size();
  for (const auto* line : {"token revoke --app acme --token-id phone-7 --user eve --yes", "token revoke --app acme --expires 2026-12-24T12:00:00Z --yes",
                           "token revoke --app acme --token-id phone-7 --expires soon --yes"})
    CHECK(stage.run_line(line).exit == 2);
  CHECK(stage.api.asked.size() == sent);
}

TEST_CASE("chatctl: without a yes nothing dangerous is sent", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  for (const auto* line :
       {"app suspend acme --reason x", "app delete acme --yes", "app delete acme --confirm globex",
        "key delete sec_1 --app acme", "token revoke --app acme", "plan delete free"}) {
    INFO(line);
    CHECK(stage.run_line(line).exit == 2);
  }
  for (const auto& request : stage.api.asked) CHECK(request.rfind("GET ", 0) == 0);
}

TEST_CASE("chatctl: at a terminal it asks, and takes only a clear answer", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.terminal = true;
  CHECK(stage.run_line("app suspend acme --reason x < n").exit == 1);
  CHECK(stage.run_line("app suspend acme --reason x < perhaps").exit == 1);
  CHECK(stage.run_line("app delete acme < yes").exit == 1);
  for (const auto& request : stage.api.asked) CHECK(request.rfind("GET ", 0) == 0);
  CHECK(stage.run_line("app suspend acme --reason x --no-input < y").exit == 2);
  CHECK(stage.run_line("app suspend acme --reason x < y").exit == 0);
  const auto deleted = stage.run_line("app delete acme < acme");
  CHECK(deleted.exit == 0);
  CHECK(asked(stage, "DELETE /operator/v1/applications/app_01kam7xm00f9z8y2c4d6e8g0h2"));
}

TEST_CASE("chatctl: a secret for a file reaches the file and nothing else", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  const auto seen = stage.run_line("app create acme --plan free --out-file new.secret -o json");
  CHECK(seen.exit == 0);
  CHECK(stage.read("new.secret") == "sk_abc\n");
  CHECK(!holds(seen.out + seen.err, "sk_abc"));
  const auto again = stage.run_line("app create acme --plan free --out-file new.secret");
  CHECK(holds(again.out, "sk_abc"));
  CHECK(holds(again.err, "exists already"));
}

TEST_CASE("chatctl: a token signed offline is what the secret signs", "[api][cli]") {
  Stage stage;
  stage.write("secret", "sk_abc\n");
  const auto seen =
      stage.run_line("token create --user alice --secret-file secret --api-key key_1 --ttl 1h -o name");
  REQUIRE(seen.exit == 0);
  CHECK(stage.api.asked.empty());
  const auto token = seen.out.substr(0, seen.out.size() - 1);
  const auto last = token.rfind('.');
  CHECK(crypto::parse_base64url(token.substr(last + 1)) ==
        crypto::hmac_sha256("sk_abc", token.substr(0, last)));
  const auto first = token.find('.');
  CHECK(crypto::parse_base64url(token.substr(first + 1, last - first - 1)) ==
        R"({"user_id":"alice","iat":1795262400,"exp":1795266000})");
}

TEST_CASE("chatctl: foreign text can't steer the terminal", "[api][cli]") {
  Stage stage;
  stage.api.on(
      "GET", "/operator/v1/applications/evil", 200,
      R"({"application":{"app_id":"app_1","name":"\u001b]0;owned\u0007\u009b31m\u202e","status":"active"}})");
  const auto seen = stage.run_line("app show evil");
  CHECK(seen.exit == 0);
  CHECK(holds(seen.out, R"(\x1b]0;owned\x07\x9b31m\u202e)"));
  CHECK(!holds(seen.out, "\x1b"));
}

TEST_CASE("chatctl: colour only where it is wanted", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  CHECK(!holds(stage.run_line("app list").out, "\x1b["));
  stage.environment["FORCE_COLOR"] = "1";
  CHECK(holds(stage.run_line("app list").out, "\x1b[32mactive"));
  CHECK(!holds(stage.run_line("app list --no-color").out, "\x1b["));
  CHECK(!holds(stage.run_line("app list -o csv").out, "\x1b["));
  stage.environment["NO_COLOR"] = "1";
  CHECK(!holds(stage.run_line("app list").out, "\x1b["));
}

TEST_CASE("chatctl: a broken contexts file is named by line and not overwritten", "[api][cli]") {
  Stage stage;
  REQUIRE(stage.run_line("context add here --server http://127.0.0.1:1").exit == 0);
  stage.write("config/chatctl/config.yaml", "current: here\ncontexts:\n  here:\n    servr: http://x\n");
  const auto unknown = stage.run_line("context list");
  CHECK(unknown.exit == 1);
  CHECK(holds(unknown.err, "did you mean server?"));
  stage.write("config/chatctl/config.yaml", "current: here\ncontexts: {here: {server: a, server: b}}\n");
  const auto twice = stage.run_line("context add more --server http://127.0.0.1:1");
  CHECK(twice.exit == 1);
  CHECK(holds(twice.err, "config.yaml:2:"));
  CHECK(holds(stage.read("config/chatctl/config.yaml"), "server: b"));
}

TEST_CASE("chatctl: config check names every mistake with its line", "[api][cli]") {
  Stage stage;
  stage.write("chatd.yaml", "public:\n  prt: 80\n  port: many\n");
  const auto seen = stage.run_line("config check chatd.yaml --no-environment");
  CHECK(seen.exit == 1);
  CHECK(seen.out.empty());
  CHECK(holds(seen.err, "chatd.yaml:2:3"));
  CHECK(holds(seen.err, "public.prt"));
  CHECK(holds(seen.err, "did you mean"));
  CHECK(holds(seen.err, "chatd.yaml:3:"));
}

TEST_CASE("chatctl: config print tells where each value comes from and hides secrets", "[api][cli]") {
  Stage stage;
  stage.write("chatd.yaml", "public:\n  port: 9090\noperator:\n  token: " + std::string(43, 'x') +
                                "\ndatabase:\n  dsn: host=/run dbname=chat\nsecrets:\n  master_key: " +
                                crypto::base64(std::string(32, 'k')) + "\n");
  stage.environment["CHAT_PUBLIC__PORT"] = "9191";
  REQUIRE(stage.run_line("config check chatd.yaml --no-environment").err == "chatd.yaml is good\n");
  const auto bare = stage.run_line("config print chatd.yaml --no-environment -o csv");
  CHECK(holds(bare.out, "public.port,9090,chatd.yaml:2"));
  CHECK(!holds(bare.out, "xxx"));
  CHECK(holds(bare.out, "operator.token,********,"));
  CHECK(holds(stage.run_line("config print chatd.yaml -o csv").out, "public.port,9191,CHAT_PUBLIC__PORT"));
  const auto people = stage.run_line("config print chatd.yaml");
  CHECK(holds(people.out, "9191"));
  CHECK(!holds(people.out, "xxx"));
}

TEST_CASE("chatctl: a file that others can read is said so", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  std::filesystem::permissions(stage.folder / "token", std::filesystem::perms(0644));
  const auto seen = stage.run_line("app list -o name");
  CHECK(seen.exit == 0);
  CHECK(holds(seen.err, "chmod 600"));
}

TEST_CASE("chatctl: an export that takes longer than one waits goes on, and is fetched later", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  const std::string at = "/operator/v1/applications/app_1";
  std::string status = "running";
  stage.api.on("GET", "/operator/v1/applications/acme", 200, R"({"application":{"app_id":"app_1"}})");
  stage.api.on("POST", at + "/exports", 202, R"({"task":{"task_id":"task_1"}})");
  stage.api.on("GET", at + "/exports/task_1", [&status](const cli::ApiRequest&) {
    cli::ApiAnswer answer;
    answer.status = 200;
    answer.body = R"({"task":{"task_id":"task_1","status":")" + status + R"(","items":3,"parts":2}})";
    return answer;
  });
  for (const char* part : {"1", "2"}) stage.api.on("GET", at + "/exports/task_1/parts/" + part, 200, std::string("part ") + part + "\n");
  const auto file = (stage.folder / "acme.jsonl").string();
  const auto early = stage.run_line("app export acme --out-file " + file + " --wait 0s");
  CHECK(early.exit == 7);
  CHECK(holds(early.err, "still running after 0s"));
  CHECK(holds(early.err, "--task task_1"));
  CHECK(!std::filesystem::exists(file));
  status = "done";
  const auto begun = std::count(stage.api.asked.begin(), stage.api.asked.end(), "POST " + at + "/exports {}");
  CHECK(begun == 1);
  const auto fetched = stage.run_line("app export acme --out-file " + file + " --task task_1");
  CHECK(fetched.exit == 0);
  CHECK(stage.read("acme.jsonl") == "part 1\npart 2\n");
  CHECK(std::count(stage.api.asked.begin(), stage.api.asked.end(), "POST " + at + "/exports {}") == 1);
}

TEST_CASE("chatctl: an import that can't be brought is withdrawn, whatever the mistake; one that lasts is left to the service", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  const std::string at = "/operator/v1/applications/app_1/imports";
  stage.api.on("POST", at, 201, R"({"import":{"import_id":"imp_1"}})");
  stage.api.on("PUT", at + "/imp_1/parts/1", 200, "{}");
  stage.api.on("POST", at + "/imp_1/apply", 202, "{}");
  stage.api.on("GET", at + "/imp_1", 200, R"({"import":{"import_id":"imp_1","app_id":"app_1","status":"waiting"}})");
  stage.api.on("DELETE", at + "/imp_1", 204, "");
  const auto withdrawn = [&] { return std::count(stage.api.asked.begin(), stage.api.asked.end(), "DELETE " + at + "/imp_1"); };
  const std::string head = R"({"app_id":"app_1"})" "\n" R"({"table":"applications","row":{}})" "\n";
  for (const char* last : {R"({"end":true,"rows":many})", R"({"end":true,"rows":"many"})", "more"}) {
    INFO(last);
    const auto before = withdrawn();
    CHECK(stage.run_line("app import " + stage.write("acme.jsonl", head + last + "\n")).exit == 1);
    CHECK(withdrawn() == before + 1);
  }
  const auto before = withdrawn();
  const auto lasting = stage.run_line("app import --wait 0s " + stage.write("acme.jsonl", head + R"({"end":true,"rows":1})" "\n"));
  CHECK(lasting.exit == 7);
  CHECK(holds(lasting.err, "chatctl app show app_1"));
  CHECK(withdrawn() == before);
}

}  // namespace chat::test
