#include "tests/support/redis.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "platform/base/crypto.h"

namespace chat::test {
namespace {

constexpr const char* kServer = "/usr/bin/redis-server";

bool listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int probe = socket(AF_UNIX, SOCK_STREAM, 0);
  const bool answer = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  return answer;
}

}  // namespace

ScratchRedis::ScratchRedis()
    : folder_((std::filesystem::temp_directory_path() / ("chatd-redis-" + crypto::hex(crypto::random_bytes(6)))).string()) {
  std::filesystem::create_directory(folder_);
  start();
}

ScratchRedis::~ScratchRedis() {
  kill();
  std::filesystem::remove_all(folder_);
}

void ScratchRedis::start() {
  const std::string path = folder_ + "/socket";
  pid_ = fork();
  if (pid_ == 0) {
    const int log = open((folder_ + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    execl(kServer, kServer, "--port", "0", "--unixsocket", path.c_str(), "--save", "", "--appendonly", "no", "--dir", folder_.c_str(), nullptr);
    _exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!listens(path)) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("redis-server does not listen; is the package redis-server installed?");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void ScratchRedis::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  std::filesystem::remove(folder_ + "/socket");
}

void ScratchRedis::pause() const { ::kill(pid_, SIGSTOP); }
void ScratchRedis::go_on() const { ::kill(pid_, SIGCONT); }

redis::Options ScratchRedis::options() const {
  redis::Options options;
  options.address.path = folder_ + "/socket";
  options.connect_timeout = options.answer_timeout = std::chrono::milliseconds(500);
  options.heartbeat = std::chrono::milliseconds(100);
  options.max_backoff = std::chrono::milliseconds(200);
  return options;
}

}  // namespace chat::test
