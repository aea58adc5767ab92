#include "platform/base/error.h"
#include "platform/base/json.h"
#include "tenants/applications.h"
#include "tenants/keys.h"
#include "tenants/keys_http.h"
#include "tenants/operator_door.h"
#include "tenants/tenants_http.h"

namespace chat::tenants {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::size_t kMaxUnset = 20;

Response show(int status, Tx& tx, AppId app) {
  json::Writer out;
  out.object().key("application").raw(application_json(get_application(tx, app))).end();
  return http::json(status, out.take());
}

std::string shown(Tx& tx, AppId app) { return application_json(get_application(tx, app)); }

/// Does something to an application and notes what it was before and is then, if that is something else.
template <class Change>
AppId change(const Request& request, Tx& tx, const char* action, Change act) {
  const AppId app = hold_app_part(request, tx);
  const auto before = shown(tx, app);
  act(app);
  const auto after = shown(tx, app);
  if (after != before) audit_application(request, tx, app, action, before, after);
  return app;
}

/// The new application with its first secret.
Response made(const Services& services, Tx& tx, AppId app) {
  const Secret secret = create_secret(tx, services.bus, services.sealer, app, std::nullopt, services.clock.now());
  json::Writer out;
  out.object().key("application").raw(shown(tx, app)).field("api_key", api_key_of(app)).key("secret");
  write_new_secret(out, secret);
  out.end();
  return http::json(201, out.take());
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  NewApplication wanted;
  wanted.name = body.text("name", {.min_bytes = 1});
  wanted.plan_id = body.text("plan", {.min_bytes = 1, .max_bytes = 64});
  auto settings = body.find_object("settings");
  wanted.belonging = read_belonging(body);
  body.finish();
  if (settings) wanted.settings_json = check_settings(*settings, "#/settings");
  const AppId app = create_application(tx, wanted, services.clock.now());
  auto answer = made(services, tx, app);
  audit_application(request, tx, app, "application.create", std::nullopt, shown(tx, app));
  return answer;
}

/// As it is shown, with what it was made of.
std::string cloned_json(const std::string& application, AppId from) {
  const auto document = json::Document::parse(application);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
  out.field("cloned_from", from.wire()).end();
  return out.take();
}

Response clone(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  NewApplication wanted;
  wanted.name = body.text("name", {.min_bytes = 1});
  wanted.plan_id = body.find_text("plan", {.min_bytes = 1, .max_bytes = 64}).value_or("");
  wanted.belonging = read_belonging(body);
  body.finish();
  const AppId from = app_part(request, tx);
  const AppId app = clone_application(tx, from, wanted, services.clock.now());
  auto answer = made(services, tx, app);
  audit_application(request, tx, app, "application.clone", std::nullopt, cloned_json(shown(tx, app), from));
  return answer;
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  ApplicationFilter filter;
  filter.status = query.find_word("status", {"active", "suspended", "deleting", "deleted"});
  filter.organisation = query.find_text("organisation");
  query.finish();
  auto page = list_applications(tx, filter, limit, next, services.cursors);
  json::Writer out;
  out.object().key("applications").array();
  for (const auto& application : page.items) out.raw(application_json(application));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto set = body.find_object("set");
  auto unset = body.find_texts("unset", kMaxUnset, {.max_bytes = 64});
  if (!set && !unset) body.mistake("set", "Required: the members to change.");
  ApplicationChange wanted;
  wanted.if_updated_at = body.find_time("if_updated_at");
  wanted.unset = unset.value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < wanted.unset.size(); ++i)
    if (const auto& name = wanted.unset[i]; name != "organisation" && name != "environment" && name != "region" && name != "placement" && name != "contacts")
      body.mistake_at("unset/" + std::to_string(i), "Must be organisation, environment, region, placement or contacts.");
  body.finish();
  std::optional<json::Value> settings, limits;
  if (set) {
    json::Fields fields(*set, "#/set");
    wanted.name = fields.find_text("name", {.min_bytes = 1});
    wanted.plan_id = fields.find_text("plan", {.min_bytes = 1, .max_bytes = 64});
    settings = fields.find_object("settings");
    limits = fields.find_object("limits");
    wanted.belonging = read_belonging(fields);
    fields.finish();
  }
  if (settings) wanted.settings_json = check_settings(*settings, "#/set/settings");
  if (limits) wanted.limits_json = check_overrides(*limits, "#/set/limits", services.is_meter);
  return show(200, tx, change(request, tx, "application.update", [&](AppId app) {
                update_application(tx, services.bus, app, wanted, services.clock.now());
              }));
}

Response update_settings(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  const auto wanted = wanted_settings(document.root());
  return show(200, tx, change(request, tx, "application.settings", [&](AppId app) {
                change_settings(tx, services.bus, app, wanted.set, wanted.unset, services.clock.now());
              }));
}

Response suspend(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto reason = body.text("reason", {.min_bytes = 1, .max_bytes = 1000});
  body.finish();
  return show(200, tx, change(request, tx, "application.suspend", [&](AppId app) {
                suspend_application(tx, services.bus, app, reason, services.clock.now());
              }));
}

Response resume(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(200, tx, change(request, tx, "application.resume", [&](AppId app) {
                resume_application(tx, services.bus, app, services.clock.now());
              }));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  change(request, tx, "application.delete", [&](AppId app) {
    delete_application(tx, services.bus, app, services.deletion_wait, services.clock.now());
  });
  return http::no_content();
}

Response restore(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(200, tx, change(request, tx, "application.restore", [&](AppId app) {
                restore_application(tx, services.bus, app, services.clock.now());
              }));
}

/// What goes is noted before it does: afterwards nothing could say what it was.
Response purge(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  const AppId app = hold_app_part(request, tx);
  const auto before = shown(tx, app);
  erase_application(tx, app, services.clock.now());
  audit_application(request, tx, app, "application.purge", before, std::nullopt);
  return show(200, tx, app);
}

}  // namespace

SettingsChange wanted_settings(const json::Value& root) {
  json::Fields body(root);
  SettingsChange wanted;
  wanted.set = body.find_object("set");
  const auto unset = body.find_texts("unset", kMaxUnset, {.max_bytes = 64});
  if (!wanted.set && !unset) body.mistake("set", "Required, or unset: the settings to change.");
  body.finish();
  wanted.unset = unset.value_or(std::vector<std::string>{});
  return wanted;
}

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
  add(Method::patch, "/{app_id}/settings", "update_application_settings", update_settings);
  add(Method::post, "/{app_id}/clone", "clone_application", clone, storage::Mode::write, true);
  add(Method::post, "/{app_id}/suspend", "suspend_application", suspend);
  add(Method::post, "/{app_id}/resume", "resume_application", resume);
  add(Method::del, "/{app_id}", "delete_application", remove);
  add(Method::post, "/{app_id}/restore", "restore_application", restore);
  add(Method::post, "/{app_id}/purge", "purge_application", purge);
  add_operator_key_routes(router, services);
}

}  // namespace chat::tenants
