#include "platform/base/error.h"
#include "platform/base/json.h"
#include "tenants/applications.h"
#include "tenants/directory.h"
#include "tenants/keys.h"
#include "tenants/keys_http.h"
#include "tenants/operator_door.h"
#include "tenants/tenants_http.h"
#include "tenants/tokens.h"

namespace chat::tenants {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::int64_t kDefaultTokenSeconds = 24 * 3600;
constexpr std::int64_t kMaxTokenSeconds = 366 * 24 * 3600;
constexpr std::int64_t kMaxGraceSeconds = 90 * 24 * 3600;

Response show_keys(const Services& services, const Request& request, Tx& tx) {
  AppId app = app_part(request, tx);
  get_application(tx, app);
  return http::json(200, keys_json(tx, app, services.clock.now()));
}

Response add_secret(const Services& services, const Request& request, Tx& tx) {
  const auto expire_others = wanted_rotation(request);
  const AppId app = hold_app_part(request, tx);
  const auto now = services.clock.now();
  const auto before = keys_json(tx, app, now);
  const Secret secret = create_secret(tx, services.bus, services.sealer, app, expire_others, now);
  audit_application(request, tx, app, "secret.create", before, keys_json(tx, app, now));
  return http::json(201, new_secret_json(secret));
}

Response end_secret(const Services& services, const Request& request, Tx& tx) {
  const auto id = request.id_part<SecretId>("secret_id", "secret");
  const auto after = wanted_expiry(request);
  const AppId app = hold_app_part(request, tx);
  const auto before = find_secret_json(tx, app, id, services.clock.now());
  const Secret secret = expire_secret(tx, services.bus, app, id, after, services.clock.now());
  if (before != secret_json(secret)) audit_application(request, tx, app, "secret.expire", before, secret_json(secret));
  return http::json(200, shown_secret_json(secret));
}

Response remove_secret(const Services& services, const Request& request, Tx& tx) {
  const auto id = request.id_part<SecretId>("secret_id", "secret");
  const AppId app = hold_app_part(request, tx);
  const auto before = find_secret_json(tx, app, id, services.clock.now());
  delete_secret(tx, services.bus, app, id, services.clock.now());
  audit_application(request, tx, app, "secret.delete", before, std::nullopt);
  return http::no_content();
}

Claims wanted_claims(const json::Value& root, Timestamp now) {
  json::Fields body(root);
  Claims claims;
  claims.user_id = body.find_text("user_id").value_or("");
  claims.server = body.find_boolean("server").value_or(false);
  auto ttl = body.find_integer("ttl_s", {1, kMaxTokenSeconds}).value_or(kDefaultTokenSeconds);
  if (claims.server == !claims.user_id.empty()) body.mistake("user_id", "Name either a user_id or \"server\": true.");
  else if (!claims.server && !is_user_id(claims.user_id)) body.mistake("user_id", "Must be 1-255 of A-Z a-z 0-9 _ - . @");
  body.finish();
  claims.issued_at = std::chrono::floor<std::chrono::seconds>(now);
  claims.expires_at = claims.issued_at + std::chrono::seconds(ttl);
  return claims;
}

Response mint_token(const Services& services, const Request& request, Tx& tx) {
  auto now = services.clock.now();
  auto document = http::body_of(request);
  Claims claims = wanted_claims(document.root(), now);
  AppId app = app_part(request, tx);
  auto application = read_application(tx, app, services.sealer, now);
  if (!application || application->is_gone()) throw not_found("application");
  if (application->secrets.empty()) throw Error(Code::conflict, "This application has no readable secret; create one first.");
  json::Writer whose;
  whose.object();
  if (claims.server) whose.key("server").boolean(true);
  else whose.field("user_id", claims.user_id);
  whose.optional_time("expires_at", claims.expires_at).end();
  audit_application(request, tx, app, "token.create", std::nullopt, whose.take());
  json::Writer out;
  out.object()
      .field("token", sign_token(claims, application->secrets.front().value))
      .field("api_key", api_key_of(app))
      .optional_time("expires_at", claims.expires_at)
      .end();
  return http::json(201, out.take());
}

Response revoke(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto wanted = read_revocation(body, true);
  body.finish();
  AppId app = app_part(request, tx);
  get_application(tx, app);
  audit_application(request, tx, app, "token.revoke", std::nullopt, revoke_tokens(tx, services.bus, app, wanted, services.clock.now()));
  return http::no_content();
}

}  // namespace

std::string keys_json(Tx& tx, AppId app, Timestamp now) {
  json::Writer out;
  out.object().field("api_key", api_key_of(app)).key("secrets").array();
  for (const auto& secret : list_secrets(tx, app, now)) out.raw(secret_json(secret));
  out.end().end();
  return out.take();
}

std::optional<std::string> find_secret_json(Tx& tx, AppId app, SecretId id, Timestamp now) {
  for (const auto& secret : list_secrets(tx, app, now))
    if (secret.id == id) return secret_json(secret);
  return std::nullopt;
}

void write_new_secret(json::Writer& out, const Secret& secret) {
  out.object().field("secret_id", secret.id.wire()).field("value", secret.value).key("created_at").time(secret.created_at).end();
}

std::string new_secret_json(const Secret& secret) {
  json::Writer out;
  out.object().key("secret");
  write_new_secret(out, secret);
  out.end();
  return out.take();
}

std::string shown_secret_json(const Secret& secret) {
  json::Writer out;
  out.object().key("secret").raw(secret_json(secret)).end();
  return out.take();
}

std::optional<std::chrono::seconds> wanted_rotation(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto seconds = body.find_integer("expire_others_in_s", {0, kMaxGraceSeconds});
  body.finish();
  return seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
}

std::chrono::seconds wanted_expiry(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto seconds = body.integer("in_s", {0, kMaxGraceSeconds});
  body.finish();
  return std::chrono::seconds(seconds);
}

void add_operator_key_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write, bool answers_secret = false) {
    router.add({.method = method, .pattern = std::string("/operator/v1/applications/{app_id}") + pattern, .operation = operation,
                .access = Access::operator_only, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .answers_secret = answers_secret});
  };
  add(Method::get, "/keys", "get_keys", show_keys, storage::Mode::read);
  add(Method::post, "/secrets", "create_secret", add_secret, storage::Mode::write, true);
  add(Method::post, "/secrets/{secret_id}/expire", "expire_secret", end_secret);
  add(Method::del, "/secrets/{secret_id}", "delete_secret", remove_secret);
  add(Method::post, "/tokens", "create_token", mint_token, storage::Mode::write, true);
  add(Method::post, "/revoke_tokens", "revoke_tokens", revoke);
}

}  // namespace chat::tenants
