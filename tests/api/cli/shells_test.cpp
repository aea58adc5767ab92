#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>

#include "tests/api/cli/real.h"

// The shells themselves (Debian's bash, zsh, fish), loading what chatctl prints for them.
namespace chat::test {
namespace {

struct Shell {
  Real real{"shell-"};

  /// Completion asks the server for a second at most, which a busy machine may need: asked until the part is there.
  std::string offered(const std::string& program, const std::string& script, const std::string& part) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (true) {
      auto out = run(program, script);
      if (out.find(part) != std::string::npos || std::chrono::steady_clock::now() > end) return out;
    }
  }

  /// What a shell command prints, with chatctl on its PATH.
  std::string run(const std::string& program, const std::string& script) {
    const auto path = real.stage.write("script", script);
    std::string environment;
    for (const auto& [name, value] : real.stage.environment) environment += name + "='" + value + "' ";
    const std::string chatctl = CHATCTL;
    const auto folder = chatctl.substr(0, chatctl.rfind('/'));
    const auto line = "env -i PATH='" + folder + ":/usr/bin:/bin' HOME='" + real.stage.folder.string() + "' " +
                      environment + program + " '" + path + "'";
    auto* pipe = popen(line.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    char part[4096];
    for (std::size_t got = 0; (got = fread(part, 1, sizeof part, pipe)) > 0;) out.append(part, got);
    CHECK(pclose(pipe) == 0);
    return out;
  }
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string in_bash(const std::string& words, int at) {
  return "source <(chatctl completion bash)\nCOMP_WORDS=(chatctl " + words +
         ")\nCOMP_CWORD=" + std::to_string(at) + "\n_chatctl\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
}

std::string in_zsh(const std::string& words, int at) {
  return "compdef() { }\n_files() { print files }\n_describe() { print -l -- \"${(@P)2}\" }\n"
         "source <(chatctl completion zsh)\nwords=(chatctl " +
         words + ")\nCURRENT=" + std::to_string(at + 1) + "\n_chatctl || true\n";  // 1: nothing to offer
}

std::string in_fish(const std::string& line) {
  return "chatctl completion fish | source\ncomplete -C 'chatctl " + line + "'\n";
}

}  // namespace

TEST_CASE("chatctl: bash completes verbs, files and the server's names", "[api][cli]") {
  Shell shell;
  shell.real.create();
  CHECK(shell.run("bash --norc", in_bash("app sh", 2)) == "show\n");
  CHECK(shell.offered("bash --norc", in_bash("app show " + shell.real.name.substr(0, 14), 3), shell.real.name) == shell.real.name + "\n");
  CHECK(holds(shell.offered("bash --norc", in_bash("channel list --type ''", 4), "messaging\n"), "messaging\n"));
  shell.real.stage.environment["CHATCTL_SERVER"] = "http://127.0.0.1:1";
  CHECK(shell.run("bash --norc", in_bash("app show ''", 3)) == "\n");
}

TEST_CASE("chatctl: bash completes whatever the server has a name for", "[api][cli]") {
  Shell shell;
  auto& real = shell.real;
  real.create();
  const auto app = " --app " + real.name;
  const auto secret = Json::parse(real.ok("key show -o json" + app))["secrets"][0]["secret_id"].get<std::string>();
  real.ok("user set alice --name Alice" + app);
  const auto segment = Json::parse(real.ok("segment create Testers --target alice -o json" + app))["segment"]["id"].get<std::string>();
  const auto campaign =
      Json::parse(real.ok("campaign create Sale --sender alice --to alice --text Hi -o json" + app))["campaign"]["id"].get<std::string>();
  real.ok("blocklist set swearing --kind word" + app);
  real.ok("operator create " + real.name + " --role viewer --out-file operator.token");
  const auto offers = [&](const std::string& words, int at, const std::string& name) {
    INFO(words);
    CHECK(shell.offered("bash --norc", in_bash(words, at), name) == name + "\n");
  };
  const std::string with_app = "--app " + real.name + " ";
  offers(with_app + "segment show seg_", 5, segment);
  offers(with_app + "campaign show cmp_", 5, campaign);
  offers(with_app + "campaign create x --segment seg_", 7, segment);
  offers(with_app + "blocklist show sw", 5, "swearing");
  offers(with_app + "key expire sec", 5, secret);
  offers("operator revoke " + real.name.substr(0, 14), 3, real.name);
}

TEST_CASE("chatctl: zsh completes verbs and the server's names", "[api][cli]") {
  Shell shell;
  shell.real.create();
  CHECK(shell.run("zsh -f", in_zsh("app sh", 2)) == "show:Show one application\n");
  CHECK(holds(shell.offered("zsh -f", in_zsh("app show ''", 3), shell.real.name), shell.real.name + ":app_"));
  shell.real.stage.environment["CHATCTL_SERVER"] = "http://127.0.0.1:1";
  CHECK(shell.run("zsh -f", in_zsh("app show ''", 3)).empty());
}

TEST_CASE("chatctl: fish completes verbs and the server's names", "[api][cli]") {
  Shell shell;
  shell.real.create();
  CHECK(holds(shell.run("fish --no-config", in_fish("app sh")), "show\tShow one application\n"));
  CHECK(holds(shell.offered("fish --no-config", in_fish("app show " + shell.real.name.substr(0, 14)), shell.real.name),
              shell.real.name + "\tapp_"));
  shell.real.stage.environment["CHATCTL_SERVER"] = "http://127.0.0.1:1";
  CHECK(!holds(shell.run("fish --no-config", in_fish("app show ''")), "app_"));
}

}  // namespace chat::test
