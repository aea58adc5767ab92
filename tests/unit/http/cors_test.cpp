#include <catch2/catch.hpp>

#include "platform/http/cors.h"

using namespace chat::http;

namespace {

Response ask(const Cors& cors, Method method, std::vector<std::pair<std::string, std::string>> headers) {
  const auto serve = cors.around([](Request, const Responder& respond) { respond(json(200, "{}")); });
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  Response answer;
  serve(std::move(request), [&](Response response) { answer = std::move(response); });
  return answer;
}

std::string header(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

constexpr const char* kAllowed = "Access-Control-Allow-Origin";

}  // namespace

TEST_CASE("cors: a page of an allowed origin may ask and read, of another may not", "[http]") {
  const Cors cors({"https://app.example.com", "http://localhost:3000"});
  for (const char* origin : {"https://app.example.com", "http://localhost:3000"}) {
    const auto before = ask(cors, Method::options, {{"origin", origin}, {"access-control-request-method", "PUT"}});
    CHECK(before.status == 204);
    CHECK(header(before, kAllowed) == origin);
    CHECK(header(before, "Vary") == "Origin");
    CHECK(header(before, "Access-Control-Allow-Methods").find("PUT") != std::string::npos);
    CHECK(header(before, "Access-Control-Allow-Headers").find("X-API-Key") != std::string::npos);
    const auto answer = ask(cors, Method::put, {{"origin", origin}});
    CHECK(answer.status == 200);
    CHECK(header(answer, kAllowed) == origin);
    CHECK(header(answer, "Access-Control-Expose-Headers").find("X-Request-Id") != std::string::npos);
    CHECK(header(answer, "Access-Control-Allow-Credentials").empty());
  }
  for (const char* origin : {"https://evil.example.com", "http://app.example.com", "https://app.example.com:444", "null"}) {
    CHECK(header(ask(cors, Method::options, {{"origin", origin}, {"access-control-request-method", "PUT"}}), kAllowed).empty());
    CHECK(header(ask(cors, Method::get, {{"origin", origin}}), kAllowed).empty());
  }
  const auto without = ask(cors, Method::get, {});                     // kept by a cache that a page of an origin asks later
  CHECK(header(without, "Vary") == "Origin");
  CHECK(header(without, kAllowed).empty());
  CHECK(header(ask(cors, Method::get, {{"origin", "https://evil.example.com"}}), "Vary") == "Origin");
  CHECK(ask(cors, Method::options, {{"origin", "http://localhost:3000"}}).status == 200);   // a question of another kind
}

TEST_CASE("cors: a star is any origin, an empty list none", "[http]") {
  CHECK(header(ask(Cors({"*"}), Method::get, {{"origin", "https://any.example"}}), kAllowed) == "*");
  CHECK(header(ask(Cors({"*"}), Method::get, {}), kAllowed) == "*");
  CHECK(header(ask(Cors({"*"}), Method::get, {}), "Vary").empty());
  CHECK(ask(Cors({}), Method::get, {{"origin", "https://any.example"}}).headers.empty());
}

TEST_CASE("cors: an origin is a scheme and a host as browsers send them", "[http]") {
  for (const char* fine : {"*", "https://app.example.com", "http://localhost:3000", "http://[::1]:8080"}) CHECK(Cors::is_origin(fine));
  for (const char* wrong : {"", "app.example.com", "https://", "https://app.example.com/", "https://App.example.com", "ftp://a.b", "https://*.example.com"})
    CHECK_FALSE(Cors::is_origin(wrong));
}
