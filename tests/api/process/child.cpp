#include "tests/api/process/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "tests/support/database.h"

namespace chat::test {
namespace {

using Clock = std::chrono::steady_clock;

template <class Holds>
void wait_until(const std::string& what, std::chrono::seconds patience, Holds holds) {
  const auto deadline = Clock::now() + patience;
  while (!holds()) {
    if (Clock::now() > deadline) FAIL("did not happen in time: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

Child::Child(std::vector<std::string> flags, const std::string& config_file) {
  folder_ = (std::filesystem::temp_directory_path() / ("chatd-child-" + crypto::hex(crypto::random_bytes(6)))).string();
  std::filesystem::create_directory(folder_);
  std::vector<std::string> words{CHATD};
  if (!config_file.empty()) words.insert(words.end(), {"--config", config_file});
  std::vector<std::string> sets{"public.port=0", "operator.port=0", std::string("operator.token=") + kOperatorToken,
                                "secrets.master_key=" + crypto::base64(std::string(32, 'c')),
                                "database.dsn=" + server_database().dsn, "shutdown.deadline=5s", "uploads.folder=" + folder_ + "/uploads"};
  sets.insert(sets.end(), flags.begin(), flags.end());
  for (const auto& set : sets) words.insert(words.end(), {"--set", set});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    const int log = open((folder_ + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(log, 2);
    dup2(log, 1);
    execv(CHATD, arguments.data());
    _exit(127);
  }
}

Child::~Child() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

std::string Child::log() const {
  std::ifstream in(folder_ + "/log");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void Child::wait_log(const std::string& text) const {
  wait_until("the log says " + text, std::chrono::seconds(20), [&] { return log().find(text) != std::string::npos; });
}

void Child::wait_ready() {
  wait_until("chatd is ready:\n" + log(), std::chrono::seconds(20), [&] {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = status;
      FAIL("chatd ended instead of serving:\n" << log());
    }
    return log().find("node.started") != std::string::npos;
  });
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("node.started") == std::string::npos) continue;
    auto document = json::Document::parse(line);
    public_port_ = static_cast<std::uint16_t>(document.root().find("public_port")->integer());
    operator_port_ = static_cast<std::uint16_t>(document.root().find("operator_port")->integer());
  }
}

void Child::signal(int number) const { kill(pid_, number); }

int Child::wait_end(std::chrono::seconds patience) {
  int status = 0;
  wait_until("chatd ends:\n" + log(), patience, [&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  ended_ = status;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace chat::test
