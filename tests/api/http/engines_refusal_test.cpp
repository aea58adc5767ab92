#include "tests/api/http/engines.h"

namespace chat::test {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;

struct BadRequest {
  std::string what;
  std::string text;
  int status;
};

std::string with(const std::string& headers) { return "POST /echo HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n\r\n"; }

const std::vector<BadRequest>& bad_requests() {
  static const std::vector<BadRequest> all = {
      {"length and coding", with("Content-Length: 3\r\nTransfer-Encoding: chunked") + "0\r\n\r\n", 400},
      {"coding and length", with("Transfer-Encoding: chunked\r\nContent-Length: 3") + "0\r\n\r\n", 400},
      {"two lengths", with("Content-Length: 3\r\nContent-Length: 4") + "abc", 400},
      {"the same length twice", with("Content-Length: 3\r\nContent-Length: 3") + "abc", 400},
      {"a list of lengths", with("Content-Length: 3, 3") + "abc", 400},
      {"negative length", with("Content-Length: -1"), 400},
      {"length in words", with("Content-Length: abc"), 400},
      {"length with a tail", with("Content-Length: 3x") + "abc", 400},
      {"length with a sign", with("Content-Length: +3") + "abc", 400},
      {"empty length", with("Content-Length: "), 400},
      {"length 8e18", with("Content-Length: 8000000000000000000"), 413},
      {"length beyond 64 bits", with("Content-Length: 99999999999999999999"), 400},
      {"blank before the colon", with("Content-Length : 3") + "abc", 400},
      {"unknown coding", with("Transfer-Encoding: gzip"), 411},
      {"coding before chunked", with("Transfer-Encoding: gzip, chunked"), 411},
      {"nearly chunked", with("Transfer-Encoding: chunke"), 411},
      {"chunked in quotes", with("Transfer-Encoding: \"chunked\""), 411},
      {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"bad chunk size", with("Transfer-Encoding: chunked") + "zz\r\n", 400},
      {"huge chunk", with("Transfer-Encoding: chunked") + "7fffffffffffffff\r\n", 413},
      {"chunk without its end", with("Transfer-Encoding: chunked") + "3\r\nabcdef\r\n", 400},
      {"lines end with LF", "GET /echo HTTP/1.1\nHost: a\n\n", 400},
      {"one line ends with LF", "GET /echo HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
      {"a folded header", with("X: a\r\n b"), 400},
      {"CR inside a value", with("X: a\rb"), 400},
      {"NUL in a value", with("X: a\0b"s), 400},
      {"NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
      {"no name", with(": x"), 400},
      {"no colon", with("nothing"), 400},
      {"no Host", "GET /echo HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", with("Host: b"), 400},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"empty version", "GET / HTTP/\r\nHost: a\r\n\r\n", 400},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a target that is no path", "GET echo HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"broken escape in the query", "GET /?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NUL in the query", "GET /?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"query that is no UTF-8", "GET /?a=%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"unknown method", "BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"lower-case method", "get /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"long header", with("X: " + std::string(20'000, 'x')), 431},
      {"endless header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x'), 431},
      {"many headers", with([] {
         std::string headers;
         for (int i = 0; i < 200; ++i) headers += "X: y\r\n";
         return headers + "Z: z";
       }()),
       431},
      {"long target", "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"endless target", "GET /" + std::string(200'000, 'x'), 414},
      {"30,000 slashes", "GET " + std::string(30'000, '/') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"body beyond the limit", with("Content-Length: 1048577"), 413},
      {"binary", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"s, 400},
  };
  return all;
}

TEST_CASE("engines: what two servers could read differently is refused, and the connection ends", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  for (const BadRequest& bad : bad_requests()) {
    INFO(bad.what);
    HttpClient client = engine.connect();
    client.try_send(bad.text + "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpAnswer answer = client.read();
    CHECK(answer.status == bad.status);
    CHECK(answer.header("content-type") == "application/problem+json");
    CHECK(answer.header("connection") == "close");
    CHECK(answer.header("x-request-id")->rfind("req_", 0) == 0);
    CHECK_THROWS_AS(client.read(false, milliseconds(50)), std::runtime_error);   // what followed was never obeyed
  }
  HttpClient client = engine.connect();
  CHECK(client.request("GET", "/echo").status == 200);
}

TEST_CASE("engines: the same refusals however the bytes arrive", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  for (const BadRequest& bad : bad_requests()) {
    if (bad.text.size() > 400) continue;
    INFO(bad.what);
    HttpClient client = engine.connect();
    bool open = true;
    for (std::size_t i = 0; i < bad.text.size() && open; ++i) open = client.try_send(bad.text.substr(i, 1));
    CHECK(client.read().status == bad.status);
  }
}

TEST_CASE("engines: a body beyond the limit in chunks is refused", "[api][http]") {
  auto options = options_of(each_engine());
  options.max_body_bytes = 1000;
  const Engine engine(options);
  HttpClient client = engine.connect();
  client.send(with("Transfer-Encoding: chunked"));
  for (int i = 0; i < 3; ++i) client.try_send("190\r\n" + std::string(400, 'x') + "\r\n");
  CHECK(client.read().status == 413);
  HttpClient frame = engine.connect();
  frame.send(with("Transfer-Encoding: chunked"));
  frame.try_send("1;" + std::string(100'000, 'x'));
  CHECK(frame.read().status == 400);
}

TEST_CASE("engines: a request that does not arrive in time is refused", "[api][http]") {
  auto options = options_of(each_engine());
  options.header_timeout = options.body_timeout = milliseconds(300);
  options.idle_timeout = milliseconds(600);
  const Engine engine(options);
  const auto began = std::chrono::steady_clock::now();
  HttpClient head = engine.connect();
  HttpClient body = engine.connect();
  HttpClient drip = engine.connect();
  HttpClient idle = engine.connect();
  head.send("GET /echo HT");
  body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  drip.send("GET /echo HTTP/1.1\r\n");
  while (!drip.hears(milliseconds(20))) drip.try_send("X: y\r\n");   // bytes do not buy time
  for (HttpClient* client : {&head, &body, &drip}) {
    const HttpAnswer answer = client->read();
    CHECK(answer.status == 408);
    CHECK(answer.body.find("\"request_timeout\"") != std::string::npos);
    CHECK(answer.header("connection") == "close");
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  CHECK(idle.closes());
  CHECK(std::chrono::steady_clock::now() - began >= milliseconds(600));
}

TEST_CASE("engines: a reader who takes nothing is let go", "[api][http]") {
  auto options = options_of(each_engine());
  options.body_timeout = milliseconds(300);
  const Engine engine(options);
  HttpClient client = engine.connect(4096);
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(client.hears(HttpClient::kPatience));
  HttpClient other = engine.connect();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < until) REQUIRE(other.request("GET", "/later").status == 200);
  CHECK_THROWS_AS(client.read(), HttpClosed);
}

TEST_CASE("engines: more connections than allowed get 503", "[api][http]") {
  auto options = options_of(each_engine());
  options.max_connections = 3;
  const Engine engine(options);
  std::vector<HttpClient> allowed;
  for (int i = 0; i < 3; ++i) {
    allowed.push_back(engine.connect());
    REQUIRE(allowed.back().request("GET", "/echo").status == 200);
  }
  HttpClient crowd = engine.connect();
  const HttpAnswer answer = crowd.read();
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after"));
  CHECK(answer.body.find("unavailable") != std::string::npos);
  CHECK(allowed.front().request("GET", "/echo").status == 200);
}

}  // namespace
}  // namespace chat::test
