#include <catch2/catch.hpp>
#include <algorithm>

#include "tests/api/cli/pseudo_terminal.h"
#include "tests/api/cli/real.h"

// The program itself on a terminal of its own, against a whole chatd.
namespace chat::test {
namespace {

constexpr const char* kCtrlC = "\x03";

struct Seat {
  Real real{"tty-"};

  Seat() {
    real.create();
    real.stage.environment["TERM"] = "xterm";
    real.stage.environment["LANG"] = "C.UTF-8";
  }
  PseudoTerminal at(const std::vector<std::string>& words) {
    std::vector<std::string> all{CHATCTL};
    all.insert(all.end(), words.begin(), words.end());
    return {all, real.stage.environment};
  }
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("chatctl at a terminal: a severe act asks for the name and takes no other", "[api][cli]") {
  Seat seat;
  {
    auto terminal = seat.at({"app", "delete", seat.real.name, "--yes"});
    terminal.wait_for("Type " + seat.real.name + " to go on: ");
    terminal.type("another\n");
    CHECK(terminal.wait_end() == 1);
    CHECK(holds(terminal.seen(), "that is another name; not done"));
  }
  CHECK(seat.real.show().at("status") == "active");
  auto terminal = seat.at({"app", "delete", seat.real.name});
  terminal.wait_for("to go on: ");
  terminal.type(seat.real.name + "\n");
  CHECK(terminal.wait_end() == 0);
  CHECK(seat.real.show().at("status") == "deleting");
}

TEST_CASE("chatctl at a terminal: long work draws a bar and takes it away at the end", "[api][cli]") {
  Seat seat;
  seat.real.ok("user set alice");
  auto terminal = seat.at({"user", "export", "alice", "--out-file", "alice.ndjson"});
  CHECK(terminal.wait_end() == 0);
  INFO(terminal.seen());
  CHECK(holds(terminal.seen(), "downloading ["));
  CHECK(holds(terminal.seen(), "########################\x1b[0m] 100 %  1 of 1 parts\x1b[K"));
  CHECK(holds(terminal.seen(), " bytes written to alice.ndjson"));
  CHECK(holds(seat.real.stage.read("alice.ndjson"), R"("alice")"));
  const auto piped = seat.real.stage.run_line("user export alice --out-file again.ndjson");
  CHECK(holds(piped.err, "downloading: 1 of 1 parts\n"));
  CHECK(!holds(piped.err, "\r"));
}

TEST_CASE("chatctl at a terminal: Ctrl-C at a hidden question gives the echo back", "[api][cli]") {
  Seat seat;
  auto terminal = seat.at({"context", "add", "here", "--token-stdin"});
  terminal.wait_for("Operator token: ");
  CHECK(!terminal.echoes());
  terminal.type(kCtrlC);
  CHECK(terminal.wait_end() == 130);
  CHECK(terminal.echoes());
  CHECK(!holds(seat.real.ok("context list -o name"), "here"));
}

TEST_CASE("chatctl at a terminal: --watch redraws until Ctrl-C", "[api][cli]") {
  Seat seat;
  auto terminal = seat.at({"app", "show", seat.real.name, "--watch", "--interval", "500ms"});
  terminal.wait_for("\x1b[2J\x1b[H");
  terminal.wait_for("\x1b[J\x1b[H");  // a second round over the first
  terminal.type(kCtrlC);
  CHECK(terminal.wait_end() == 130);
  CHECK(terminal.echoes());
}

TEST_CASE("chatctl at a terminal: top goes on until Ctrl-C and fits the window", "[api][cli]") {
  Seat seat;
  seat.real.ok("user set alice");
  auto terminal = seat.at({"top", "--interval", "500ms"});
  terminal.wait_for(" sends/s, ");
  terminal.wait_for("\x1b[J\x1b[H");
  terminal.type(kCtrlC);
  CHECK(terminal.wait_end() == 130);
  std::size_t lines = 0, most = 0;
  for (std::size_t at = 0; at < terminal.seen().size(); ++at) {
    if (terminal.seen().compare(at, 3, "\x1b[H") == 0) lines = 1;
    if (terminal.seen()[at] == '\n') most = std::max(most, ++lines);
  }
  CHECK(most > 1);
  CHECK(most <= 24);  // rows of the terminal
}

}  // namespace chat::test
