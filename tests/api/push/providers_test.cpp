#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>

#include "platform/base/crypto.h"
#include "platform/push/keys.h"
#include "platform/push/provider.h"
#include "tests/support/receiver.h"

namespace chat::push {
namespace {

using nlohmann::json;
using test::on_loopback;
using test::Receiver;
using namespace std::chrono_literals;

Receipt send(Provider& provider, const std::string& token, const Notification& notification) {
  auto promise = std::make_shared<std::promise<Receipt>>();
  auto future = promise->get_future();
  provider.send(token, notification, [promise](Receipt receipt) { promise->set_value(std::move(receipt)); });
  REQUIRE(future.wait_for(15s) == std::future_status::ready);
  return future.get();
}

Notification hello() {
  Notification notification;
  notification.title = "Alice";
  notification.body = "Hello \"Bob\"";
  notification.collapse_key = "messaging:general";
  notification.badge = 3;
  notification.data = {{"cid", "messaging:general"}, {"message_id", "msg_1"}};
  return notification;
}

std::string rsa_pem() {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null", "r"), ::pclose);
  std::string text;
  for (int c; (c = std::fgetc(pipe.get())) != EOF;) text.push_back(static_cast<char>(c));
  return text;
}

json claims_of(const std::string& jwt) {
  const auto first = jwt.find('.');
  return json::parse(crypto::parse_base64url(jwt.substr(first + 1, jwt.rfind('.') - first - 1)).value());
}

/// Google, as far as FCM needs it: a token endpoint and messages:send.
struct Google {
  std::atomic<int> tokens{0};
  std::atomic<int> status{200};
  std::string answer = "{}";
  std::mutex mutex;
  std::vector<http::Request> sends;
  std::string assertion;
  Receiver receiver{[this](http::Request request, const http::Responder& respond) {
    const std::lock_guard lock(mutex);
    if (request.path == "/token") {
      assertion = request.body.substr(request.body.find("assertion=") + 10);
      return respond(http::json(200, R"({"access_token":"ya29.)" + std::to_string(++tokens) + R"(","expires_in":3599,"token_type":"Bearer"})"));
    }
    sends.push_back(std::move(request));
    http::Response response = http::json(status, answer);
    respond(response.with("Retry-After", "17"));
  }};

  [[nodiscard]] Fcm settings() const {
    static const std::string pem = rsa_pem();
    return {json{{"type", "service_account"}, {"project_id", "shop-1"}, {"client_email", "chat@shop-1.iam.example"}, {"private_key", pem},
                 {"token_uri", receiver.url("/token")}}.dump(),
            receiver.url("")};
  }
};

}  // namespace

TEST_CASE("push: FCM gets the message under a bearer token that one assertion bought for many", "[api][push]") {
  Google google;
  outbound::Client client(on_loopback());
  const auto fcm = make_fcm(google.settings(), "acme", client, system_clock());
  CHECK(send(*fcm, "device-1", hello()).verdict == Verdict::sent);
  CHECK(send(*fcm, "device-2", hello()).verdict == Verdict::sent);
  CHECK(google.tokens == 1);
  const json claims = claims_of(google.assertion);
  CHECK(claims["iss"] == "chat@shop-1.iam.example");
  CHECK(claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging");
  CHECK(claims["exp"].get<std::int64_t>() - claims["iat"].get<std::int64_t>() == 3600);
  REQUIRE(google.sends.size() == 2);
  const http::Request& request = google.sends.front();
  CHECK(request.path == "/v1/projects/shop-1/messages:send");
  CHECK(request.header("authorization") == "Bearer ya29.1");
  const json message = json::parse(request.body)["message"];
  CHECK(message["token"] == "device-1");
  CHECK(message["notification"] == json{{"title", "Alice"}, {"body", "Hello \"Bob\""}});
  CHECK(message["data"] == json{{"cid", "messaging:general"}, {"message_id", "msg_1"}});
  CHECK(message["android"]["collapse_key"] == "messaging:general");
  CHECK(message["android"]["priority"] == "high");
  CHECK(message["android"]["ttl"] == "86400s");
  CHECK(message["android"]["notification"]["notification_count"] == 3);
}

TEST_CASE("push: what FCM answers says what becomes of the device", "[api][push]") {
  Google google;
  outbound::Client client(on_loopback());
  const auto fcm = make_fcm(google.settings(), "acme", client, system_clock());
  const auto answering = [&](int status, const std::string& answer) {
    {
      const std::lock_guard lock(google.mutex);
      google.status = status;
      google.answer = answer;
    }
    return send(*fcm, "device", hello());
  };
  CHECK(answering(404, R"({"error":{"code":404,"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}})").verdict == Verdict::gone);
  CHECK(answering(403, R"({"error":{"details":[{"errorCode":"SENDER_ID_MISMATCH"}]}})").verdict == Verdict::gone);
  CHECK(answering(400, R"({"error":{"details":[{"errorCode":"INVALID_ARGUMENT"}]}})").verdict == Verdict::refused);
  const Receipt busy = answering(503, "{}");
  CHECK(busy.verdict == Verdict::later);
  CHECK(busy.retry_after == 17s);
  CHECK(answering(429, "{}").verdict == Verdict::later);
  CHECK(google.tokens == 1);
  CHECK(answering(401, "{}").verdict == Verdict::later);
  CHECK(answering(200, "{}").verdict == Verdict::sent);
  CHECK(google.tokens == 2);                             // the withdrawn one was replaced
}

TEST_CASE("push: many notifications at once ask for one access token", "[api][push]") {
  Google google;
  outbound::Client client(on_loopback());
  const auto fcm = make_fcm(google.settings(), "acme", client, system_clock());
  std::atomic<int> sent{0};
  std::promise<void> all;
  for (int i = 0; i < 100; ++i) {
    fcm->send("device-" + std::to_string(i), hello(), [&](const Receipt& receipt) {
      if (receipt.verdict == Verdict::sent && ++sent == 100) all.set_value();
    });
  }
  CHECK(all.get_future().wait_for(15s) == std::future_status::ready);
  CHECK(google.tokens == 1);
}

TEST_CASE("push: a browser gets an encrypted record with a signed claim for its own service", "[api][push]") {
  std::promise<http::Request> asked;
  Receiver service([&](http::Request request, const http::Responder& respond) {
    asked.set_value(std::move(request));
    respond(http::json(201, ""));
  });
  outbound::Client client(on_loopback());
  const WebPush settings{crypto::base64url(crypto::sha256("a scalar")), "mailto:ops@example.com"};
  const auto provider = make_web_push(settings, "acme", client, system_clock());
  const PrivateKey browser = PrivateKey::make_p256();
  const json subscription{{"endpoint", service.url("/push/abc")},
                          {"keys", {{"p256dh", crypto::base64url(browser.public_point())}, {"auth", crypto::base64url(std::string(16, 'a'))}}}};
  CHECK(send(*provider, subscription.dump(), hello()).verdict == Verdict::sent);

  const http::Request request = asked.get_future().get();
  CHECK(request.path == "/push/abc");
  CHECK(request.header("content-encoding") == "aes128gcm");
  CHECK(request.header("ttl") == "86400");
  CHECK(request.header("urgency") == "high");
  CHECK(request.header("topic").value_or("").size() == 32);
  const std::string authorization(request.header("authorization").value());
  const std::string key = web_push_public_key(settings);
  REQUIRE(authorization.rfind("vapid t=", 0) == 0);
  CHECK(authorization.substr(authorization.find(", k=") + 4) == key);
  const json claims = claims_of(authorization.substr(8, authorization.find(", k=") - 8));
  CHECK(claims["aud"] == service.url("").substr(0, service.url("").size()));
  CHECK(claims["sub"] == "mailto:ops@example.com");
  // RFC 8188: salt, record size, length of the key, key; then one record with its tag.
  const std::string& body = request.body;
  CHECK(body.substr(16, 4) == std::string("\0\0\x10\0", 4));
  CHECK(static_cast<int>(body[20]) == 65);
  CHECK(browser.agree(body.substr(21, 65)).has_value());
  CHECK(body.size() < 4096);
  CHECK(body.find("Alice") == std::string::npos);
}

TEST_CASE("push: a browser's dead or private endpoint is forgotten", "[api][push]") {
  Receiver gone([](const http::Request&, const http::Responder& respond) { respond(http::json(410, "")); });
  outbound::Client open(on_loopback());
  outbound::Client::Options strict_options;
  strict_options.allows_http = true;
  outbound::Client strict(strict_options);
  const WebPush settings{crypto::base64url(crypto::sha256("a scalar")), "mailto:ops@example.com"};
  const json subscription{{"endpoint", gone.url("/x")},
                          {"keys", {{"p256dh", crypto::base64url(PrivateKey::make_p256().public_point())}, {"auth", crypto::base64url(std::string(16, 'a'))}}}};
  CHECK(send(*make_web_push(settings, "acme", open, system_clock()), subscription.dump(), hello()).verdict == Verdict::gone);
  CHECK(gone.seen().size() == 1);
  CHECK(send(*make_web_push(settings, "acme", strict, system_clock()), subscription.dump(), hello()).verdict == Verdict::gone);
  CHECK(gone.seen().size() == 1);                        // the guard let nothing through
  CHECK(send(*make_web_push(settings, "acme", open, system_clock()), "no subscription", hello()).verdict == Verdict::gone);
  Notification large = hello();
  large.body = std::string(5000, 'x');
  CHECK(send(*make_web_push(settings, "acme", open, system_clock()), subscription.dump(), large).verdict == Verdict::refused);
}

TEST_CASE("push: credentials that are none are refused when the provider is made", "[api][push]") {
  outbound::Client client(on_loopback());
  CHECK_THROWS_AS(make_fcm({"{}", ""}, "acme", client, system_clock()), Error);
  CHECK_THROWS_AS(make_fcm({"no json", ""}, "acme", client, system_clock()), Error);
  CHECK_THROWS_AS(make_apns({"no key", "k", "t", "topic", ""}, "acme", client, system_clock()), Error);
  CHECK_THROWS_AS(make_web_push({"short", "mailto:a@b.c"}, "acme", client, system_clock()), Error);
  CHECK_THROWS_AS(make_web_push({crypto::base64url(crypto::sha256("x")), "nobody"}, "acme", client, system_clock()), Error);
}

}  // namespace chat::push
