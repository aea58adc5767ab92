#include "tenants/tenants_http.h"

#include "platform/base/json.h"
#include "tenants/applications.h"
#include "tenants/auth.h"
#include "tenants/keys.h"
#include "tenants/keys_http.h"
#include "tenants/own_audit.h"

namespace chat::tenants {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

std::string secret_object(SecretId id) { return "secret:" + id.wire(); }

Response show(Tx& tx, AppId app) {
  json::Writer out;
  out.object().key("application").raw(own_application_json(get_application(tx, app))).end();
  return http::json(200, out.take());
}

Response show_app(const Services&, const Request& request, Tx& tx) { return show(tx, Caller::of(request).app()); }

Response update_settings(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  const auto wanted = wanted_settings(document.root());
  const AppId app = Caller::of(request).app();
  const auto now = services.clock.now();
  hold_application(tx, app);
  const auto before = get_application(tx, app).settings_json;
  change_settings(tx, services.bus, app, wanted.set, wanted.unset, now);
  const auto after = get_application(tx, app).settings_json;
  if (after != before) note_own(tx, request, "settings.update", "settings", before, after, now);
  return show(tx, app);
}

Response revoke_all(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto wanted = read_revocation(body, false);
  body.finish();
  const auto now = services.clock.now();
  note_own(tx, request, "token.revoke", "tokens", std::nullopt, revoke_tokens(tx, services.bus, Caller::of(request).app(), wanted, now), now);
  return http::no_content();
}

Response show_keys(const Services& services, const Request& request, Tx& tx) {
  return http::json(200, keys_json(tx, Caller::of(request).app(), services.clock.now()));
}

Response add_secret(const Services& services, const Request& request, Tx& tx) {
  const auto expire_others = wanted_rotation(request);
  const auto now = services.clock.now();
  const AppId app = Caller::of(request).app();
  hold_application(tx, app);
  const auto before = keys_json(tx, app, now);
  const Secret secret = create_secret(tx, services.bus, services.sealer, app, expire_others, now);
  note_own(tx, request, "secret.create", secret_object(secret.id), before, keys_json(tx, app, now), now);
  return http::json(201, new_secret_json(secret));
}

Response end_secret(const Services& services, const Request& request, Tx& tx) {
  const auto id = request.id_part<SecretId>("secret_id", "secret");
  const auto after = wanted_expiry(request);
  const auto now = services.clock.now();
  const AppId app = Caller::of(request).app();
  hold_application(tx, app);
  const auto before = find_secret_json(tx, app, id, now);
  const Secret secret = expire_secret(tx, services.bus, app, id, after, now);
  if (before != secret_json(secret)) note_own(tx, request, "secret.expire", secret_object(id), before, secret_json(secret), now);
  return http::json(200, shown_secret_json(secret));
}

Response remove_secret(const Services& services, const Request& request, Tx& tx) {
  const auto id = request.id_part<SecretId>("secret_id", "secret");
  const auto now = services.clock.now();
  const AppId app = Caller::of(request).app();
  hold_application(tx, app);
  const auto before = find_secret_json(tx, app, id, now);
  delete_secret(tx, services.bus, app, id, now);
  note_own(tx, request, "secret.delete", secret_object(id), before, std::nullopt, now);
  return http::no_content();
}

Response show_audit(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto action = query.find_text("action", 64);
  query.finish();
  const auto page = list_own_audit(tx, action, limit, next, services.cursors);
  json::Writer out;
  out.object().key("audit").array();
  for (const auto& entry : page.items) out.raw(own_audit_json(entry));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write, bool answers_secret = false) {
    router.add({.method = method, .pattern = std::string("/v1/app") + pattern, .operation = operation, .access = Access::server, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .answers_secret = answers_secret});
  };
  add(Method::get, "", "get_app", show_app, storage::Mode::read);
  add(Method::patch, "/settings", "update_app_settings", update_settings);
  add(Method::post, "/revoke_tokens", "revoke_application_tokens", revoke_all);
  add(Method::get, "/keys", "get_app_keys", show_keys, storage::Mode::read);
  add(Method::post, "/secrets", "create_app_secret", add_secret, storage::Mode::write, true);
  add(Method::post, "/secrets/{secret_id}/expire", "expire_app_secret", end_secret);
  add(Method::del, "/secrets/{secret_id}", "delete_app_secret", remove_secret);
  add(Method::get, "/audit", "list_app_audit", show_audit, storage::Mode::read);
}

}  // namespace chat::tenants
