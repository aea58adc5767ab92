#include <unistd.h>

#include <atomic>

#include "platform/base/error.h"
#include "tests/api/http/engines.h"

namespace chat::test {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("engines: a connection stays open when the client sends no Connection header", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpAnswer answer = client.request("GET", "/echo?b=2&a=%31&b=+x");
    CHECK(answer.status == 200);
    CHECK(answer.body == "GET /echo b=2;a=1;b= x; ");
    CHECK(answer.header("connection") == "keep-alive");
    CHECK(answer.header("content-type") == "text/plain");
    CHECK(answer.header("x-remote") == "127.0.0.1");
    CHECK(answer.header("date"));
  }
}

TEST_CASE("engines: Connection: close is honoured", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  CHECK(client.request("GET", "/echo", {{"Connection", "close"}}).header("connection") == "close");
  client.end_sending();
  CHECK(client.closes());
}

TEST_CASE("engines: HTTP/1.0 closes unless it asks to be kept", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(client.read().header("connection") == "keep-alive");
  client.send("GET /echo HTTP/1.0\r\n\r\n");
  CHECK(client.read().header("connection") == "close");
  client.end_sending();
  CHECK(client.closes());
}

TEST_CASE("engines: the caller's request id comes back when it is harmless", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  CHECK(client.request("GET", "/echo", {{"X-Request-Id", "my-id_1"}}).header("x-request-id") == "my-id_1");
  for (const auto* odd : {"", "a b", "a\"b", "01234567890123456789012345678901234567890123456789012345678901234"})
    CHECK(client.request("GET", "/echo", {{"X-Request-Id", odd}}).header("x-request-id")->rfind("req_", 0) == 0);
}

TEST_CASE("engines: pipelined requests are answered in order", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  client.send(
      "GET /later?n=1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo?n=2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
      "GET /later?n=3 HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /echo?n=4 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /echo?n=5 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read().body == "GET /later n=1; ");
  CHECK(client.read().body == "POST /echo n=2; body");
  CHECK(client.read().body == "GET /later n=3; ");
  CHECK(client.read(true).status == 200);
  CHECK(client.read().body == "GET /echo n=5; ");
}

TEST_CASE("engines: a request may arrive in any two pieces", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  const std::string chunked =
      "\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=\"q\"\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
  HttpClient client = engine.connect();
  for (std::size_t cut = 1; cut < chunked.size(); ++cut) {
    INFO("cut at " << cut);
    client.send(chunked.substr(0, cut));
    client.send(chunked.substr(cut));
    REQUIRE(client.read().body == "POST /echo  abcde");
    REQUIRE(client.read().body == "GET /echo  ");
  }
}

TEST_CASE("engines: a request may arrive byte by byte", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
  for (const char c : text) client.send(std::string(1, c));
  CHECK(client.read().body == "POST /echo  ab");
}

TEST_CASE("engines: HEAD has the length of GET and no body", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  CHECK(client.request("HEAD", "/big").header("content-length") == std::to_string(kBigBytes));
  CHECK(client.request("GET", "/echo").status == 200);
  const HttpAnswer nothing = client.request("DELETE", "/nothing");
  CHECK(nothing.status == 204);
  CHECK_FALSE(nothing.header("content-length"));
  CHECK_FALSE(nothing.header("content-type"));
}

TEST_CASE("engines: Expect: 100-continue is answered before the body", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read().status == 100);
  client.send("abc");
  CHECK(client.read().body == "POST /echo  abc");
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(client.read().body == "POST /echo  abc");
}

TEST_CASE("engines: odd values in headers that nobody interprets do no harm", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  const HttpAnswer answer = client.request("GET", "/echo",
                                           {{"Cookie", "foo"},
                                            {"Cookie", "a=b; c"},
                                            {"Cache-Control", "No-Cache, whatever=\""},
                                            {"Date", "foo"},
                                            {"Accept", "foo/bar;q=x"},
                                            {"Content-Type", "qux/"},
                                            {"Authorization", "Basic ???"}});
  CHECK(answer.status == 200);
  client.send("GET /echo HTTP/1.1\r\nHost: a:99999\r\n\r\n");
  CHECK(client.read().status == 200);
  client.send("GET http://example.com/echo?x=1 HTTP/1.1\r\nHost: a:\r\n\r\n");
  CHECK(client.read().body == "GET /echo x=1; ");
}

TEST_CASE("engines: a handler cannot split a response", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  const HttpAnswer answer = client.request("GET", "/echo");
  CHECK(answer.header("x-split") == "a  Injected: yes");
  CHECK_FALSE(answer.header("injected"));
}

TEST_CASE("engines: a handler that drops its Responder or throws has answered 500", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  for (const auto* path : {"/drop", "/throw"}) {
    const HttpAnswer answer = client.request("GET", path, {{"X-Request-Id", "it"}});
    CHECK(answer.status == 500);
    CHECK(answer.header("content-type") == "application/problem+json");
    CHECK(answer.body.find("\"internal\"") != std::string::npos);
    CHECK(answer.body.find("thrown by the test") == std::string::npos);
    CHECK(answer.header("x-request-id") == "it");
  }
  CHECK(client.request("GET", "/echo").status == 200);
}

TEST_CASE("engines: a slow reader of a big answer holds up nobody and gets all of it", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  std::vector<HttpClient> slow;
  for (int i = 0; i < 4; ++i) {   // at least one on every thread
    slow.push_back(engine.connect(4096));
    slow.back().send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(slow.back().hears(HttpClient::kPatience));
  }
  HttpClient quick = engine.connect();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) REQUIRE(quick.request("GET", "/later").status == 200);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  for (HttpClient& client : slow) CHECK(client.read().body.size() == kBigBytes);
  slow.front().send(kGet);
  CHECK(slow.front().read().status == 200);
}

TEST_CASE("engines: a client that ends its side still gets its answer", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  HttpClient client = engine.connect();
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  client.end_sending();
  CHECK(client.read().status == 200);
  CHECK(client.closes());
}

TEST_CASE("engines: stopping lets a running request finish and closes the idle", "[api][http]") {
  std::atomic<bool> asked{false}, go{false};
  std::thread answering;
  auto options = options_of(each_engine());
  auto server = http::make_server(options, [&](http::Request, http::Responder respond) {
    answering = std::thread([&go, respond = std::move(respond)] {
      while (!go) std::this_thread::yield();
      respond(http::json(200, "{}"));
    });
    asked = true;
  });
  server->start();
  HttpClient idle(server->port());
  HttpClient busy(server->port());
  busy.send(kGet);
  while (!asked) std::this_thread::yield();
  std::thread stopping([&] { server->stop(milliseconds(5'000)); });
  CHECK(idle.closes());
  go = true;
  const HttpAnswer answer = busy.read();
  CHECK(answer.status == 200);
  CHECK(answer.header("connection") == "close");
  busy.end_sending();
  stopping.join();
  answering.join();
  CHECK_THROWS(HttpClient(server->port()));
}

TEST_CASE("engines: an answer that comes after the server is gone goes nowhere", "[api][http]") {
  http::Responder kept;
  std::atomic<bool> has{false};
  auto server = http::make_server(options_of(each_engine()), [&](http::Request, http::Responder respond) {
    kept = std::move(respond);
    has = true;
  });
  server->start();
  HttpClient client(server->port());
  client.send(kGet);
  while (!has) std::this_thread::yield();
  server->stop(milliseconds(0));
  server.reset();
  kept(http::json(200, "{}"));
  kept(http::json(200, "{}"));
  kept = nullptr;
  CHECK(client.closes());
}

TEST_CASE("engines: a port in use is one clear refusal", "[api][http]") {
  const std::string name = each_engine();
  const Engine engine(options_of(name));
  http::ServerOptions options = options_of(name);
  options.port = engine.server->port();
  auto second = http::make_server(options, [](http::Request, http::Responder) {});
  try {
    second->start();
    FAIL("two servers on one port");
  } catch (const Error& error) {
    CHECK(error.code() == Code::unavailable);
    CHECK(std::string(error.what()) ==
          "Cannot listen on 127.0.0.1:" + std::to_string(options.port) + ": the port is in use.");
  }
  options.address = "localhost";
  CHECK_THROWS_AS(http::make_server(options, [](http::Request, http::Responder) {})->start(), Error);
}

TEST_CASE("engines: IPv6 works", "[api][http]") {
  auto options = options_of(each_engine());
  options.address = "::1";
  auto server = http::make_server(options, [](http::Request, http::Responder respond) { respond(http::no_content()); });
  server->start();
  CHECK(server->port() != 0);
}

TEST_CASE("engines: Beast gives a WebSocket's socket away, with what came behind the head", "[api][http]") {
  std::string ahead, query;
  auto options = options_of("beast");
  const Engine engine(options, [&](http::Upgrade& upgrade) {
    if (upgrade.request.path == "/plain") return false;
    if (upgrade.request.path == "/refused") {
      upgrade.refuse(http::json(401, "{\"no\":1}"));
      return true;
    }
    ahead = upgrade.already_read;
    query = upgrade.request.query.at(0).second;
    if (::write(upgrade.socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38) != 38) ahead = "lost";
    ::close(upgrade.socket);
    return true;
  });
  const std::string rest = " HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
  HttpClient taken = engine.connect();
  taken.send("GET /connect?a=b" + rest + "frames");
  CHECK(taken.read().status == 200);
  CHECK(taken.closes());
  CHECK(ahead == "frames");
  CHECK(query == "b");

  HttpClient refused = engine.connect();
  refused.send("GET /refused" + rest);
  const HttpAnswer answer = refused.read();
  CHECK(answer.status == 401);
  CHECK(answer.body == "{\"no\":1}");
  CHECK(refused.closes());

  HttpClient plain = engine.connect();
  for (int i = 0; i < 3; ++i) {
    plain.send("GET /plain" + rest);
    CHECK(plain.read().body == "GET /plain  ");
  }
}

}  // namespace
}  // namespace chat::test
