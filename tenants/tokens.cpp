#include "tenants/tokens.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::tenants {
namespace {

constexpr std::size_t kMaxTokenBytes = 4096;

Error bad_token(std::string detail) { return Error(Code::unauthenticated, std::move(detail)); }

json::Document parse_part(std::string_view part, const char* name) {
  auto text = crypto::parse_base64url(part);
  if (!text) throw bad_token(std::string("The token's ") + name + " is not base64url.");
  try {
    auto document = json::Document::parse(*text);
    if (document.root().kind() != json::Kind::object) throw bad_token(std::string("The token's ") + name + " is no object.");
    return document;
  } catch (const Error& error) {
    if (error.code() == Code::unauthenticated) throw;
    throw bad_token(std::string("The token's ") + name + " is not JSON.");
  }
}

void check_header(const json::Value& header) {
  auto alg = header.find("alg");
  if (!alg || alg->kind() != json::Kind::text || alg->text() != "HS256")
    throw bad_token("The token's alg must be HS256.");
  if (header.find("crit")) throw bad_token("The token asks for extensions (crit) that are not known here.");
}

/// Every secret is tried, so that the time taken tells nothing. Null: none of them.
const Secret* signer_of(std::string_view signed_part, std::string_view signature, const std::vector<Secret>& secrets, Timestamp now) {
  const Secret* signer = nullptr;
  for (const auto& secret : secrets) {
    if (secret.expires_at && *secret.expires_at <= now) continue;
    if (crypto::equal(crypto::hmac_sha256(secret.value, signed_part), signature)) signer = &secret;
  }
  return signer;
}

std::optional<Timestamp> find_seconds(const json::Value& payload, std::string_view name) {
  auto value = payload.find(name);
  if (!value) return std::nullopt;
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  if (value->kind() != json::Kind::integer || value->integer() < 0 || value->integer() > kYear9999)
    throw bad_token("The token's " + std::string(name) + " must be whole seconds since 1970.");
  return Timestamp(std::chrono::seconds(value->integer()));
}

Claims read_claims(const json::Value& payload) {
  Claims claims;
  if (auto server = payload.find("server")) {
    if (server->kind() != json::Kind::boolean) throw bad_token("The token's server claim must be true or false.");
    claims.server = server->boolean();
  }
  if (auto user = payload.find("user_id")) {
    if (user->kind() != json::Kind::text || !is_user_id(user->text()))
      throw bad_token("The token's user_id must be 1-255 of A-Z a-z 0-9 _ - . @");
    claims.user_id = user->text();
  }
  if (auto guest = payload.find("guest")) {
    if (guest->kind() != json::Kind::boolean) throw bad_token("The token's guest claim must be true or false.");
    claims.guest = guest->boolean();
  }
  if (claims.server == !claims.user_id.empty())
    throw bad_token("The token must name either a user_id or \"server\": true.");
  auto issued_at = find_seconds(payload, "iat");
  if (!issued_at) throw bad_token("The token has no iat; without it, it could not be revoked.");
  claims.issued_at = *issued_at;
  claims.expires_at = find_seconds(payload, "exp");
  if (auto id = payload.find("jti")) {
    if (id->kind() != json::Kind::text || id->text().empty() || id->text().size() > kMaxTokenIdBytes)
      throw bad_token("The token's jti must be a text of 1-255 bytes.");
    claims.token_id = id->text();
  }
  return claims;
}

}  // namespace

bool is_user_id(std::string_view text) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '@';
  };
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), allowed);
}

Claims verify_token(std::string_view token, const std::vector<Secret>& secrets, Timestamp now) {
  if (token.size() > kMaxTokenBytes) throw bad_token("The token is larger than 4 KiB.");
  auto first = token.find('.');
  auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    throw bad_token("The token is not a JWT: header.payload.signature is expected.");
  auto header = parse_part(token.substr(0, first), "header");
  check_header(header.root());
  auto signature = crypto::parse_base64url(token.substr(second + 1));
  const auto* signer = signature ? signer_of(token.substr(0, second), *signature, secrets, now) : nullptr;
  if (!signer)
    throw bad_token("The token's signature is not from a secret of this application.");
  auto payload = parse_part(token.substr(first + 1, second - first - 1), "payload");
  Claims claims = read_claims(payload.root());
  claims.signed_with = signer->id;
  claims.use = signer->use;
  if (claims.issued_at > now + kTokenLeeway) throw bad_token("The token's iat lies in the future; check the clock that signs.");
  auto not_before = find_seconds(payload.root(), "nbf");
  if (not_before && *not_before > now + kTokenLeeway) throw bad_token("The token is not valid yet (nbf).");
  if (claims.expires_at && *claims.expires_at + kTokenLeeway <= now)
    throw Error(Code::token_expired, "The token has expired; ask your backend for a new one.");
  return claims;
}

std::string sign_token(const Claims& claims, std::string_view secret) {
  auto seconds = [](Timestamp at) {
    return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  };
  json::Writer payload;
  payload.object();
  if (claims.server) payload.key("server").boolean(true);
  else payload.field("user_id", claims.user_id);
  if (claims.guest) payload.key("guest").boolean(true);
  payload.field("iat", seconds(claims.issued_at));
  if (claims.expires_at) payload.field("exp", seconds(*claims.expires_at));
  if (!claims.token_id.empty()) payload.field("jti", claims.token_id);
  payload.end();
  std::string signed_part =
      crypto::base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + crypto::base64url(payload.take());
  return signed_part + "." + crypto::base64url(crypto::hmac_sha256(secret, signed_part));
}

}  // namespace chat::tenants
