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

TEST_CASE("chatctl at a terminal: a review shows the evidence and does what a key says", "[api][cli]") {
  Seat seat;
  for (const char* user : {"alice", "bob", "mallory"}) seat.real.ok(std::string("user set ") + user);
  seat.real.ok("channel create messaging:general --by alice --member bob --member mallory");
  auto token = seat.real.ok("token create --server-token -o name");
  token.pop_back();
  Actor backend{Service::get().port(), {{"X-API-Key", seat.real.show().at("api_key")}, {"Authorization", "Bearer " + token}}};
  const auto flag = [&](const std::string& text, const char* reason) {
    auto id = seat.real.ok("message send messaging:general \"" + text + "\" --user mallory -o name");
    id.pop_back();
    REQUIRE(backend.post("/v1/channels/messaging/general/messages/" + id + "/flag", {{"user_id", "bob"}, {"reason", reason}}).status == 201);
  };
  flag("hate first", "hate");
  flag("buy now", "spam");
  const auto refused = seat.real.stage.run_line("moderation review --no-input");
  CHECK(refused.exit == 2);
  CHECK(holds(refused.err, "chatctl moderation decide"));
  CHECK(seat.real.stage.run_line("moderation review").exit == 2);       // no terminal to ask at
  {
    auto terminal = seat.at({"moderation", "review"});
    terminal.wait_for("1/2  message in messaging:general by mallory");
    terminal.wait_for("hate first");
    terminal.type("x\n");
    terminal.wait_for("one of adbesq");
    terminal.type("d\n");
    terminal.wait_for("delete decided");
    terminal.wait_for("buy now");
    terminal.type("s\n");
    terminal.wait_for("1 decided, 1 skipped");
    CHECK(terminal.wait_end() == 0);
  }
  CHECK(holds(seat.real.ok("message list messaging:general"), "buy now"));
  CHECK(!holds(seat.real.ok("message list messaging:general"), "hate first"));
  auto again = seat.at({"moderation", "review"});
  again.wait_for("1/1  message");
  again.type("e\n");
  again.wait_for("escalate decided");
  CHECK(again.wait_end() == 0);
  auto last = seat.at({"moderation", "review"});
  last.wait_for("1/1  message");
  last.type("q\n");
  CHECK(last.wait_end() == 0);
  CHECK(holds(last.seen(), "0 decided, 0 skipped"));
  CHECK(holds(seat.real.ok("moderation list"), "escalated"));
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
