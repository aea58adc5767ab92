#include "platform/http/request.h"

#include <catch2/catch.hpp>

#include "platform/base/error.h"
#include "platform/http/idempotency.h"
#include "platform/http/target.h"

namespace chat::http {
namespace {

Request asking(std::string_view query) {
  Request request;
  request.query = parse_query(query);
  return request;
}

Code code_of(const std::function<void()>& act, std::vector<FieldError>* fields = nullptr) {
  try {
    act();
  } catch (const Error& error) {
    if (fields) *fields = error.fields();
    return error.code();
  }
  FAIL("nothing was refused");
  return Code::internal;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("query: keeps order and repeats, decodes names and values", "[unit][http]") {
  CHECK(parse_query("b=2&a=1&b=3") == Pairs{{"b", "2"}, {"a", "1"}, {"b", "3"}});
  CHECK(parse_query("a%20b=c+d%2B") == Pairs{{"a b", "c d+"}});
  CHECK(parse_query("a&b=&&=c&d=e=f") == Pairs{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}});
  CHECK(parse_query("").empty());
}

TEST_CASE("query: what is no text is malformed", "[unit][http]") {
  for (const auto* bad : {"a=%", "a=%2", "a=%zz", "%=a", "a=%00", "a=%ff", "a=\xff", "a=%c3"}) {
    INFO(bad);
    CHECK(code_of([&] { (void)parse_query(bad); }) == Code::malformed_request);
  }
  std::string many;
  for (std::size_t i = 0; i <= kMaxQueryParameters; ++i) many += "a&";
  CHECK(code_of([&] { (void)parse_query(many); }) == Code::malformed_request);
}

TEST_CASE("target: origin form, absolute form and the star", "[unit][http]") {
  CHECK(parse_target("/a/b?c=d").path == "/a/b");
  CHECK(parse_target("http://host:1/a?c=d").path == "/a");
  CHECK(parse_target("http://host").path == "/");
  CHECK(parse_target("http://host?c=d").query == Pairs{{"c", "d"}});
  CHECK(parse_target("/a?u=http://x/y").path == "/a");
  CHECK(parse_target("*").path == "*");
  for (const auto* bad : {"", "a", "?a=b", "host:443", "/a#b"}) {
    INFO(bad);
    CHECK(code_of([&] { (void)parse_target(bad); }) == Code::malformed_request);
  }
}

TEST_CASE("query reader: takes typed values and falls back", "[unit][http]") {
  const Request request = asking("limit=20&after=x&newest=true&sort=name");
  Query query(request);
  CHECK(query.integer("limit", 25, 1, 100) == 20);
  CHECK(query.integer("offset", 7, 0, 10) == 7);
  CHECK(query.find_text("after") == "x");
  CHECK(query.find_text("before") == std::nullopt);
  CHECK(query.boolean("newest", false));
  CHECK(query.boolean("oldest", true));
  CHECK(query.find_word("sort", {"name", "age"}) == "name");
  CHECK_NOTHROW(query.finish());
}

TEST_CASE("query reader: gathers every mistake", "[unit][http]") {
  const Request request = asking("limit=0&size=1x&a=1&a=2&long=abcdef&flag=yes&other=1");
  Query query(request);
  CHECK(query.integer("limit", 25, 1, 100) == 25);
  (void)query.integer("size", 1, 1, 9);
  (void)query.find_text("a");
  (void)query.find_text("long", 5);
  (void)query.boolean("flag", false);
  std::vector<FieldError> fields;
  CHECK(code_of([&] { query.finish(); }, &fields) == Code::invalid_field);
  REQUIRE(fields.size() == 6);
  CHECK(fields[0].pointer == "query:limit");
  CHECK(fields[1].pointer == "query:size");
  CHECK(fields[2].pointer == "query:a");
  CHECK(fields[5].pointer == "query:other");
}

TEST_CASE("query reader: integers are whole and within 64 bits", "[unit][http]") {
  for (const auto* bad : {"n=", "n=+1", "n=1.0", "n=%201", "n=9223372036854775808", "n=0x1", "n=1e3"}) {
    INFO(bad);
    const Request request = asking(bad);
    Query query(request);
    (void)query.integer("n", 0, INT64_MIN, INT64_MAX);
    CHECK(code_of([&] { query.finish(); }) == Code::invalid_field);
  }
}

TEST_CASE("query reader: only unknown parameters are unknown_field", "[unit][http]") {
  const Request request = asking("limt=2");
  Query query(request);
  (void)query.integer("limit", 25, 1, 100);
  std::vector<FieldError> fields;
  CHECK(code_of([&] { query.finish(); }, &fields) == Code::unknown_field);
  REQUIRE(fields.size() == 1);
  CHECK(fields[0].pointer == "query:limt");
}

TEST_CASE("problem: status and body say the same, 429 and 503 say when", "[unit][http]") {
  const Response refused = problem(Error(Code::not_found, "No such channel."), "req_1");
  CHECK(refused.status == 404);
  CHECK(refused.content_type == "application/problem+json");
  CHECK(refused.headers.empty());
  const auto busy = problem(Error(Code::unavailable, "Busy."), "req_1");
  CHECK(busy.headers == Pairs{{"Retry-After", "1"}});
  Error limited(Code::rate_limited, "Too many.");
  limited.with_retry_after(std::chrono::seconds(34));
  CHECK(problem(limited, "req_1").headers == Pairs{{"Retry-After", "34"}});
}

TEST_CASE("request id: letters, digits, _ and - up to 64", "[unit][http]") {
  CHECK(is_request_id("a-Z_09"));
  CHECK(is_request_id(std::string(64, 'a')));
  for (const auto& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\n"), std::string("ä")})
    CHECK_FALSE(is_request_id(bad));
}

std::optional<std::string> key_of(std::string header) {
  Request request;
  request.headers = {{"idempotency-key", std::move(header)}};
  return idempotency_key(request);
}

TEST_CASE("idempotency key: quoted or bare, 1 to 255 printable characters", "[unit][http]") {
  CHECK(idempotency_key(Request{}) == std::nullopt);
  CHECK(key_of("8e03978e-40d5") == "8e03978e-40d5");
  CHECK(key_of(" \"8e03978e-40d5\" ") == "8e03978e-40d5");
  CHECK(key_of(R"("a\"b\\c")") == R"(a"b\c)");
  CHECK(key_of(std::string(255, 'k')) == std::string(255, 'k'));
  for (const auto& bad : {std::string(), std::string("\"\""), std::string("\""), std::string("\"a"), std::string("\"a\"b\""),
                          std::string(R"("a\b")"), std::string(R"("a\")"), std::string(256, 'k'), std::string("a\tb"),
                          std::string("ä")}) {
    INFO(bad);
    std::vector<FieldError> fields;
    CHECK(code_of([&] { (void)key_of(bad); }, &fields) == Code::invalid_field);
    CHECK(fields.at(0).pointer == "header:idempotency-key");
  }
}

TEST_CASE("idempotency fingerprint: differs when any part of the request does", "[unit][http]") {
  Request base;
  base.method = Method::post;
  base.path = "/a";
  base.query = {{"b", "c"}};
  base.body = "d";
  const std::string print = fingerprint(base);
  CHECK(print.size() == 32);
  CHECK(fingerprint(base) == print);
  std::vector<Request> others(5, base);
  others[0].method = Method::put;
  others[1].path = "/ab";
  others[2].query = {{"bc", ""}};
  others[3].query.clear();
  others[4].body = "e";
  for (const Request& other : others) CHECK(fingerprint(other) != print);
}

}  // namespace
}  // namespace chat::http
