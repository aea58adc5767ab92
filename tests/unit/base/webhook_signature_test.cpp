#include "platform/base/webhook_signature.h"

#include <catch2/catch.hpp>

using namespace chat;
using namespace chat::webhook;

// Vectors of the Standard Webhooks libraries and of Svix, as shared by their test suites.
namespace {

constexpr const char* kSecretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kIdA = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t kTimeA = 1614265330;
constexpr const char* kBodyA = R"({"test": 2432232314})";
constexpr const char* kSignatureA = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

Timestamp at(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }
Key key(std::string_view text) {
  auto parsed = parse_key(text);
  REQUIRE(parsed);
  return *parsed;
}
std::string judge(std::string_view secret, std::string_view signature, std::int64_t now = kTimeA, std::string_view body = kBodyA) {
  return verify(key(secret), {kIdA, std::to_string(kTimeA), signature, body}, at(now));
}

}  // namespace

TEST_CASE("webhook signature: the published vectors of v1", "[webhooks]") {
  CHECK(sign(key(kSecretA), kIdA, kTimeA, kBodyA) == kSignatureA);
  CHECK(sign(key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553,
             R"({"email":"test@example.com","username":"test_user"})") == "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
  CHECK(sign(key("whsec_plJ3nmyCDGBKInavdOK15jsl"), "msg_loFOjxBNrRLzqYUf", 1731705121,
             R"({"event_type":"ping","data":{"success":true}})") == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
  CHECK(sign(key(kSecretA), kIdA, kTimeA, "") == "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=");
  CHECK(sign(key(kSecretA), kIdA, kTimeA, R"({"text":"héllo 👋"})") == "v1,mF3q1GZpstYd3iSwftLFyonQPG3DJ0pGH4OtSFJL+Vs=");
}

TEST_CASE("webhook signature: the published vector of v1a, signed and verified", "[webhooks]") {
  const auto pair = key("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==");
  const std::string signature = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
  CHECK(sign(pair, kIdA, kTimeA, kBodyA) == signature);
  CHECK(pair.public_half().text() == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
  CHECK(judge(pair.public_half().text(), signature) == "");
  CHECK(judge(pair.text(), signature) == "");
  CHECK(judge(pair.text(), "v1," + signature.substr(4)) != "");
  CHECK(judge(pair.public_half().text(), signature, kTimeA, "{}") != "");
}

TEST_CASE("webhook signature: verified as the reference libraries do", "[webhooks]") {
  CHECK(judge(kSecretA, kSignatureA) == "");
  CHECK(judge("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", kSignatureA) == "");
  CHECK(judge(kSecretA, std::string("v2,xxxx v1,bm9wZQ== ") + kSignatureA) == "");
  CHECK(judge(kSecretA, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=") != "");
  CHECK(judge(kSecretA, "v1,") != "");
  CHECK(judge(kSecretA, "v1") != "");
  CHECK(judge(kSecretA, "v1,g0hM9SsE") != "");
  CHECK(judge(kSecretA, "") == "There is no webhook-signature.");
  CHECK(judge(kSecretA, kSignatureA, kTimeA + 300) == "");
  CHECK(judge(kSecretA, kSignatureA, kTimeA + 301) == "The webhook-timestamp is too old.");
  CHECK(judge(kSecretA, kSignatureA, kTimeA - 300) == "");
  CHECK(judge(kSecretA, kSignatureA, kTimeA - 301) == "The webhook-timestamp lies in the future.");
  CHECK(verify(key(kSecretA), {"", "1", kSignatureA, ""}, at(1)) == "There is no webhook-id.");
  CHECK(verify(key(kSecretA), {kIdA, "soon", kSignatureA, kBodyA}, at(kTimeA)) == "The webhook-timestamp is no number of seconds.");
  const auto time = "0" + std::to_string(kTimeA);
  const Received old{kIdA, time, kSignatureA, kBodyA};
  CHECK(verify(key(kSecretA), old, at(1), std::nullopt) != "");   // signed are the bytes, not the number
  CHECK(verify(key(kSecretA), {kIdA, "1614265330", kSignatureA, kBodyA}, at(1), std::nullopt) == "");
}

TEST_CASE("webhook signature: keys are read padded or not, and mistakes are named", "[webhooks]") {
  std::string why;
  CHECK(parse_key("whsec_YQ")->bytes == "a");
  CHECK(parse_key("YWI")->bytes == "ab");
  CHECK(parse_key("whsec_YWJj")->bytes == "abc");
  for (const auto* empty : {"", "whsec_"}) CHECK_FALSE(parse_key(empty, &why));
  CHECK(why == "The secret is empty.");
  CHECK_FALSE(parse_key("v1,whsec_YWJj", &why));
  CHECK(why.find("whsec_") != std::string::npos);
  CHECK_FALSE(parse_key("whsec_?", &why));
  CHECK(why == "This is no base64.");
  CHECK_FALSE(parse_key("whpk_YWJj", &why));
  CHECK(make_key(Scheme::v1).bytes.size() == 32);
  CHECK(make_key(Scheme::v1).text() != make_key(Scheme::v1).text());
  const auto made = make_key(Scheme::v1a);
  CHECK(verify(made.public_half(), {"a", "7", sign(made, "a", 7, "b"), "b"}, at(7)) == "");
}
