#include <catch2/catch.hpp>

#include "platform/base/crypto.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string jwt(const std::string& header, const std::string& payload, const std::string& secret) {
  auto signed_part = crypto::base64url(header) + "." + crypto::base64url(payload);
  return signed_part + "." + crypto::base64url(crypto::hmac_sha256(secret, signed_part));
}
constexpr const char* kHs256 = R"({"alg":"HS256","typ":"JWT"})";

std::int64_t now_s() { return std::chrono::duration_cast<std::chrono::seconds>(system_clock().now().time_since_epoch()).count(); }
std::string user_claims(std::int64_t issued_at, const std::string& more = "") {
  return R"({"user_id":"alice","iat":)" + std::to_string(issued_at) + more + "}";
}

}  // namespace

TEST_CASE("tokens: a well signed token opens the door", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice"});
  CHECK(app.with_token(jwt(kHs256, user_claims(now_s()), app.secret())).get("/v1/users/alice").status == 200);
  CHECK(app.with_token(jwt(kHs256, R"({"server":true,"iat":)" + std::to_string(now_s()) + "}", app.secret())).get("/v1/app").status == 200);
}

TEST_CASE("tokens: whatever is not one is refused with 401 and one code", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice"});
  const auto good = user_claims(now_s());
  const std::vector<std::pair<std::string, std::string>> broken{
      {"no token", ""},
      {"no dots", "abc"},
      {"alg none", crypto::base64url(R"({"alg":"none"})") + "." + crypto::base64url(good) + "."},
      {"alg none with a signature", jwt(R"({"alg":"none"})", good, app.secret())},
      {"another alg", jwt(R"({"alg":"HS512"})", good, app.secret())},
      {"crit", jwt(R"({"alg":"HS256","crit":["x"]})", good, app.secret())},
      {"another secret", jwt(kHs256, good, "sk_somebody_elses")},
      {"an empty secret", jwt(kHs256, good, "")},
      {"no iat", jwt(kHs256, R"({"user_id":"alice"})", app.secret())},
      {"an iat in the future", jwt(kHs256, user_claims(now_s() + 3600), app.secret())},
      {"an iat that is text", jwt(kHs256, R"({"user_id":"alice","iat":"1"})", app.secret())},
      {"a user and a server", jwt(kHs256, R"({"user_id":"alice","server":true,"iat":1})", app.secret())},
      {"neither", jwt(kHs256, R"({"iat":1})", app.secret())},
      {"not valid yet", jwt(kHs256, user_claims(now_s(), R"(,"nbf":)" + std::to_string(now_s() + 3600)), app.secret())},
      {"a payload that is no JSON", jwt(kHs256, "{", app.secret())},
      {"a payload with a key twice", jwt(kHs256, R"({"user_id":"alice","user_id":"bob","iat":1})", app.secret())},
      {"a cut signature", jwt(kHs256, good, app.secret()).substr(0, 60)},
      {"padding", jwt(kHs256, good, app.secret()) + "="},
      {"a fourth part", jwt(kHs256, good, app.secret()) + ".x"},
      {"5 KiB", std::string(5 * 1024, 'a') + ".b.c"},
  };
  for (const auto& [what, token] : broken) {
    INFO(what);
    auto answer = app.with_token(token).get("/v1/users/alice");
    CHECK(answer.status == 401);
    CHECK(answer.code() == "unauthenticated");
  }
}

TEST_CASE("tokens: an expired one says so, so that the client asks for another", "[api][tokens]") {
  TestApp app;
  auto token = jwt(kHs256, user_claims(now_s() - 7200, R"(,"exp":)" + std::to_string(now_s() - 3600)), app.secret());
  CHECK(app.with_token(token).get("/v1/users/alice").code() == "token_expired");
}

TEST_CASE("tokens: another application's key or secret opens nothing", "[api][tokens][tenancy]") {
  TestApp mine, theirs;
  mine.add_users({"alice"});
  Actor crossed(Service::get().port(), {{"X-API-Key", mine.key()}, {"Authorization", "Bearer " + theirs.token("")}});
  CHECK(crossed.get("/v1/app").code() == "unauthenticated");
  Actor unknown(Service::get().port(), {{"X-API-Key", "key_01h455vb4pex5vsknk084sn02q"}, {"Authorization", "Bearer " + mine.token("")}});
  CHECK(unknown.get("/v1/app").code() == "unauthenticated");
  Actor keyless(Service::get().port(), {{"Authorization", "Bearer " + mine.token("")}});
  CHECK(keyless.get("/v1/app").code() == "unauthenticated");
}

TEST_CASE("tokens: a user's token does not open the server's routes", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice"});
  CHECK(app.user("alice").get("/v1/usage").code() == "forbidden");
  CHECK(app.user("alice").post("/v1/users", {{"users", {{{"user_id", "eve"}}}}}).code() == "forbidden");
  CHECK(app.rows("users") == 1);
}

TEST_CASE("tokens: revoking a user's or the application's tokens kills the earlier ones only", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto old = app.with_token(jwt(kHs256, user_claims(now_s() - 100), app.secret()));
  REQUIRE(old.get("/v1/users/alice").status == 200);
  REQUIRE(app.server().post("/v1/users/alice/revoke_tokens", {{"before", format_time(system_clock().now() - std::chrono::seconds(10))}}).status == 204);
  CHECK(old.get("/v1/users/alice").code() == "token_revoked");
  CHECK(app.user("alice").get("/v1/users/alice").status == 200);
  CHECK(app.user("bob").get("/v1/users/alice").status == 200);

  auto bob = app.with_token(jwt(kHs256, R"({"user_id":"bob","iat":)" + std::to_string(now_s() - 100) + "}", app.secret()));
  REQUIRE(bob.get("/v1/users/alice").status == 200);
  REQUIRE(app.server().post("/v1/app/revoke_tokens", {{"before", format_time(system_clock().now() - std::chrono::seconds(10))}}).status == 204);
  CHECK(bob.get("/v1/users/alice").code() == "token_revoked");
  CHECK(app.user("bob").get("/v1/users/alice").status == 200);
}

TEST_CASE("tokens: sockets opened with a revoked token close within a second", "[api][tokens][ws]") {
  TestApp app;
  app.add_users({"alice", "bob"});
  auto alice = app.connect("alice");
  auto bob = app.connect("bob");
  REQUIRE(app.server().post("/v1/users/alice/revoke_tokens", {{"before", format_time(system_clock().now() + std::chrono::seconds(2))}}).status == 204);
  CHECK(alice.wait_closed(std::chrono::milliseconds(1000)) == 4504);
  CHECK_FALSE(bob.wait_closed(std::chrono::milliseconds(200)));
}
