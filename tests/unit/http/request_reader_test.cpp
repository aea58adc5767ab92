#include "platform/http/request_reader.h"

#include <catch2/catch.hpp>

namespace chat::http {
namespace {

using Step = RequestReader::Step;

TEST_CASE("reader: takes a request and leaves what follows", "[unit][http]") {
  RequestReader reader({});
  const std::string first = "POST /a%20b?x=1 HTTP/1.1\r\nHOST: h\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 3\r\n\r\nabc";
  CHECK(reader.step() == Step::waiting);
  CHECK(reader.read(first + "GET /") == first.size());
  REQUIRE(reader.step() == Step::done);
  const Request request = reader.take();
  CHECK(request.method == Method::post);
  CHECK(request.path == "/a%20b");
  CHECK(request.query.at(0).second == "1");
  CHECK(request.header("host") == "h");
  CHECK(request.header("x-two") == "1");
  CHECK(request.headers.size() == 4);
  CHECK(request.body == "abc");
  CHECK(request.keep_alive);
  CHECK(reader.step() == Step::waiting);
}

TEST_CASE("reader: says how far a request has come", "[unit][http]") {
  RequestReader reader({});
  reader.read("\r\n");
  CHECK(reader.step() == Step::waiting);   // an empty line is nothing yet
  reader.read("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r");
  CHECK(reader.step() == Step::head);
  CHECK_FALSE(reader.take_continue());
  reader.read("\n");
  CHECK(reader.step() == Step::body);
  CHECK(reader.take_continue());
  CHECK_FALSE(reader.take_continue());   // owed once
  reader.read("ab");
  CHECK(reader.step() == Step::done);
}

TEST_CASE("reader: trailers change nothing", "[unit][http]") {
  RequestReader reader({});
  reader.read(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nAuthorization: stolen\r\n\r\n");
  REQUIRE(reader.step() == Step::done);
  const Request request = reader.take();
  CHECK(request.body == "a");
  CHECK_FALSE(request.header("authorization"));
}

TEST_CASE("reader: keep-alive by version and Connection", "[unit][http]") {
  const auto keeps = [](const std::string& head) {
    RequestReader reader({});
    reader.read(head + "\r\n\r\n");
    REQUIRE(reader.step() == Step::done);
    return reader.take().keep_alive;
  };
  CHECK(keeps("GET / HTTP/1.1\r\nHost: h"));
  CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close"));
  CHECK_FALSE(keeps("GET / HTTP/1.0"));
  CHECK(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
}

TEST_CASE("reader: a WebSocket needs GET, Upgrade and Connection", "[unit][http]") {
  const auto wants = [](const std::string& head) {
    RequestReader reader({});
    reader.read(head + "\r\nHost: h\r\n\r\n");
    REQUIRE(reader.step() == Step::done);
    return reader.wants_websocket();
  };
  CHECK(wants("GET / HTTP/1.1\r\nUpgrade: h2c, websocket\r\nConnection: upgrade"));
  CHECK_FALSE(wants("GET / HTTP/1.1\r\nUpgrade: websocket"));
  CHECK_FALSE(wants("GET / HTTP/1.1\r\nConnection: upgrade"));
  CHECK_FALSE(wants("POST / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade"));
  CHECK_FALSE(wants("GET / HTTP/1.1\r\nUpgrade: websockets\r\nConnection: upgrade"));
}

TEST_CASE("reader: limits count the head and the body apart", "[unit][http]") {
  const auto refusal = [](WireLimits limits, const std::string& text) {
    RequestReader reader(limits);
    reader.read(text);
    return reader.step() == Step::refused ? std::optional<Code>(reader.refusal().code()) : std::nullopt;
  };
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
  CHECK(refusal({head.size(), 5}, head + "abcde") == std::nullopt);
  CHECK(refusal({head.size() - 2, 5}, head) == Code::headers_too_large);
  CHECK(refusal({head.size(), 4}, head) == Code::too_large);
  CHECK(refusal({10, 4}, "GET /looooong") == Code::target_too_long);
}

}  // namespace
}  // namespace chat::http
