#include "cli/remote/api_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "cli/exit_code.h"
#include "platform/base/crypto.h"

namespace chat::test {
namespace {

/// Answers each connection's one request with the next text of its list; keeps what it was sent.
class Loopback {
 public:
  explicit Loopback(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(listen(listener_, 8) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Loopback() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> received;

 private:
  void serve() {
    for (const auto& answer : answers_) {
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      received.push_back(read_request(peer));
      if (answer.empty())
        wait_for_hangup(peer);
      else
        (void)!write(peer, answer.data(), answer.size());
      close(peer);
    }
  }
  static std::string read_request(int peer) {
    std::string text;
    char part[4096];
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      const auto got = read(peer, part, sizeof part);
      if (got <= 0) break;
      text.append(part, static_cast<std::size_t>(got));
      const auto end = text.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      const auto length = text.find("Content-Length: ");
      wanted = end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
    }
    return text;
  }
  static void wait_for_hangup(int peer) {
    pollfd one{peer, POLLIN, 0};
    poll(&one, 1, 10'000);
  }

  std::vector<std::string> answers_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string answer(const std::string& status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\nX-Request-Id: req_9\r\n" + headers + "\r\n" + body;
}

cli::ApiOptions options_for(const std::string& server) {
  crypto::start();
  cli::ApiOptions options;
  options.server = server;
  options.token = [] { return std::string("secret-token"); };
  options.timeout = std::chrono::seconds(5);
  return options;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

cli::Exit exit_of_call(cli::Api& api) {
  try {
    cli::get(api, "/x");
    return cli::Exit::ok;
  } catch (const cli::Failure& failure) {
    return failure.exit();
  }
}

}  // namespace

TEST_CASE("api client: sends token, body and a new idempotency key", "[api][cli]") {
  Loopback server({answer("201 Created", "{}"), answer("200 OK", R"({"a":1})"), answer("201 Created", "{}")});
  const auto api = cli::make_api_client(options_for(server.url() + "/"));
  CHECK(cli::post(*api, "/p", R"({"name":"x"})") == "{}");
  CHECK(cli::get(*api, "/g", {{"next", "a+b/=&c"}}) == R"({"a":1})");
  CHECK(cli::post(*api, "/p", "{}") == "{}");
  REQUIRE(server.received.size() == 3);
  CHECK(server.received[0].rfind("POST /p HTTP/1.1\r\n", 0) == 0);
  CHECK(holds(server.received[0], "\r\nAuthorization: Bearer secret-token\r\n"));
  CHECK(holds(server.received[0], "\r\nContent-Type: application/json\r\n"));
  CHECK(holds(server.received[0], "\r\n\r\n{\"name\":\"x\"}"));
  CHECK(server.received[1].rfind("GET /g?next=a%2Bb%2F%3D%26c HTTP/1.1\r\n", 0) == 0);
  CHECK(!holds(server.received[1], "Idempotency-Key"));
  const auto key = [](const std::string& request) {
    return request.substr(request.find("Idempotency-Key: ") + 17, 36);
  };
  CHECK(key(server.received[0]).size() == 36);
  CHECK(key(server.received[0]) != key(server.received[2]));
}

TEST_CASE("api client: a token is not sent where none is wanted", "[api][cli]") {
  Loopback server({answer("200 OK", "{}")});
  const auto api = cli::make_api_client(options_for(server.url()));
  CHECK(api->send({.path = "/livez", .with_token = false}).status == 200);
  CHECK(!holds(server.received.at(0), "Authorization"));
}

TEST_CASE("api client: a redirect is not followed", "[api][cli]") {
  Loopback server({answer("302 Found", "", "Location: http://127.0.0.1:1/\r\n")});
  const auto api = cli::make_api_client(options_for(server.url()));
  CHECK(exit_of_call(*api) == cli::Exit::failure);
}

TEST_CASE("api client: the code of a problem chooses the exit code", "[api][cli]") {
  const auto with = [](const std::string& status, const std::string& code) {
    Loopback server({answer(status, R"({"code":")" + code + R"(","detail":"no"})",
                            "Content-Type: application/problem+json\r\n")});
    const auto api = cli::make_api_client(options_for(server.url()));
    return exit_of_call(*api);
  };
  CHECK(with("400 Bad Request", "invalid_field") == cli::Exit::failure);
  CHECK(with("403 Forbidden", "limit_reached") == cli::Exit::limit);
  CHECK(with("403 Forbidden", "application_suspended") == cli::Exit::conflict);
  CHECK(with("404 Not Found", "not_found") == cli::Exit::not_found);
  CHECK(with("409 Conflict", "conflict") == cli::Exit::conflict);
  CHECK(with("503 Service Unavailable", "unavailable") == cli::Exit::unavailable);
  CHECK(with("401 Unauthorized", "word_of_the_future") == cli::Exit::denied);
}

TEST_CASE("api client: silence ends at the deadline", "[api][cli]") {
  Loopback server({""});
  auto options = options_for(server.url());
  options.timeout = std::chrono::milliseconds(200);
  const auto api = cli::make_api_client(options);
  const auto before = std::chrono::steady_clock::now();
  CHECK(exit_of_call(*api) == cli::Exit::unavailable);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(4));
}

TEST_CASE("api client: nobody there is told with the address", "[api][cli]") {
  const auto api = cli::make_api_client(options_for("http://127.0.0.1:1"));
  try {
    cli::get(*api, "/x");
    FAIL("no failure");
  } catch (const cli::Failure& failure) {
    CHECK(failure.exit() == cli::Exit::unavailable);
    CHECK(holds(failure.message(), "http://127.0.0.1:1"));
  }
}

TEST_CASE("api client: only http and https are servers", "[api][cli]") {
  for (const auto* server : {"", "localhost:8081", "ftp://x", "file:///etc/passwd", "http://"})
    CHECK_THROWS_AS(cli::make_api_client(options_for(server)), cli::Failure);
}

TEST_CASE("api client: an unencrypted token for another machine is warned of, once", "[api][cli]") {
  int warnings = 0;
  auto options = options_for("http://chatd.invalid:8081");
  options.timeout = std::chrono::milliseconds(500);
  options.warn = [&](const std::string&) { ++warnings; };
  const auto api = cli::make_api_client(options);
  CHECK(exit_of_call(*api) == cli::Exit::unavailable);
  CHECK(exit_of_call(*api) == cli::Exit::unavailable);
  CHECK(warnings == 1);
}

}  // namespace chat::test
