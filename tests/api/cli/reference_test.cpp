#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cli/line/command.h"
#include "cli/run.h"
#include "tests/api/cli/stage.h"

namespace chat::test {
namespace {

const std::filesystem::path kPage = std::filesystem::path(CHAT_GOLDEN_DIR) / "../../../../ops/docs/chatctl.md";

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("chatctl: the committed reference is what the command tree says", "[api][cli]") {
  Stage stage;
  const auto made = stage.run_line("reference").out;
  if (std::getenv("CHAT_UPDATE_GOLDEN") != nullptr) std::ofstream(kPage, std::ios::binary) << made;
  std::ifstream file(kPage, std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  const bool is_current = committed == made;  // the whole page in a failure's text helps nobody
  INFO("stale: run chatctl reference > ops/docs/chatctl.md");
  CHECK(is_current);
}

TEST_CASE("chatctl: every verb is in the reference with its examples", "[api][cli]") {
  Stage stage;
  const auto page = stage.run_line("reference").out;
  cli::CommandLine line;
  cli::add_all(line);
  for (const auto& command : line.commands()) {
    INFO(command.path);
    CHECK(holds(page, "# chatctl " + command.path + "\n"));
    for (const auto& example : command.examples) CHECK(holds(page, "\nchatctl " + example + "\n"));
  }
}

TEST_CASE("chatctl: man writes a page per command that says no troff by accident", "[api][cli]") {
  Stage stage;
  CHECK(stage.run_line("man --dir pages --dry-run").exit == 0);
  CHECK(!std::filesystem::exists(stage.folder / "pages"));
  REQUIRE(stage.run_line("man --dir pages").exit == 0);
  for (const auto* name : {"chatctl", "chatctl-app", "chatctl-user", "chatctl-doctor"}) {
    INFO(name);
    const auto page = stage.read(std::string("pages/") + name + ".1");
    CHECK(page.rfind(".TH CHATCTL", 0) == 0);
    for (const auto* section : {"\n.SH NAME\n", "\n.SH SYNOPSIS\n"}) CHECK(holds(page, section));
  }
  const auto app = stage.read("pages/chatctl-app.1");
  CHECK(holds(app, "\n.SS create\n"));
  CHECK(holds(app, "\nchatctl app create acme \\-\\-plan free\n"));
}

TEST_CASE("chatctl: --watch appends in a pipe, outlives a server that is away, and ends at Ctrl-C", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  int asked = 0;
  stage.api.on("GET", "/operator/v1/applications/acme/usage", [&asked](const cli::ApiRequest&) -> cli::ApiAnswer {
    if (++asked == 2) return {.status = 503, .body = "", .headers = {}};
    return {.status = 200, .body = R"({"month":"2026-11","plan":"free","meters":[],"days":[]})", .headers = {}};
  });
  stage.rounds = 2;
  const auto seen = stage.run_line("usage show --app acme --watch -o json");
  CHECK(seen.exit == 130);
  CHECK(asked == 3);
  CHECK(holds(seen.out, "}\n\nerror: "));
  CHECK(!holds(seen.out, "\x1b"));
  CHECK(stage.run_line("usage show --app acme --watch --interval 100ms").exit == 2);
  CHECK(stage.run_line("usage show --app nobody --watch").exit == 3);
}

TEST_CASE("chatctl: --dry-run reads, says what it would send, and sends nothing", "[api][cli]") {
  Stage stage;
  stage.environment["CHATCTL_PUBLIC"] = "http://127.0.0.1:8080";
  play_service(stage.api);
  for (const auto* line :
       {"user deactivate alice --app acme --dry-run", "app suspend acme --reason x --dry-run", "app delete acme --dry-run", "key create --app acme --dry-run",
        "plan delete free --dry-run", "--dry-run app create acme --plan free"}) {
    INFO(line);
    const auto seen = stage.run_line(line);
    CHECK(seen.exit == 0);
    CHECK(holds(seen.err, "dry run, nothing changed; would send "));
  }
  for (const auto& request : stage.api.asked) CHECK(request.rfind("GET ", 0) == 0);
  CHECK(stage.run_line("context add x --server http://x --dry-run").exit == 0);
  CHECK(stage.run_line("context show x").exit == 3);
}

TEST_CASE("chatctl: a chart is blocks where the locale has UTF-8, else ASCII", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  CHECK(holds(stage.run_line("usage chart messages --app acme").out, "2026-11-21 |####"));
  stage.environment["LANG"] = "de_DE.UTF-8";
  const auto blocks = stage.run_line("usage chart messages --app acme").out;
  CHECK(holds(blocks, "2026-11-21 │████"));
  CHECK(holds(blocks, "12 messages a day\n"));
  stage.environment["LC_ALL"] = "C";
  CHECK(holds(stage.run_line("usage chart messages --app acme").out, "2026-11-21 |####"));
}

}  // namespace chat::test
