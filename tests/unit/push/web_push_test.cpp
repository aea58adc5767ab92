#include "platform/push/web_push.h"

#include <catch2/catch.hpp>

#include "platform/base/crypto.h"

namespace chat::push {
namespace {

std::string bytes(const char* base64url) { return crypto::parse_base64url(base64url).value(); }

}  // namespace

// Source:  RFC 8291, section 5 and appendix A
TEST_CASE("web push: the example of RFC 8291 comes out byte for byte", "[unit][push]") {
  const Subscription subscription{
      "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
      bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"), bytes("BTBZMqHH6r4Tts7J_aSIgg")};
  const auto sender = PrivateKey::from_p256(bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"));
  REQUIRE(sender);
  CHECK(crypto::base64url(sender->public_point()) ==
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
  const auto body = encrypt(subscription, "When I grow up, I want to be a watermelon", *sender, bytes("DGv6ra1nlYgDCS1FRnbzlw"));
  REQUIRE(body);
  CHECK(crypto::base64url(*body) ==
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

TEST_CASE("web push: a subscription is read as browsers write it, and nothing else is", "[unit][push]") {
  const std::string p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
  const auto written = [](const std::string& point, const std::string& auth) {
    return R"({"endpoint":"https://push.example.net/x","expirationTime":null,"keys":{"p256dh":")" + point + R"(","auth":")" + auth + "\"}}";
  };
  const auto subscription = parse_subscription(written(p256dh, "BTBZMqHH6r4Tts7J_aSIgg"));
  REQUIRE(subscription);
  CHECK(subscription->endpoint == "https://push.example.net/x");
  CHECK(subscription->auth.size() == 16);
  CHECK_FALSE(parse_subscription(written(p256dh, "AAAA")));
  CHECK_FALSE(parse_subscription(written("AAAA", "BTBZMqHH6r4Tts7J_aSIgg")));
  for (const char* text : {"", "{}", "[]", "token", R"({"endpoint":1,"keys":{}})", R"({"endpoint":"https://x","keys":[]})"}) {
    INFO(text);
    CHECK_FALSE(parse_subscription(text));
  }
}

TEST_CASE("web push: a point that is not on the curve is not encrypted for", "[unit][push]") {
  const Subscription subscription{"https://push.example.net/x", "\x04" + std::string(64, 'a'), std::string(16, 'b')};
  CHECK_FALSE(encrypt(subscription, "x", PrivateKey::make_p256(), std::string(16, 's')));
}

}  // namespace chat::push
