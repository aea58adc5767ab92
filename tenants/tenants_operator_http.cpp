#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/operators/audit.h"
#include "tenants/applications.h"
#include "tenants/keys.h"
#include "tenants/tenants_http.h"
#include "tenants/tokens.h"
#include "tenants/directory.h"

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

AppId app_part(const Request& request, Tx& tx) { return resolve_application(tx, request.part("app_id")); }

Response show(int status, Tx& tx, AppId app) {
  json::Writer out;
  out.object().key("application").raw(application_json(get_application(tx, app))).end();
  return http::json(status, out.take());
}

std::string shown(Tx& tx, AppId app) { return application_json(get_application(tx, app)); }

void note(const Request& request, Tx& tx, AppId app, const char* action, const std::optional<std::string>& before,
          const std::optional<std::string>& after) {
  operators::audit(tx, operators::actor_of(request), action, operators::object_of("application", app.wire()), before, after);
}

/// Does something to an application and notes what it was before and is then, if that is something else.
template <class Change>
AppId change(const Request& request, Tx& tx, const char* action, Change act) {
  const AppId app = app_part(request, tx);
  const auto before = shown(tx, app);
  act(app);
  const auto after = shown(tx, app);
  if (after != before) note(request, tx, app, action, before, after);
  return app;
}

/// A secret without its value.
std::string bare_json(const Secret& secret) {
  json::Writer out;
  out.object().field("secret_id", secret.id.wire()).key("created_at").time(secret.created_at).optional_time("expires_at", secret.expires_at).end();
  return out.take();
}

void write_secret(json::Writer& out, const Secret& secret) {
  out.object().field("secret_id", secret.id.wire());
  if (!secret.value.empty()) out.field("value", secret.value);
  out.key("created_at").time(secret.created_at).optional_time("expires_at", secret.expires_at).end();
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  NewApplication wanted;
  wanted.name = body.text("name", {.min_bytes = 1});
  wanted.plan_id = body.text("plan", {.min_bytes = 1, .max_bytes = 64});
  auto settings = body.find_object("settings");
  body.finish();
  if (settings) wanted.settings_json = check_settings(*settings, "#/settings");
  AppId app = create_application(tx, wanted, services.clock.now());
  Secret secret = create_secret(tx, services.bus, services.sealer, app, std::nullopt, services.clock.now());
  note(request, tx, app, "application.create", std::nullopt, shown(tx, app));
  json::Writer out;
  out.object().key("application").raw(shown(tx, app)).field("api_key", api_key_of(app)).key("secret");
  write_secret(out, secret);
  out.end();
  return http::json(201, out.take());
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto status = query.find_word("status", {"active", "suspended", "deleted"});
  query.finish();
  auto page = list_applications(tx, status, limit, next, services.cursors);
  json::Writer out;
  out.object().key("applications").array();
  for (const auto& application : page.items) out.raw(application_json(application));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

/// {"messages":{"hard":10}}: numbers only; billing reads them when it merges them over the plan.
std::string check_overrides(const Services& services, const json::Value& limits) {
  for (auto [meter, override_of] : limits.members()) {
    if (!services.is_meter(meter)) throw invalid_field("#/set/limits/" + std::string(meter), "Unknown meter.");
    json::Fields fields(override_of, "#/set/limits/" + std::string(meter));
    for (auto name : {"included", "hard", "burst"}) fields.find_integer(name, {0, 1'000'000'000'000'000});
    fields.finish();
  }
  return limits.raw();
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto set = body.find_object("set");
  if (!set) body.mistake("set", "Required: the members to change.");
  body.finish();
  json::Fields fields(*set, "#/set");
  ApplicationChange wanted;
  wanted.name = fields.find_text("name", {.min_bytes = 1});
  wanted.plan_id = fields.find_text("plan", {.min_bytes = 1, .max_bytes = 64});
  auto settings = fields.find_object("settings");
  auto limits = fields.find_object("limits");
  fields.finish();
  if (settings) wanted.settings_json = check_settings(*settings, "#/set/settings");
  if (limits) wanted.limits_json = check_overrides(services, *limits);
  return show(200, tx, change(request, tx, "application.update", [&](AppId app) {
                update_application(tx, services.bus, app, wanted, services.clock.now());
              }));
}

Response suspend(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto reason = body.text("reason", {.min_bytes = 1, .max_bytes = 1000});
  body.finish();
  return show(200, tx, change(request, tx, "application.suspend", [&](AppId app) {
                set_status(tx, services.bus, app, Status::suspended, reason, services.clock.now());
              }));
}

Response resume(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(200, tx, change(request, tx, "application.resume", [&](AppId app) {
                set_status(tx, services.bus, app, Status::active, "", services.clock.now());
              }));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  change(request, tx, "application.delete", [&](AppId app) { set_status(tx, services.bus, app, Status::deleted, "", services.clock.now()); });
  return http::no_content();
}

Response show_keys(const Services& services, const Request& request, Tx& tx) {
  AppId app = app_part(request, tx);
  get_application(tx, app);
  json::Writer out;
  out.object().field("api_key", api_key_of(app)).key("secrets").array();
  for (const auto& secret : list_secrets(tx, app, services.clock.now())) write_secret(out, secret);
  out.end().end();
  return http::json(200, out.take());
}

Response add_secret(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto seconds = body.find_integer("expire_others_in_s", {0, kMaxGraceSeconds});
  body.finish();
  std::optional<std::chrono::seconds> expire_others;
  if (seconds) expire_others = std::chrono::seconds(*seconds);
  const AppId app = app_part(request, tx);
  Secret secret = create_secret(tx, services.bus, services.sealer, app, expire_others, services.clock.now());
  note(request, tx, app, "secret.create", std::nullopt, bare_json(secret));
  json::Writer out;
  out.object().key("secret");
  write_secret(out, secret);
  out.end();
  return http::json(201, out.take());
}

Response remove_secret(const Services& services, const Request& request, Tx& tx) {
  auto id = request.id_part<SecretId>("secret_id", "secret");
  const AppId app = app_part(request, tx);
  delete_secret(tx, services.bus, app, id, services.clock.now());
  json::Writer gone;
  gone.object().field("secret_id", id.wire()).end();
  note(request, tx, app, "secret.delete", gone.take(), std::nullopt);
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
  note(request, tx, app, "token.create", std::nullopt, whose.take());
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
  auto user = body.find_text("user_id", {.min_bytes = 1});
  auto before = body.find_time("before");
  body.finish();
  AppId app = app_part(request, tx);
  get_application(tx, app);
  auto moment = before.value_or(services.clock.now());
  if (user) revoke_user_tokens(tx, services.bus, app, *user, moment);
  else revoke_application_tokens(tx, services.bus, app, moment);
  json::Writer which;
  which.object().optional_field("user_id", user).key("before").time(moment).end();
  note(request, tx, app, "token.revoke", std::nullopt, which.take());
  return http::no_content();
}

}  // namespace

void add_operator_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation,
                 Response (*act)(const Services&, const Request&, Tx&), storage::Mode mode = storage::Mode::write,
                 bool answers_secret = false) {
    router.add({.method = method, .pattern = std::string("/operator/v1/applications") + pattern, .operation = operation,
                .access = Access::operator_only, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .answers_secret = answers_secret});
  };
  add(Method::post, "", "create_application", create, storage::Mode::write, true);
  add(Method::get, "", "list_applications", list, storage::Mode::read);
  add(Method::get, "/{app_id}", "get_application",
      [](const Services&, const Request& request, Tx& tx) { return show(200, tx, app_part(request, tx)); }, storage::Mode::read);
  add(Method::patch, "/{app_id}", "update_application", update);
  add(Method::post, "/{app_id}/suspend", "suspend_application", suspend);
  add(Method::post, "/{app_id}/resume", "resume_application", resume);
  add(Method::del, "/{app_id}", "delete_application", remove);
  add(Method::get, "/{app_id}/keys", "get_keys", show_keys, storage::Mode::read);
  add(Method::post, "/{app_id}/secrets", "create_secret", add_secret, storage::Mode::write, true);
  add(Method::del, "/{app_id}/secrets/{secret_id}", "delete_secret", remove_secret);
  add(Method::post, "/{app_id}/tokens", "create_token", mint_token, storage::Mode::write, true);
  add(Method::post, "/{app_id}/revoke_tokens", "revoke_tokens", revoke);
}

}  // namespace chat::tenants
