#include <catch2/catch.hpp>

#include "platform/realtime/handshake.h"

namespace chat::realtime {
namespace {

http::Request upgrade(std::vector<std::pair<std::string, std::string>> more = {}) {
  http::Request request;
  request.path = "/v1/connect";
  request.headers = {{"upgrade", "WebSocket"}, {"connection", "keep-alive, Upgrade"}, {"sec-websocket-version", "13"},
                     {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  for (auto& header : more) request.headers.push_back(std::move(header));
  return request;
}

Code refusal_of(const http::Request& request) {
  try {
    read_handshake(request);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::internal;
}

http::Request without(std::string_view name, http::Request request) {
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
  return request;
}

}  // namespace

TEST_CASE("handshake: the accept key of RFC 6455 section 1.3 comes out", "[unit][realtime]") {
  CHECK(accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(read_handshake(upgrade()).accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("handshake: credentials are found in headers and in the subprotocol", "[unit][realtime]") {
  const auto by_header = read_handshake(upgrade({{"x-api-key", "k1"}, {"authorization", "bearer t.o.k"}}));
  CHECK(by_header.api_key == "k1");
  CHECK(by_header.token == "t.o.k");
  CHECK_FALSE(by_header.chat_protocol);

  const auto by_protocol = read_handshake(upgrade({{"sec-websocket-protocol", "chat.v1, key.k1"},
                                                   {"sec-websocket-protocol", "token.t.o.k"}}));
  CHECK(by_protocol.api_key == "k1");
  CHECK(by_protocol.token == "t.o.k");
  CHECK(switching_protocols(by_protocol).find("Sec-WebSocket-Protocol: chat.v1\r\n") != std::string::npos);

  CHECK_FALSE(read_handshake(upgrade()).has_credentials());
  CHECK(switching_protocols(read_handshake(upgrade())).find("Sec-WebSocket-Protocol") == std::string::npos);
}

TEST_CASE("handshake: credentials in the URL are refused", "[unit][realtime]") {
  for (const char* name : {"token", "access_token", "Authorization", "jwt"}) {
    auto request = upgrade();
    request.query = {{name, "secret"}};
    CHECK(refusal_of(request) == Code::malformed_request);
  }
  auto request = upgrade();
  request.query = {{"colour", "red"}};
  CHECK(refusal_of(request) == Code::unknown_field);
  request.query = {{"resume", "1"}};
  CHECK(read_handshake(request).will_resume);
}

TEST_CASE("handshake: what is no upgrade of version 13 is refused", "[unit][realtime]") {
  for (const char* name : {"upgrade", "connection", "sec-websocket-version", "sec-websocket-key"}) {
    CHECK(refusal_of(without(name, upgrade())) == Code::malformed_request);
  }
  auto old = without("sec-websocket-version", upgrade({{"sec-websocket-version", "8"}}));
  CHECK(refusal_of(old) == Code::malformed_request);
  for (const char* key : {"", "short==", "dGhlIHNhbXBsZSBub25jZQ=!", "dGhlIHNhbXBsZSBub25jZQQQ"}) {
    CHECK(refusal_of(without("sec-websocket-key", upgrade({{"sec-websocket-key", key}}))) == Code::malformed_request);
  }
  auto post = upgrade();
  post.method = http::Method::post;
  CHECK(refusal_of(post) == Code::malformed_request);
}

TEST_CASE("handshake: contradictory credentials are refused", "[unit][realtime]") {
  CHECK(refusal_of(upgrade({{"authorization", "Basic YTpi"}})) == Code::unauthenticated);
  CHECK(refusal_of(upgrade({{"authorization", "Bearer a"}, {"sec-websocket-protocol", "chat.v1, token.b"}})) == Code::unauthenticated);
  CHECK(refusal_of(upgrade({{"sec-websocket-protocol", "graphql-ws"}})) == Code::malformed_request);
}

}  // namespace chat::realtime
