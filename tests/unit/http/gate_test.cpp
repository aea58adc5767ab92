#include "platform/http/gate.h"

#include <catch2/catch.hpp>
#include <future>

#include "platform/base/error.h"
#include "platform/base/metrics.h"

namespace chat::http {
namespace {

struct Caller : Principal {};
using Served = std::vector<std::pair<int, bool>>;

storage::DatabaseOptions nowhere() {
  storage::DatabaseOptions options;
  options.dsn = "host=/nowhere";
  return options;
}

/// A gate whose routes never need the database; its pool has nowhere to connect to.
struct Door {
  Door() {
    add(Method::get, "/open", Access::any, [](std::shared_ptr<Request>, Responder respond) { respond(json(200, "{}")); });
    add(Method::post, "/send", Access::user_or_server,
        [](std::shared_ptr<Request> request, Responder respond) { respond(json(201, request->body)); });
    add(Method::post, "/drop", Access::user_or_server, [this](std::shared_ptr<Request> request, Responder) {
      kept = request;   // keeping the request is no excuse
    });
    add(Method::post, "/throw", Access::user_or_server,
        [](std::shared_ptr<Request>, Responder) { throw std::runtime_error("secret"); });
    add(Method::post, "/twice", Access::user_or_server, [](std::shared_ptr<Request>, Responder respond) {
      respond(json(200, "1"));
      respond(json(200, "2"));
    });
    Route stored;
    stored.method = Method::post;
    stored.pattern = stored.operation = "/stored";
    stored.handler = [](const Request&, storage::Transaction&) { return json(200, "{}"); };
    router.add(std::move(stored));
  }
  void add(Method method, std::string path, Access access, AsyncHandler handler) {
    Route route;
    route.method = method;
    route.operation = path.substr(1);
    route.pattern = std::move(path);
    route.access = access;
    route.max_body_bytes = 20;
    route.async = std::move(handler);
    router.add(std::move(route));
  }
  GateHooks hooks() {
    GateHooks all;
    all.authenticate = [this](const Request& request) -> std::shared_ptr<const Principal> {
      if (request.header("authorization") == "cold") throw NeedsDatabase{};
      if (!request.header("authorization")) throw Error(Code::unauthenticated, "No token.");
      return caller;
    };
    all.authenticate_cold = [this](const Request&, storage::Connection&) { return caller; };
    all.app_of = [](const Principal&) { return AppId{}; };
    all.name_of = [](const Principal&) { return "server"; };
    all.rate = [this](const Principal&, const Route&) { return rate; };
    all.served = [this](const GateHooks::Served& call) {
      if (call.principal) served.emplace_back(call.status, call.admitted);
    };
    return all;
  }
  Response ask(Method method, std::string path, std::vector<std::pair<std::string, std::string>> headers = {},
               std::string body = {}) {
    if (!gate) gate.emplace(router, pool, system_clock(), "unit", hooks());
    Request request;
    request.method = method;
    request.path = std::move(path);
    request.headers = std::move(headers);
    request.body = std::move(body);
    auto answered = std::make_shared<std::promise<Response>>();   // a worker may still be inside when we go on
    auto future = answered->get_future();
    gate->handle(std::move(request), [answered](Response response) { answered->set_value(std::move(response)); });
    REQUIRE(future.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    return future.get();
  }

  std::shared_ptr<const Principal> caller = std::make_shared<Caller>();
  std::shared_ptr<Request> kept;
  RateDecision rate;
  Served served;
  Router router;
  storage::Pool pool{nowhere(), 1, 4};
  std::optional<Gate> gate;
};

const std::vector<std::pair<std::string, std::string>> kJson = {{"authorization", "x"}, {"content-type", "application/json"}};

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}
bool says(const Response& response, std::string_view code) {
  return response.content_type == "application/problem+json" &&
         response.body.find("\"code\":\"" + std::string(code) + "\"") != std::string::npos;
}

TEST_CASE("gate: an open route needs no caller", "[unit][http]") {
  Door door;
  CHECK(door.ask(Method::get, "/open").status == 200);
  CHECK(door.gate->in_flight() == 0);
}

TEST_CASE("gate: no route, another method, OPTIONS", "[unit][http]") {
  Door door;
  CHECK(says(door.ask(Method::get, "/nothing"), "not_found"));
  const Response other = door.ask(Method::put, "/send");
  CHECK(says(other, "method_not_allowed"));
  CHECK(header(other, "Allow") == "POST, OPTIONS");
  const Response options = door.ask(Method::options, "/open");
  CHECK(options.status == 204);
  CHECK(header(options, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(says(door.ask(Method::options, "/nothing"), "not_found"));
}

TEST_CASE("gate: without a token nothing is reached", "[unit][http]") {
  Door door;
  CHECK(says(door.ask(Method::post, "/send"), "unauthenticated"));
  CHECK(door.served.empty());
}

TEST_CASE("gate: a body is JSON in UTF-8 and no larger than its route takes", "[unit][http]") {
  Door door;
  const auto send = [&](std::string type, std::string body) {
    auto headers = kJson;
    headers[1].second = std::move(type);
    return door.ask(Method::post, "/send", headers, std::move(body));
  };
  for (const auto* good : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "application/json;charset=\"UTF-8\""})
    CHECK(send(good, "{}").status == 201);
  for (const auto* bad : {"", "text/plain", "application/jsonx", "application/json; charset=latin1", "application/json;a=b",
                          "application/json; charset=utf-8; a=b"}) {
    INFO(bad);
    CHECK(says(send(bad, "{}"), "unsupported_media_type"));
  }
  CHECK(send("text/plain", "").status == 201);   // nothing is of no type
  CHECK(says(door.ask(Method::post, "/send", {{"authorization", "x"}}, "{}"), "unsupported_media_type"));
  CHECK(send("application/json", std::string(20, ' ')).status == 201);
  CHECK(says(send("application/json", std::string(21, ' ')), "too_large"));
}

TEST_CASE("gate: every answer carries the rate headers, a refusal says when", "[unit][http]") {
  Door door;
  door.rate.policies = {{"user", 10, 60, 3, 42}, {"app", 100, 60, 50, 42}};
  const Response good = door.ask(Method::post, "/send", kJson, "{}");
  CHECK(header(good, "RateLimit-Policy") == R"("user";q=10;w=60, "app";q=100;w=60)");
  CHECK(header(good, "RateLimit") == R"("user";r=3;t=42)");
  door.rate.allowed = false;
  door.rate.retry_after_s = 7;
  const Response refused = door.ask(Method::post, "/send", kJson, "{}");
  CHECK(says(refused, "rate_limited"));
  CHECK(header(refused, "Retry-After") == "7");
  CHECK(header(refused, "RateLimit") == R"("user";r=3;t=42)");
  CHECK(door.served == Served{{201, true}, {429, false}});
}

TEST_CASE("gate: what a handler throws or forgets is internal and leaks nothing", "[unit][http]") {
  Door door;
  for (const auto* path : {"/throw", "/drop"}) {
    INFO(path);
    const Response response = door.ask(Method::post, path, kJson, "{}");
    CHECK(response.status == 500);
    CHECK(says(response, "internal"));
    CHECK(response.body.find("secret") == std::string::npos);
  }
  CHECK(door.kept);
  CHECK(door.ask(Method::post, "/twice", kJson, "{}").body == "1");
  CHECK(door.gate->in_flight() == 0);
}

TEST_CASE("gate: what an asynchronous handler refuses keeps its own code", "[unit][http]") {
  Door door;
  door.add(Method::post, "/refuse", Access::user_or_server, [](std::shared_ptr<Request> request, Responder respond) {
    if (request && respond) throw Error(Code::quota_exceeded, "The month is full.");
  });
  CHECK(says(door.ask(Method::post, "/refuse", kJson, "{}"), "quota_exceeded"));
  CHECK(door.gate->in_flight() == 0);
}

TEST_CASE("gate: without the database, what needs it is unavailable and the rest goes on", "[unit][http]") {
  Door door;
  CHECK(says(door.ask(Method::post, "/stored", kJson), "unavailable"));
  CHECK(door.ask(Method::post, "/send", {{"authorization", "cold"}}).status == 201);   // asked, and found without it
  door.pool.stop();
  const Response refused = door.ask(Method::post, "/stored", kJson);
  CHECK(says(refused, "unavailable"));
  CHECK(header(refused, "Retry-After") == "1");
  CHECK(says(door.ask(Method::post, "/send", {{"authorization", "cold"}}), "unavailable"));
}

TEST_CASE("gate: counts every request by operation and class of answer", "[unit][http]") {
  Door door;
  const auto count = [](const char* operation, const char* code_class) {
    return metrics::counter("chat_http_requests_total", "", {{"door", "unit"}, {"operation", operation}, {"code_class", code_class}})
        .value();
  };
  const double good = count("send", "2xx"), bad = count("send", "4xx"), none = count("none", "4xx");
  door.ask(Method::post, "/send", kJson, "{}");
  door.ask(Method::post, "/send");
  door.ask(Method::post, "/nothing");
  CHECK(count("send", "2xx") == good + 1);
  CHECK(count("send", "4xx") == bad + 1);
  CHECK(count("none", "4xx") == none + 1);
}

}  // namespace
}  // namespace chat::http
