#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/push/keys.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Json phone(const std::string& id, const std::string& token) {
  return {{"device_id", id}, {"provider", "fcm"}, {"platform", "android"}, {"token", token}};
}

Json browser() {
  return {{"device_id", "browser"},
          {"provider", "web"},
          {"platform", "web"},
          {"subscription",
           {{"endpoint", "https://push.example.com/abc"},
            {"expirationTime", nullptr},
            {"keys", {{"p256dh", crypto::base64url(push::PrivateKey::make_p256().public_point())}, {"auth", crypto::base64url(std::string(16, 'a'))}}}}}};
}

struct Two : TestApp {
  Two() { add_users({"alice", "bob"}); }
};

std::string ids(TestApp& app, const std::string& user) {
  std::string out;
  const auto answer = app.user(user).get("/v1/devices");
  for (const auto& device : answer.body["devices"]) out += device["device_id"].get<std::string>() + " ";
  return out;
}

}  // namespace

TEST_CASE("devices: registered, seen again, listed without their token, and forgotten", "[api][devices]") {
  Two app;
  auto bob = app.user("bob");
  auto made = bob.post("/v1/devices", phone("phone", "secret-token-123456"));
  CHECK(made.status == 201);
  CHECK(made.body["device"]["token_end"] == "123456");
  CHECK(made.body["device"]["provider_name"] == "default");
  CHECK(bob.post("/v1/devices", phone("phone", "another-token-654321")).status == 200);
  CHECK(bob.post("/v1/devices", browser()).status == 201);
  auto list = bob.get("/v1/devices");
  REQUIRE(list.body["devices"].size() == 2);
  CHECK(list.body["devices"][0]["device_id"] == "browser");
  CHECK(list.body["devices"][1]["token_end"] == "654321");
  CHECK(list.http.body.find("another-token") == std::string::npos);
  CHECK(list.http.body.find("push.example.com") == std::string::npos);
  CHECK(app.server().get("/v1/devices?user_id=bob").body["devices"].size() == 2);
  CHECK(ids(app, "alice") == "");
  CHECK(app.user("alice").del("/v1/devices/phone").code() == "not_found");
  CHECK(bob.del("/v1/devices/phone").status == 204);
  CHECK(bob.del("/v1/devices/phone").code() == "not_found");
  CHECK(ids(app, "bob") == "browser ");
}

TEST_CASE("devices: a token that another user registers is that user's alone", "[api][devices][tenancy]") {
  Two app, other;
  REQUIRE(app.user("bob").post("/v1/devices", phone("phone", "shared")).status == 201);
  REQUIRE(other.user("bob").post("/v1/devices", phone("phone", "shared")).status == 201);
  REQUIRE(app.user("alice").post("/v1/devices", phone("my phone", "shared")).status == 201);
  CHECK(ids(app, "bob") == "");
  CHECK(ids(app, "alice") == "my phone ");
  CHECK(ids(other, "bob") == "phone ");
}

TEST_CASE("devices: of a user's 26 the one that registered longest ago is forgotten", "[api][devices][limits]") {
  Two app;
  auto bob = app.user("bob");
  for (int i = 0; i < 25; ++i) REQUIRE(bob.post("/v1/devices", phone("d" + std::to_string(i), "t" + std::to_string(i))).status == 201);
  REQUIRE(bob.post("/v1/devices", phone("d0", "t0")).status == 200);
  REQUIRE(bob.post("/v1/devices", phone("d25", "t25")).status == 201);
  CHECK(app.rows("user_devices") == 25);
  CHECK(app.rows("user_devices", "device_id = 'd1'") == 0);
  CHECK(app.rows("user_devices", "device_id in ('d0', 'd25')") == 2);
}

TEST_CASE("devices: forgotten 60 days after they last registered, and with their user", "[api][devices]") {
  Two app;
  REQUIRE(app.user("bob").post("/v1/devices", phone("old", "t1")).status == 201);
  REQUIRE(app.user("bob").post("/v1/devices", phone("new", "t2")).status == 201);
  Probe(superuser_database().dsn).run("update user_devices set seen_at = now() - interval '61 days' where device_id = 'old' and app_id = '" +
                                      AppId::parse(app.id())->text() + "'");
  Service::get().node().run_job("expire_devices");
  CHECK(ids(app, "bob") == "new ");
  REQUIRE(app.server().del("/v1/users/bob?mode=hard").status == 204);
  eventually("the erasure", [&] {
    Service::get().node().run_job("erase_deleted_users");
    return app.rows("user_devices") == 0;
  });
}

TEST_CASE("devices: refused without a trace", "[api][devices][input]") {
  Two app;
  auto bob = app.user("bob");
  auto refused = [&](Json body, const std::string& at) { CHECK(bob.post("/v1/devices", body).pointer() == at); };
  auto without = [](Json body, const char* member) {
    body.erase(member);
    return body;
  };
  refused(without(phone("a", "t"), "device_id"), "#/device_id");
  refused(without(phone("a", "t"), "token"), "#/token");
  refused(phone("a", std::string(4097, 'x')), "#/token");
  refused(without(browser(), "subscription"), "#/subscription");
  auto strange = browser();
  strange["subscription"]["keys"]["auth"] = "short";
  refused(strange, "#/subscription");
  auto both = browser();
  both["token"] = "t";
  refused(both, "#/token");
  auto named = phone("a", "t");
  named["provider_name"] = "No Name";
  refused(named, "#/provider_name");
  CHECK(app.server().post("/v1/devices", phone("a", "t")).pointer() == "#/user_id");
  auto of_alice = phone("a", "t");
  of_alice["user_id"] = "alice";
  CHECK(bob.post("/v1/devices", of_alice).code() == "forbidden");
  of_alice["user_id"] = "nobody";
  CHECK(app.server().post("/v1/devices", of_alice).code() == "not_found");
  CHECK(app.rows("user_devices") == 0);
}

TEST_CASE("devices: one token, registered by two users at once, is one device", "[api][devices]") {
  Two app;
  std::atomic<int> registered{0};
  auto take = [&](const std::string& user) {
    auto actor = app.user(user);
    for (int i = 0; i < 10; ++i) {
      registered += actor.post("/v1/devices", phone(user, "contested")).status / 100 == 2;
    }
  };
  std::thread beside([&] { take("alice"); });
  take("bob");
  beside.join();
  CHECK(registered == 20);
  CHECK(app.rows("user_devices") == 1);
}
