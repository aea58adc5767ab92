#include <catch2/catch.hpp>

#include "platform/base/crypto.h"
#include "platform/base/id.h"
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

TEST_CASE("tokens: one token is revoked by its id, on every node, and every other one stays good", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice"});
  const auto expires_at = format_time(system_clock().now() + std::chrono::hours(1));
  const auto with_id = [&](const std::string& id) { return app.with_token(jwt(kHs256, user_claims(now_s() - 5, R"(,"jti":")" + id + "\""), app.secret())); };
  auto phone = with_id("phone"), laptop = with_id("laptop");
  auto server = app.with_token(jwt(kHs256, R"({"server":true,"jti":"backend","iat":)" + std::to_string(now_s()) + "}", app.secret()));
  REQUIRE(phone.get("/v1/users/alice").status == 200);
  REQUIRE(server.get("/v1/app").status == 200);
  for (int i = 0; i < 2; ++i) REQUIRE(app.server().post("/v1/app/revoke_tokens", {{"token_id", "phone"}, {"expires_at", expires_at}}).status == 204);
  eventually("the phone's is dead everywhere", [&] {
    return phone.get("/v1/users/alice").code() == "token_revoked" && phone.get("/v1/users/alice").code() == "token_revoked";
  });
  CHECK(laptop.get("/v1/users/alice").status == 200);
  CHECK(app.user("alice").get("/v1/users/alice").status == 200);
  CHECK(app.rows("revoked_tokens", "token_id = 'phone'") == 1);

  REQUIRE(Service::get().operators().post("/operator/v1/applications/" + app.id() + "/revoke_tokens", {{"token_id", "backend"}}).status == 204);
  eventually("the backend's is dead everywhere", [&] {
    return server.get("/v1/app").code() == "token_revoked" && server.get("/v1/app").code() == "token_revoked";
  });
  CHECK(app.server().get("/v1/app").status == 200);
  TestApp other;
  CHECK(other.with_token(jwt(kHs256, R"({"server":true,"jti":"backend","iat":)" + std::to_string(now_s()) + "}", other.secret())).get("/v1/app").status == 200);
}

TEST_CASE("tokens: only the sockets of the revoked token close, also after it came with an auth frame", "[api][tokens][ws]") {
  TestApp app;
  app.add_users({"alice"});
  const auto open = [&](const std::string& id) {
    const auto token = jwt(kHs256, user_claims(now_s() - 5, R"(,"jti":")" + id + "\""), app.secret());
    WsClient client({.port = Service::get().ports().back(), .api_key = app.key(), .token = token});
    client.wait_for("connection.ready");
    return client;
  };
  auto phone = open("phone"), laptop = open("laptop"), tablet = open("tablet");
  tablet.send({{"type", "auth"}, {"api_key", app.key()}, {"token", jwt(kHs256, user_claims(now_s() - 5, R"(,"jti":"tablet2")"), app.secret())}, {"ref", "1"}});
  tablet.wait_for("auth.done");
  REQUIRE(app.server().post("/v1/app/revoke_tokens", {{"token_id", "phone"}}).status == 204);
  CHECK(phone.wait_closed(std::chrono::seconds(5)) == 4504);
  REQUIRE(app.server().post("/v1/app/revoke_tokens", {{"token_id", "tablet"}}).status == 204);
  REQUIRE(app.server().post("/v1/app/revoke_tokens", {{"token_id", "tablet2"}}).status == 204);
  CHECK(tablet.wait_closed(std::chrono::seconds(5)) == 4504);
  CHECK_FALSE(laptop.wait_closed(std::chrono::milliseconds(200)));
}

TEST_CASE("tokens: with a secret end the sockets that it let in, at once or when its time is over", "[api][tokens][ws]") {
  TestApp app;
  const auto signed_with = [&](const std::string& secret) {
    WsClient client({.port = Service::get().ports().front(), .api_key = app.key(),
                     .token = jwt(kHs256, R"({"server":true,"iat":)" + std::to_string(now_s()) + "}", secret)});
    client.wait_for("connection.ready");
    return client;
  };
  const std::string first = app.server().get("/v1/app/keys").body["secrets"][0]["secret_id"];
  const auto second = app.server().post("/v1/app/secrets").body["secret"], third = app.server().post("/v1/app/secrets").body["secret"];
  auto leaked = signed_with(app.secret()), expiring = signed_with(second["value"]), kept = signed_with(third["value"]);
  REQUIRE(Service::get().operators().del("/operator/v1/applications/" + app.id() + ("/secrets/" + first)).status == 204);
  CHECK(leaked.wait_closed(std::chrono::seconds(5)) == 4504);
  REQUIRE(Service::get().operators().post("/operator/v1/applications/" + app.id() + ("/secrets/" + second["secret_id"].get<std::string>() + "/expire"), {{"in_s", 1}}).status == 200);
  eventually("the other one, too", [&] {
    Service::get().node().run_job("close_what_ended");
    return expiring.wait_closed(std::chrono::milliseconds(50)) == 4504;
  });
  CHECK_FALSE(kept.wait_closed(std::chrono::milliseconds(200)));
}

TEST_CASE("tokens: a revoked one is remembered until it has expired, the longest that was said", "[api][tokens]") {
  TestApp app;
  const auto in = [](int seconds) { return format_time(system_clock().now() + std::chrono::seconds(seconds)); };
  const auto revoke = [&](const Json& body) { return app.server().post("/v1/app/revoke_tokens", body); };
  REQUIRE(revoke({{"token_id", "old"}, {"expires_at", in(-3600)}}).status == 204);
  REQUIRE(revoke({{"token_id", "a"}, {"expires_at", in(7200)}}).status == 204);
  CHECK(app.rows("revoked_tokens", "token_id = 'old'") == 0);
  REQUIRE(revoke({{"token_id", "a"}, {"expires_at", in(3600)}}).status == 204);
  CHECK(app.rows("revoked_tokens", "expires_at > now() + interval '90 minutes'") == 1);
  REQUIRE(revoke({{"token_id", "a"}}).status == 204);
  REQUIRE(revoke({{"token_id", "a"}, {"expires_at", in(3600)}}).status == 204);
  CHECK(app.rows("revoked_tokens", "expires_at is null") == 1);
}

TEST_CASE("tokens: a revocation of one token that means more is refused and revokes nothing", "[api][tokens]") {
  TestApp app;
  app.add_users({"alice"});
  const auto operators = "/operator/v1/applications/" + app.id() + "/revoke_tokens";
  const auto now = format_time(system_clock().now());
  CHECK(app.server().post("/v1/app/revoke_tokens", {{"token_id", "a"}, {"before", now}}).pointer() == "#/token_id");
  CHECK(app.server().post("/v1/app/revoke_tokens", {{"expires_at", now}}).pointer() == "#/expires_at");
  CHECK(app.server().post("/v1/app/revoke_tokens", {{"token_id", ""}}).pointer() == "#/token_id");
  CHECK(app.user("alice").post("/v1/app/revoke_tokens", {{"token_id", "a"}}).code() == "forbidden");
  CHECK(Service::get().operators().post(operators, {{"token_id", "a"}, {"user_id", "alice"}}).pointer() == "#/token_id");
  CHECK(app.rows("revoked_tokens") == 0);
  CHECK(app.with_token(jwt(kHs256, user_claims(now_s(), R"(,"jti":7)"), app.secret())).get("/v1/users/alice").code() == "unauthenticated");
  Probe(superuser_database().dsn).run("insert into revoked_tokens select '" + AppId::parse(app.id())->text() + "', 'n' || n, null, now() from generate_series(1, 10000) n");
  CHECK(app.server().post("/v1/app/revoke_tokens", {{"token_id", "one more"}}).code() == "limit_reached");
}
