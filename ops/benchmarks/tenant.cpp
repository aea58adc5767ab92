#include "ops/benchmarks/tenant.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>

#include "platform/base/crypto.h"
#include "platform/base/json.h"

namespace chat::bench {
namespace {

constexpr std::size_t kStampDigits = 20;
constexpr std::string_view kTextField = "\"text\":\"";

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line) || line.empty()) throw Failure("cannot read a secret from " + path);
  return line;
}

}  // namespace

Tenant::Tenant(Flags& flags, const std::string& prefix)
    : endpoint_(Endpoint::parse(flags.text("address", "127.0.0.1:8080"))),
      api_key_(flags.text(prefix + "api-key")),
      secret_(first_line(flags.text(prefix + "secret-file"))) {}

std::string Tenant::headers(const std::string& claims) const {
  const std::string signed_part =
      crypto::base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + crypto::base64url(claims);
  const std::string token = signed_part + "." + crypto::base64url(crypto::hmac_sha256(secret_, signed_part));
  return "X-API-Key: " + api_key_ + "\r\nAuthorization: Bearer " + token + "\r\n";
}

std::string Tenant::user_headers(const std::string& user_id) const {
  const std::int64_t issued = std::time(nullptr);
  json::Writer claims;
  claims.object().field("user_id", user_id).field("iat", issued).field("exp", issued + 86'400).end();
  return headers(claims.take());
}

std::string Tenant::server_headers() const {
  json::Writer claims;
  claims.object().key("server").boolean(true).field("iat", static_cast<std::int64_t>(std::time(nullptr))).end();
  return headers(claims.take());
}

void Tenant::must(const std::string& target, const std::string& body) const {
  const Reply reply = call(endpoint_, request_text("POST", target, server_headers(), body));
  if (reply.status != 200 && reply.status != 201)
    throw Failure("POST " + target + " answered " + std::to_string(reply.status) + ": " + reply.body);
}

void Tenant::make_users(const std::vector<std::string>& user_ids) const {
  for (std::size_t at = 0; at < user_ids.size(); at += 100) {
    json::Writer body;
    body.object().key("users").array();
    for (std::size_t i = at; i < std::min(at + 100, user_ids.size()); ++i) body.object().field("user_id", user_ids[i]).end();
    body.end().end();
    must("/v1/users", body.take());
  }
}

void Tenant::make_channel(const std::string& channel_id, const std::vector<std::string>& member_ids) const {
  const std::string target = "/v1/channels/messaging/" + channel_id;
  json::Writer channel;
  channel.object().field("created_by", member_ids.front()).end();
  must(target, channel.take());
  for (std::size_t at = 0; at < member_ids.size(); at += 100) {
    json::Writer body;
    body.object().key("members").array();
    for (std::size_t i = at; i < std::min(at + 100, member_ids.size()); ++i) body.text(member_ids[i]);
    body.end().end();
    must(target + "/members", body.take());
  }
}

std::vector<std::string> names(const std::string& stem, std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(stem + std::to_string(i));
  return out;
}

StampedSend::StampedSend(const Tenant& tenant, const std::string& user_id, const std::string& channel_id,
                         std::size_t text_bytes) {
  std::string text(std::max(text_bytes, kStampDigits + 1), 'x');
  text.replace(0, kStampDigits + 1, std::string(kStampDigits, '0') + " ");
  json::Writer body;
  body.object().field("text", text).end();
  request_ = request_text("POST", "/v1/channels/messaging/" + channel_id + "/messages", tenant.user_headers(user_id),
                          body.take());
  stamp_at_ = request_.find(kTextField) + kTextField.size();
}

std::string_view StampedSend::stamped(Nanos stamp) {
  for (std::size_t i = kStampDigits; i-- > 0; stamp /= 10) request_[stamp_at_ + i] = static_cast<char>('0' + stamp % 10);
  return request_;
}

Nanos stamp_in(std::string_view json) {
  const auto at = json.find(kTextField);
  Nanos stamp = 0;
  if (at != std::string_view::npos && json.size() >= at + kTextField.size() + kStampDigits) {
    const char* digits = json.data() + at + kTextField.size();
    std::from_chars(digits, digits + kStampDigits, stamp);
  }
  return stamp;
}

}  // namespace chat::bench
