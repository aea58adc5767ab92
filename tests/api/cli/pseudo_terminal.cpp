#include "tests/api/cli/pseudo_terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>

namespace chat::test {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

PseudoTerminal::PseudoTerminal(const std::vector<std::string>& words,
                               const std::map<std::string, std::string>& environment) {
  auto arguments = words;
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  const auto argv = pointers(arguments);
  const auto envp = pointers(variables);
  winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ == 0) {
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  REQUIRE(pid_ > 0);
}

PseudoTerminal::~PseudoTerminal() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

void PseudoTerminal::type(const std::string& text) {
  REQUIRE(write(terminal_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

bool PseudoTerminal::read_more() {
  pollfd one{terminal_, POLLIN, 0};
  if (poll(&one, 1, 100) <= 0) return true;
  char part[4096];
  const auto got = read(terminal_, part, sizeof part);
  if (got <= 0) return false;  // EIO: the process is gone and all is read
  seen_.append(part, static_cast<std::size_t>(got));
  return true;
}

void PseudoTerminal::wait_for(const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  bool more = true;
  while (seen_.find(text) == std::string::npos && more && std::chrono::steady_clock::now() < end)
    more = read_more();
  INFO(seen_);
  REQUIRE(seen_.find(text) != std::string::npos);
}

int PseudoTerminal::wait_end() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (read_more()) REQUIRE(std::chrono::steady_clock::now() < end);
  int status = 0;
  REQUIRE(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool PseudoTerminal::echoes() const {
  termios now{};
  REQUIRE(tcgetattr(terminal_, &now) == 0);
  return (now.c_lflag & ECHO) != 0;
}

}  // namespace chat::test
