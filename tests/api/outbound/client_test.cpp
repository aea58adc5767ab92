#include "platform/outbound/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "tests/support/receiver.h"

// The client against receivers of our own on loopback, which the operator has opened for them.
namespace chat::outbound {
namespace {

using namespace std::chrono_literals;
using test::on_loopback;
using test::Receiver;

/// Accepts, answers each connection with the same bytes, hangs up.
class RawReceiver {
 public:
  explicit RawReceiver(std::string bytes) : bytes_(std::move(bytes)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~RawReceiver() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  void run() {
    for (int socket; (socket = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(socket)) {
      char buffer[4096];
      if (::recv(socket, buffer, sizeof buffer, 0) > 0) ::send(socket, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
    }
  }
  const std::string bytes_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::future<Answer> start(Client& client, Call call) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  client.send(std::move(call), [promise](Answer answer) { promise->set_value(std::move(answer)); });
  return future;
}

Answer get(std::future<Answer> future) {
  REQUIRE(future.wait_for(15s) == std::future_status::ready);
  return future.get();
}

Answer run(Client& client, Call call) { return get(start(client, std::move(call))); }

Call call_to(const std::string& url) {
  Call call;
  call.url = url;
  call.body = R"({"type":"message.new"})";
  call.tenant = "acme";
  return call;
}

void ok(const http::Request&, const http::Responder& respond) { respond(http::json(200, "{}")); }

}  // namespace

TEST_CASE("outbound: method, headers and body arrive as given, and the answer comes back", "[api][outbound]") {
  std::promise<http::Request> asked;
  Receiver receiver([&](http::Request request, const http::Responder& respond) {
    asked.set_value(std::move(request));
    http::Response response = http::json(202, R"({"taken":true})");
    respond(response.with("X-Hint", "later"));
  });
  Client client(on_loopback());
  Call call = call_to(receiver.url("/hook?x=1"));
  call.headers = {{"content-type", "application/json"}, {"webhook-id", "msg_1"}};
  const Answer answer = run(client, call);
  CHECK(answer.outcome == Outcome::answered);
  CHECK(answer.status == 202);
  CHECK(answer.body == R"({"taken":true})");
  CHECK(answer.header("x-hint") == "later");
  CHECK(answer.duration > 0us);
  const http::Request request = asked.get_future().get();
  CHECK(request.method == http::Method::post);
  CHECK(request.path == "/hook");
  CHECK(request.body == call.body);
  CHECK(request.header("webhook-id") == "msg_1");
  CHECK(request.header("content-type") == "application/json");
  CHECK(request.header("user-agent") == "chatd");
}

TEST_CASE("outbound: every spelling of a private address is refused before a byte is sent", "[api][outbound]") {
  Receiver receiver(ok);
  Client::Options options;
  options.allows_http = true;
  Client client(options);
  const std::string port = receiver.url().substr(receiver.url().rfind(':'));
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "0x7f000001", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]", "0", "0.0.0.0", "127.0.0.1.", "localhost.", "LOCALHOST", "127.0.1", "0x7f.0x0.0x0.0x1", "017700000001",
                           "0x7F000001", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
                           "[::]", "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
                           "10.0.0.1", "[fe80::1]"}) {
    INFO(host);
    const Answer answer = run(client, call_to("http://" + std::string(host) + port));
    const bool refused = answer.outcome == Outcome::refused_address || answer.outcome == Outcome::unresolved;
    CHECK(refused);
    CHECK(answer.status == 0);
  }
  CHECK(run(client, call_to("http://127.0.0.1" + port)).detail == "127.0.0.1 is loopback");
  CHECK(receiver.seen().empty());
}

TEST_CASE("outbound: a proxy of the environment is not used", "[api][outbound]") {
  Receiver proxy(ok), receiver(ok);
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  {
    Client client(on_loopback());
    CHECK(run(client, call_to(receiver.url("/here"))).outcome == Outcome::answered);
  }
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  CHECK(proxy.seen().empty());
  CHECK(receiver.seen() == std::vector<std::string>{"/here"});
}

TEST_CASE("outbound: a redirect is an answer, not a journey", "[api][outbound]") {
  Receiver second(ok);
  Receiver first([&](const http::Request&, const http::Responder& respond) {
    http::Response response = http::json(308, "");
    respond(response.with("Location", second.url("/secret")));
  });
  Client client(on_loopback());
  const Answer answer = run(client, call_to(first.url()));
  CHECK(answer.status == 308);
  CHECK(second.seen().empty());
}

TEST_CASE("outbound: an answer is cut where it gets too long", "[api][outbound]") {
  Receiver receiver([](const http::Request&, const http::Responder& respond) { respond(http::json(200, std::string(500'000, 'x'))); });
  Client client(on_loopback());
  Call call = call_to(receiver.url());
  call.max_body_bytes = 1000;
  const Answer answer = run(client, call);
  CHECK(answer.outcome == Outcome::answered);
  CHECK(answer.status == 200);
  CHECK(answer.body.size() == 1000);
  CHECK(answer.is_cut);
}

TEST_CASE("outbound: endless headers end the call", "[api][outbound]") {
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 400; ++i) head += "X-" + std::to_string(i) + ": " + std::string(100, 'a') + "\r\n";
  RawReceiver receiver(head + "Content-Length: 0\r\n\r\n");
  Client client(on_loopback());
  CHECK(run(client, call_to(receiver.url())).outcome == Outcome::broken);
}

TEST_CASE("outbound: each way to fail has its name", "[api][outbound]") {
  Client client(on_loopback());
  RawReceiver garbage("\x01\x02\x03 no http at all\r\n\r\n"), silent("");
  RawReceiver half("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  CHECK(run(client, call_to(garbage.url())).outcome == Outcome::broken);
  CHECK(run(client, call_to(silent.url())).outcome == Outcome::broken);
  CHECK(run(client, call_to(half.url())).outcome == Outcome::broken);
  CHECK(run(client, call_to("https" + garbage.url().substr(4))).outcome == Outcome::tls_failed);
  CHECK(run(client, call_to("http://127.0.0.1:1/")).outcome == Outcome::invalid_target);
  CHECK(run(client, call_to("http://nobody.invalid/")).outcome == Outcome::unresolved);
  CHECK(run(client, call_to("ftp://127.0.0.1/")).outcome == Outcome::invalid_target);
  int closed_port = 0;
  {
    RawReceiver gone("");
    closed_port = std::stoi(gone.url().substr(gone.url().rfind(':') + 1));
  }
  CHECK(run(client, call_to("http://127.0.0.1:" + std::to_string(closed_port) + "/")).outcome == Outcome::unreachable);
  Call split = call_to(silent.url());
  split.headers = {{"x-split", "a\r\nInjected: yes"}};
  CHECK(run(client, split).outcome == Outcome::invalid_target);
}

TEST_CASE("outbound: who does not answer is given up in time, and delays nobody else", "[api][outbound]") {
  std::mutex mutex;
  std::vector<http::Responder> kept;
  Receiver hangs([&](const http::Request&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(respond));
  });
  Receiver works(ok);
  Client::Options options = on_loopback();
  options.max_active_per_host = 4;
  options.max_wait = 400ms;
  Client client(options);
  std::vector<std::future<Answer>> hanging;
  for (int i = 0; i < 12; ++i) {
    Call call = call_to(hangs.url());
    call.timeout = 700ms;
    hanging.push_back(start(client, call));
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(run(client, call_to(works.url())).outcome == Outcome::answered);
  CHECK(std::chrono::steady_clock::now() - begin < 500ms);
  std::map<Outcome, int> ends;
  for (auto& one : hanging) ++ends[get(std::move(one)).outcome];
  CHECK(ends[Outcome::timed_out] == 4);
  CHECK(ends[Outcome::busy] == 8);
  const std::lock_guard lock(mutex);
  for (const auto& respond : kept) respond(http::no_content());
}

TEST_CASE("outbound: a thousand calls keep few connections busy and all come back", "[api][outbound]") {
  Receiver receiver(ok);
  Client client(on_loopback());
  std::atomic<int> answered{0};
  std::promise<void> all;
  for (int i = 0; i < 1000; ++i) {
    client.send(call_to(receiver.url("/" + std::to_string(i))), [&](const Answer& answer) {
      if (answer.status == 200 && ++answered == 1000) all.set_value();
    });
  }
  CHECK(all.get_future().wait_for(20s) == std::future_status::ready);
  CHECK(receiver.seen().size() == 1000);
}

TEST_CASE("outbound: who ends tells everybody who still waited", "[api][outbound]") {
  std::mutex mutex;
  std::vector<http::Responder> kept;
  Receiver hangs([&](const http::Request&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(respond));
  });
  std::vector<std::future<Answer>> waiting;
  {
    Client::Options options = on_loopback();
    options.max_active_per_host = 1;
    Client client(options);
    for (int i = 0; i < 3; ++i) waiting.push_back(start(client, call_to(hangs.url())));
  }
  for (auto& one : waiting) CHECK(get(std::move(one)).outcome == Outcome::stopped);
  const std::lock_guard lock(mutex);
  for (const auto& respond : kept) respond(http::no_content());
}

}  // namespace chat::outbound
