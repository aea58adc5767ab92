#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/push/provider.h"

extern char** environ;

namespace chat::push {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

bool listens(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

/// Apple's side of the wire: nghttpd, TLS with a certificate of its own, HTTP/2; answers each upload with itself and writes down
/// what came.
class Apple {
 public:
  Apple() {
    std::string pattern = "/tmp/chatd-apns-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    home_ = pattern;
    const std::string make = "cd " + home_.string() +
                             " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2"
                             " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null"
                             " && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out p8.pem 2>/dev/null";
    REQUIRE(std::system(make.c_str()) == 0);
    port_ = free_port();
    start();
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!listens(port_) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    REQUIRE(listens(port_));
  }
  ~Apple() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(home_);
  }
  Apple(const Apple&) = delete;
  Apple& operator=(const Apple&) = delete;

  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string ca() const { return home_ / "cert.pem"; }
  [[nodiscard]] std::string signing_key() const { return read(home_ / "p8.pem"); }
  [[nodiscard]] std::string log() const { return read(home_ / "log"); }

 private:
  void start() {
    const std::string log = home_ / "log", key = home_ / "key.pem", certificate = home_ / "cert.pem", port = std::to_string(port_);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const char* arguments[] = {"nghttpd", "-v", "--echo-upload", "-a", "127.0.0.1", "-d", home_.c_str(), port.c_str(), key.c_str(), certificate.c_str(), nullptr};
    const int started = ::posix_spawnp(&pid_, "nghttpd", &actions, nullptr, const_cast<char* const*>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(started == 0);
  }
  std::filesystem::path home_;
  int port_ = 0;
  pid_t pid_ = 0;
};

std::string header_in(const std::string& log, const std::string& name) {
  const auto place = log.find(" " + name + ": ");
  if (place == std::string::npos) return {};
  const auto begin = place + name.size() + 3;
  return log.substr(begin, log.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("push: APNs is spoken over TLS and HTTP/2 with Apple's headers and a token of ours", "[api][push]") {
  Apple apple;
  outbound::Client::Options options;
  options.allowed_networks = {*outbound::Network::parse("127.0.0.1")};
  options.ca_file = apple.ca();
  outbound::Client client(options);
  const auto apns = make_apns({apple.signing_key(), "KEY1234567", "TEAM123456", "com.example.chat", apple.url()}, "acme", client, system_clock());
  Notification notification;
  notification.title = "Alice";
  notification.body = "Hello";
  notification.collapse_key = "messaging:general";
  notification.badge = 7;
  notification.data = {{"cid", "messaging:general"}};
  std::promise<Receipt> promise;
  apns->send("00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0", notification, [&](Receipt receipt) { promise.set_value(std::move(receipt)); });
  auto future = promise.get_future();
  REQUIRE(future.wait_for(15s) == std::future_status::ready);
  const Receipt receipt = future.get();
  INFO(receipt.detail);
  CHECK(receipt.verdict == Verdict::sent);

  const std::string log = apple.log();
  CHECK(header_in(log, ":method") == "POST");
  CHECK(header_in(log, ":path") == "/3/device/00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0");
  CHECK(header_in(log, "apns-topic") == "com.example.chat");
  CHECK(header_in(log, "apns-push-type") == "alert");
  CHECK(header_in(log, "apns-priority") == "10");
  CHECK(header_in(log, "apns-collapse-id") == "messaging:general");
  const std::string authorization = header_in(log, "authorization");
  REQUIRE(authorization.rfind("bearer ", 0) == 0);
  const std::string head = authorization.substr(7, authorization.find('.') - 7);
  CHECK(json::parse(crypto::parse_base64url(head).value()) == json{{"alg", "ES256"}, {"typ", "JWT"}, {"kid", "KEY1234567"}});
}

TEST_CASE("push: APNs without a certificate to be trusted gets nothing", "[api][push]") {
  Apple apple;
  outbound::Client::Options options;
  options.allowed_networks = {*outbound::Network::parse("127.0.0.1")};
  outbound::Client client(options);
  const auto apns = make_apns({apple.signing_key(), "KEY1234567", "TEAM123456", "com.example.chat", apple.url()}, "acme", client, system_clock());
  std::promise<Receipt> promise;
  apns->send("00fc", {}, [&](Receipt receipt) { promise.set_value(std::move(receipt)); });
  auto future = promise.get_future();
  REQUIRE(future.wait_for(15s) == std::future_status::ready);
  const Receipt receipt = future.get();
  CHECK(receipt.verdict == Verdict::later);
  CHECK(receipt.detail == "tls_failed");
  CHECK(header_in(apple.log(), ":path").empty());
}

}  // namespace chat::push
