#include "platform/http/idempotency.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "platform/base/error.h"
#include "platform/http/gate.h"
#include "tests/support/database.h"

namespace chat::test {
namespace {

using namespace chat::http;

struct Caller : Principal {
  explicit Caller(AppId of) : app(of) {}
  AppId app;
};

/// One application at a door with one writing route, whose handler counts its runs and does what the path says.
struct Shop {
  Shop() {
    Route route;
    route.method = Method::post;
    route.pattern = "/{act}";
    route.operation = "buy";
    route.handler = [this](const Request& request, storage::Transaction&) {
      const int run = ++runs;
      const std::string& act = request.part("act");
      if (act == "refuse") throw Error(Code::conflict, "Not now.");
      if (act == "fail") return http::json(500, "{}");
      if (act == "wait") waiting.get_future().wait();
      return http::json(act == "missing" ? 404 : 201, "{\"run\":" + std::to_string(run) + "}");
    };
    router.add(std::move(route));
    GateHooks hooks;
    hooks.authenticate = [this](const Request&) { return std::make_shared<Caller>(app); };
    hooks.authenticate_cold = [this](const Request&, storage::Connection&) { return std::make_shared<Caller>(app); };
    hooks.app_of = [](const Principal& who) { return static_cast<const Caller&>(who).app; };
    hooks.name_of = [](const Principal&) { return "server"; };
    gate.emplace(router, pool, system_clock(), "db", std::move(hooks));
  }
  std::future<Response> ask(std::string path, const std::string& key, std::string body = {}) {
    Request request;
    request.method = Method::post;
    request.path = std::move(path);
    request.headers = {{"content-type", "application/json"}, {"idempotency-key", key}};
    request.body = std::move(body);
    auto answered = std::make_shared<std::promise<Response>>();
    gate->handle(std::move(request), [answered](Response response) { answered->set_value(std::move(response)); });
    return answered->get_future();
  }

  AppId app = AppId::make(system_clock().now());
  std::atomic<int> runs{0};
  std::promise<void> waiting;
  Router router;
  storage::Pool pool{server_database(), 2, 8};
  std::optional<Gate> gate;
};

bool replayed(const Response& response) {
  for (const auto& [name, value] : response.headers)
    if (name == "Idempotency-Replayed") return value == "true";
  return false;
}

TEST_CASE("idempotency: the same request twice runs once and is answered alike", "[db][http]") {
  Shop shop;
  const Response first = shop.ask("/buy", "\"k1\"", "{}").get();
  const Response again = shop.ask("/buy", "k1", "{}").get();
  CHECK(first.status == 201);
  CHECK_FALSE(replayed(first));
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.content_type == first.content_type);
  CHECK(replayed(again));
  CHECK(shop.ask("/buy", "k2", "{}").get().body != first.body);
  CHECK(shop.runs == 2);
}

TEST_CASE("idempotency: the key of another request is a mismatch and runs nothing", "[db][http]") {
  Shop shop;
  shop.ask("/buy", "k", "{}").get();
  CHECK(shop.ask("/buy", "k", "{\"a\":1}").get().status == row_of(Code::idempotency_mismatch).status);
  CHECK(shop.ask("/other", "k", "{}").get().status == row_of(Code::idempotency_mismatch).status);
  CHECK(shop.runs == 1);
}

TEST_CASE("idempotency: another application has keys of its own", "[db][http][tenancy]") {
  Shop one, two;
  CHECK(one.ask("/buy", "k").get().status == 201);
  CHECK_FALSE(replayed(two.ask("/buy", "k").get()));
  CHECK(two.runs == 1);
}

TEST_CASE("idempotency: a refusal and a failure keep nothing, an answered 404 is kept", "[db][http]") {
  Shop shop;
  for (const auto* path : {"/refuse", "/fail"}) {
    const int before = shop.runs;
    for (int i = 0; i < 2; ++i) CHECK_FALSE(replayed(shop.ask(path, path + std::string("key")).get()));
    CHECK(shop.runs == before + 2);
  }
  shop.ask("/missing", "k").get();
  const Response again = shop.ask("/missing", "k").get();
  CHECK(again.status == 404);
  CHECK(replayed(again));
}

TEST_CASE("idempotency: while the first still runs, its twin is told to come back", "[db][http]") {
  Shop shop;
  auto first = shop.ask("/wait", "k");
  while (shop.runs == 0) std::this_thread::yield();
  const Response twin = shop.ask("/wait", "k").get();
  CHECK(twin.status == row_of(Code::idempotency_running).status);
  CHECK(twin.headers.front() == std::pair<std::string, std::string>{"Retry-After", "1"});
  shop.waiting.set_value();
  CHECK(first.get().status == 201);
  CHECK(replayed(shop.ask("/wait", "k").get()));
  CHECK(shop.runs == 1);
}

TEST_CASE("idempotency: keys are forgotten after a day", "[db][http]") {
  Shop shop;
  shop.ask("/buy", "old").get();
  shop.ask("/buy", "new").get();
  Probe outside(superuser_database().dsn);
  const std::string mine = "app_id = '" + shop.app.text() + "'";
  outside.run("update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old' and " + mine);
  shop.pool.transact(AppId{}, [](storage::Transaction& tx) { CHECK(sweep_idempotency_keys(tx) >= 1); });
  CHECK(outside.value("select string_agg(key, ',') from idempotency_keys where " + mine) == "new");
}

}  // namespace
}  // namespace chat::test
