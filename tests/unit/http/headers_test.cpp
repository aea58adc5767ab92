#include <catch2/catch.hpp>

#include "platform/http/rate_headers.h"
#include "platform/http/response_head.h"

namespace chat::http {
namespace {

TEST_CASE("rate headers: the form of draft 10", "[unit][http]") {
  RateDecision decision;
  CHECK(rate_limit_policy(decision).empty());
  CHECK(rate_limit(decision).empty());
  decision.policies = {{"burst", 100, 60, 50, 30}, {"daily", 1000, 86400, 999, 80000}};
  CHECK(rate_limit_policy(decision) == R"("burst";q=100;w=60, "daily";q=1000;w=86400)");
  CHECK(rate_limit(decision) == R"("burst";r=50;t=30)");
  decision.policies = {{"a\"\\\n", 1, 1, 0, 1}};
  CHECK(rate_limit(decision) == R"("a\"\\";r=0;t=1)");
}

std::string head_of(const Response& response, bool keep_alive = true) {
  std::string out;
  append_head(out, response, "req_1", keep_alive);
  const auto date = out.find("Date: ");
  REQUIRE(date != std::string::npos);
  REQUIRE(out.substr(date).find(" GMT\r\n") == 31);
  return out.erase(date, 37);
}

TEST_CASE("response head: says type, length, id and whether to go on", "[unit][http]") {
  CHECK(head_of(json(201, "{}").with("Location", "/x")) ==
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nLocation: /x\r\n"
        "X-Request-Id: req_1\r\nConnection: keep-alive\r\n\r\n");
  CHECK(head_of(no_content(), false) ==
        "HTTP/1.1 204 No Content\r\nX-Request-Id: req_1\r\nConnection: close\r\n\r\n");
}

TEST_CASE("response head: a handler sets neither framing nor line breaks", "[unit][http]") {
  Response response = json(200, "{}");
  response.with("content-length", "99").with("Transfer-Encoding", "chunked").with("CONNECTION", "upgrade");
  response.with("X\r\nA", "b\r\n\r\nc");
  CHECK(head_of(response) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX  A: b    c\r\n"
        "X-Request-Id: req_1\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace chat::http
