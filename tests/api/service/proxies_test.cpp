#include <catch2/catch.hpp>

#include "platform/server/client_address.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string address(const std::string& peer, const std::vector<std::string>& said) {
  http::Request request;
  request.remote = peer;
  for (const auto& value : said) request.headers.emplace_back("x-forwarded-for", value);
  return server::client_address(request, server::networks_of({"10.0.0.0/8", "fd00::/8"}));
}

}  // namespace

TEST_CASE("proxies: an address is believed as far as trusted proxies say it", "[api][proxies]") {
  CHECK(address("203.0.113.9", {}) == "203.0.113.9");
  CHECK(address("203.0.113.9", {"198.51.100.1"}) == "203.0.113.9");              // a stranger says what it likes
  CHECK(address("10.0.0.1", {}) == "10.0.0.1");
  CHECK(address("10.0.0.1", {"198.51.100.1"}) == "198.51.100.1");
  CHECK(address("10.0.0.1", {"192.0.2.66, 198.51.100.1"}) == "198.51.100.1");    // what stood there before is the client's word
  CHECK(address("10.0.0.1", {"192.0.2.66", " 198.51.100.1 "}) == "198.51.100.1");
  CHECK(address("10.0.0.1", {"198.51.100.1, 10.0.0.2"}) == "198.51.100.1");      // two proxies in a row
  CHECK(address("fd00::1", {"2001:db8::7"}) == "2001:db8::7");
  CHECK(address("10.0.0.1", {"198.51.100.1:5678"}) == "198.51.100.1");           // some proxies write the port, too
  CHECK(address("10.0.0.1", {"192.0.2.66, 198.51.100.1:5678, [fd00::2]:443"}) == "198.51.100.1");
  CHECK(address("fd00::1", {"[2001:db8::7]:5678"}) == "2001:db8::7");
  CHECK(address("fd00::1", {"[2001:db8::7]"}) == "2001:db8::7");
  for (const auto* wrong : {"198.51.100.1:x", "198.51.100.1:", "[2001:db8::7", "[2001:db8::7]x", "[]:1", "[", ":", "1:2:3"})
    CHECK(address("10.0.0.1", {wrong}) == "10.0.0.1");
  CHECK(address("10.0.0.1", {"unknown"}) == "10.0.0.1");
  CHECK(address("10.0.0.1", {""}) == "10.0.0.1");
  CHECK(address("10.0.0.1", {"198.51.100.1,"}) == "10.0.0.1");
}

TEST_CASE("proxies: audits name the client behind them, at both doors", "[api][proxies]") {
  TestApp app;
  const HttpHeaders behind{{"X-Forwarded-For", "192.0.2.66, 198.51.100.1"}};
  REQUIRE(app.server().call("PATCH", "/v1/app/settings", R"({"set":{"guests":true}})", behind).status == 200);
  CHECK(app.server().get("/v1/app/audit").body["audit"][0]["address"] == "198.51.100.1");
  auto operators = Service::get().operators();
  REQUIRE(operators.call("POST", path_of(app, "/suspend"), R"({"reason":"unpaid"})", behind).status == 200);
  CHECK(operators.get("/operator/v1/audit?object=application:" + app.id()).body["audit"][0]["address"] == "198.51.100.1");
}
