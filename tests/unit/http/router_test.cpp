#include "platform/http/router.h"

#include <catch2/catch.hpp>

namespace chat::http {
namespace {

void add(Router& router, Method method, std::string pattern) {
  Route route;
  route.method = method;
  route.operation = std::string(word(method)) + " " + pattern;
  route.pattern = std::move(pattern);
  route.async = [](std::shared_ptr<Request>, Responder) {};
  router.add(std::move(route));
}

Router sample() {
  Router router;
  add(router, Method::get, "/");
  add(router, Method::get, "/v1/channels/{type}/{id}");
  add(router, Method::del, "/v1/channels/{type}/{id}");
  add(router, Method::post, "/v1/channels/{type}/{id}/messages");
  add(router, Method::post, "/v1/channels/query");
  add(router, Method::get, "/v1/channels/query/{what}");
  add(router, Method::get, "/v1/users/{user_id}");
  return router;
}

struct Found {
  std::string operation;   // empty: none
  Request request;
  Router::Match match;
};
Found find(Method method, std::string path) {
  static const Router router = sample();
  Found found;
  found.request.method = method;
  found.request.path = std::move(path);
  found.match = router.match(found.request);
  if (found.match.route) found.operation = found.match.route->operation;
  return found;
}

TEST_CASE("router: parts are decoded and named", "[unit][http]") {
  const Found found = find(Method::get, "/v1/channels/team%20a/g%C3%BCn+ther");
  CHECK(found.operation == "GET /v1/channels/{type}/{id}");
  CHECK(found.request.route == found.match.route);
  CHECK(found.request.part("type") == "team a");
  CHECK(found.request.part("id") == "g\xc3\xbcn+ther");
  CHECK(find(Method::get, "/v1/users/a%2Fb").request.part("user_id") == "a/b");
  CHECK(find(Method::get, "/").operation == "GET /");
}

TEST_CASE("router: literals win over parts, and a dead end goes back", "[unit][http]") {
  CHECK(find(Method::get, "/v1/channels/query/x").operation == "GET /v1/channels/query/{what}");
  CHECK(find(Method::del, "/v1/channels/query/x").operation == "DELETE /v1/channels/{type}/{id}");
  CHECK(find(Method::post, "/v1/channels/query/x/messages").operation == "POST /v1/channels/{type}/{id}/messages");
  CHECK(find(Method::get, "/%76%31/users/a").operation == "GET /v1/users/{user_id}");
}

TEST_CASE("router: HEAD is answered by GET", "[unit][http]") {
  CHECK(find(Method::head, "/v1/users/a").operation == "GET /v1/users/{user_id}");
  CHECK(find(Method::head, "/v1/channels/query").operation.empty());
}

TEST_CASE("router: another method of a known path says which it has", "[unit][http]") {
  const Found found = find(Method::put, "/v1/channels/a/b");
  CHECK(found.operation.empty());
  CHECK(found.match.other_method);
  CHECK(found.match.allow == "GET, HEAD, DELETE, OPTIONS");
  CHECK(find(Method::options, "/v1/channels/query").match.allow == "POST, OPTIONS");
  CHECK(find(Method::patch, "/v1/channels/query/x").match.allow == "GET, HEAD, DELETE, OPTIONS");
}

TEST_CASE("router: what no route has matches nothing", "[unit][http]") {
  for (const auto* path : {"", "*", "/v1", "/v1/", "/v1/users", "/v1/users/", "/v1/users//", "//v1/users/a", "/v1/users/a/",
                           "/v1/users/a/b", "/V1/users/a", "/v1/users/%", "/v1/users/%2", "/v1/users/%zz",
                           "/v1/users/a%00b", "/v1/users/%ff", "/v1/users/%c0%af", "/v1/users/\xff", "/v1%2Fusers/a"}) {
    INFO(path);
    const Found found = find(Method::get, path);
    CHECK(found.operation.empty());
    CHECK_FALSE(found.match.other_method);
    CHECK(found.request.route == nullptr);
  }
  CHECK(find(Method::get, std::string(30'000, '/')).operation.empty());
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "/a";
  CHECK(find(Method::get, deep).operation.empty());
}

TEST_CASE("router: lists its routes in the order in which they were added", "[unit][http]") {
  const Router router = sample();
  REQUIRE(router.routes().size() == 7);
  CHECK(router.routes().front()->pattern == "/");
  CHECK(router.routes().back()->pattern == "/v1/users/{user_id}");
}

}  // namespace
}  // namespace chat::http
