#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "platform/outbound/client.h"

// Names that stand for one address now and for another one later, as an attacker's name server has them. No test may be a name server
// for its machine, so the C library is asked through us: names that we know get our addresses, all others go on.
namespace chat::outbound {
namespace {

using namespace std::chrono_literals;

class Names {
 public:
  static Names& get() {
    static Names names;
    return names;
  }
  void set(const std::string& name, std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    known_[name] = std::move(addresses);
  }
  std::vector<std::string> find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    return found == known_.end() ? std::vector<std::string>{} : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> known_;
};

/// Listens at one address of loopback, answers 204, and counts who came.
class Listener {
 public:
  explicit Listener(const char* address) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, address, &at.sin_addr) == 1);
    socklen_t size = sizeof at;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Listener() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url(const std::string& name) const { return "http://" + name + ":" + std::to_string(port_) + "/"; }
  [[nodiscard]] int came() const { return came_; }

 private:
  void run() {
    constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    for (int socket; (socket = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(socket)) {
      ++came_;
      char buffer[4096];
      if (::recv(socket, buffer, sizeof buffer, 0) > 0) ::send(socket, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    }
  }
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> came_{0};
  std::thread thread_;
};

Answer call(Client& client, const std::string& url) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  Call call;
  call.url = url;
  call.tenant = "acme";
  client.send(std::move(call), [promise](Answer answer) { promise->set_value(std::move(answer)); });
  REQUIRE(future.wait_for(30s) == std::future_status::ready);
  return future.get();
}

/// 127.0.0.2 stands for a public address; 127.0.0.1 is what it is.
Client::Options options() {
  Client::Options options;
  options.allowed_networks = {*Network::parse("127.0.0.2")};
  options.allows_http = true;
  return options;
}

}  // namespace
}  // namespace chat::outbound

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Resolve = int(const char*, const char*, const addrinfo*, addrinfo**);
  static auto* const system = reinterpret_cast<Resolve*>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const auto addresses = chat::outbound::Names::get().find(node == nullptr ? "" : node);
  if (addresses.empty()) return system(node, service, hints, result);
  addrinfo* all = nullptr;
  addrinfo** end = &all;
  for (const auto& address : addresses) {
    if (const int error = system(address.c_str(), service, hints, end); error != 0) {
      *end = nullptr;
      if (all != nullptr) ::freeaddrinfo(all);
      return error;
    }
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  *result = all;
  return 0;
}

namespace chat::outbound {

TEST_CASE("outbound: a name that was public and is loopback by now is refused when it is connected to", "[api][outbound]") {
  Names::get().set("moves.test", {"127.0.0.2"});
  Listener outside("127.0.0.2");
  const auto url = outside.url("moves.test");
  {
    Client client(options());
    CHECK(client.refuses_url(url).empty());
    CHECK(call(client, url).status == 204);
    CHECK(outside.came() == 1);
  }
  Names::get().set("moves.test", {"127.0.0.1"});
  Client client(options());
  CHECK(client.refuses_url(url).empty());      // before DNS there is nothing to be seen
  const auto answer = call(client, url);
  CHECK(answer.outcome == Outcome::refused_address);
  CHECK(answer.detail == "127.0.0.1 is loopback");
  CHECK(answer.status == 0);
  CHECK(outside.came() == 1);
}

TEST_CASE("outbound: of several addresses of a name each is judged, also the one that is taken when another fails", "[api][outbound]") {
  Listener inside("127.0.0.1");
  Names::get().set("both.test", {"127.0.0.2", "127.0.0.1"});   // nobody listens at the first
  Client client(options());
  const auto answer = call(client, inside.url("both.test"));
  CHECK(answer.outcome == Outcome::refused_address);
  CHECK(inside.came() == 0);
  Listener outside("127.0.0.2");
  Names::get().set("mixed.test", {"127.0.0.1", "127.0.0.2"});
  CHECK(call(client, outside.url("mixed.test")).status == 204);
  CHECK(inside.came() == 0);
}

TEST_CASE("outbound: a name is refused whatever form its address has", "[api][outbound]") {
  Listener inside("127.0.0.1");
  Client::Options strict;
  strict.allows_http = true;
  Client client(strict);
  for (const char* address : {"127.0.0.1", "127.0.0.2", "0.0.0.0", "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "::1", "::", "::ffff:127.0.0.1",
                              "::ffff:7f00:1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fd00:ec2::254"}) {
    const std::string name = "form-" + std::to_string(std::hash<std::string>()(address)) + ".test";
    Names::get().set(name, {address});
    const auto answer = call(client, inside.url(name));
    INFO(address << ": " << word(answer.outcome) << " " << answer.detail);
    const bool is_v6 = std::string_view(address).find(':') != std::string_view::npos;   // of a machine without IPv6 there is no such name
    const bool is_refused = answer.outcome == Outcome::refused_address || (is_v6 && answer.outcome == Outcome::unresolved);
    CHECK(is_refused);
    CHECK(answer.status == 0);
  }
  CHECK(inside.came() == 0);
}

}  // namespace chat::outbound
