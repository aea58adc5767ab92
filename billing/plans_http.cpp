#include <algorithm>
#include <set>
#include <string>

#include "billing/billing_http.h"
#include "billing/plan_versions.h"
#include "platform/base/error.h"
#include "platform/operators/audit.h"
#include "tenants/applications.h"

namespace chat::billing {
namespace {

using http::Request;
using http::Response;
using Tx = storage::Transaction;

void note(const Request& request, Tx& tx, const char* action, const std::string& object, const std::optional<std::string>& before,
          const std::string& after) {
  operators::audit(tx, operators::actor_of(request), action, object, before, after);
}

Response list_versions(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("plans").array();
  for (const auto& plan : list_plan_versions(tx, request.part("plan_id"))) out.raw(plan_json(plan));
  out.end().end();
  return http::json(200, out.take());
}

/// Without `to` the last version, without `from` the one before `to`.
Response diff(const Services&, const Request& request, Tx& tx) {
  constexpr std::int64_t kMaxVersion = 1'000'000;
  http::Query query(request);
  auto to = query.integer("to", 0, 1, kMaxVersion);
  auto from = query.integer("from", 0, 1, kMaxVersion);
  query.finish();
  const auto& plan_id = request.part("plan_id");
  if (to == 0) to = get_plan(tx, plan_id).version;
  if (from == 0) from = std::max<std::int64_t>(1, to - 1);
  const auto before = json::Document::parse(get_plan_version(tx, plan_id, from).document);
  const auto after = json::Document::parse(get_plan_version(tx, plan_id, to).document);
  json::Writer out;
  out.object().field("plan_id", plan_id).field("from", from).field("to", to);
  write_changes(out, differences(before.root(), after.root()));
  out.end();
  return http::json(200, out.take());
}

Response apply(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto plans = body.find_object("plans");
  const bool is_dry_run = body.find_boolean("dry_run").value_or(false);
  if (!plans || plans->members().empty()) body.mistake("plans", "Must hold plans by their ids.");
  body.finish();
  std::set<std::string> plan_ids;              // in one order, so that two calls never wait for each other
  for (const auto& [plan_id, plan] : plans->members()) plan_ids.emplace(plan_id);
  for (const auto& plan_id : plan_ids) operators::hold(tx, operators::object_of("plan", plan_id));
  const auto applied = apply_plans(tx, services.bus, *plans, is_dry_run, services.clock.now());
  json::Writer out;
  out.object().key("dry_run").boolean(is_dry_run).key("plans").array();
  for (const auto& one : applied) {
    out.object().field("plan_id", one.plan_id).field("result", one.result);
    write_changes(out, one.changes);
    out.end();
  }
  out.end().end();
  for (const auto& one : applied)
    if (!is_dry_run && one.result != "unchanged")
      note(request, tx, "plan.put", operators::object_of("plan", one.plan_id), one.before, plan_json(get_plan(tx, one.plan_id)));
  return http::json(200, out.take());
}

Response archive(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const bool archived = body.find_boolean("archived").value_or(true);
  body.finish();
  const auto& plan_id = request.part("plan_id");
  operators::hold(tx, operators::object_of("plan", plan_id));
  const auto before = plan_json(get_plan(tx, plan_id));
  const bool changed = archive_plan(tx, plan_id, archived, services.clock.now());
  const auto after = plan_json(get_plan(tx, plan_id));
  if (changed) note(request, tx, archived ? "plan.archive" : "plan.offer", operators::object_of("plan", plan_id), before, after);
  json::Writer out;
  out.object().key("plan").raw(after).end();
  return http::json(200, out.take());
}

Response move(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  PlanMove wanted;
  wanted.plan_id = body.text("plan", {.min_bytes = 1, .max_bytes = 64});
  wanted.version = body.find_integer("version", {1, 1'000'000}).value_or(0);
  wanted.yearly = body.find_boolean("yearly");
  body.finish();
  const auto app = tenants::resolve_application(tx, request.part("app_id"));
  tenants::hold_application(tx, app);
  const auto before = placed_json(tx);
  move_application(tx, services.bus, wanted, services.clock.now());
  if (const auto after = placed_json(tx); after != before)
    note(request, tx, "application.move", operators::object_of("application", app.wire()), before, after);
  return http::json(200, plan_history_json(tx));
}

struct Upgrade {
  bool is_dry_run = false;
  std::optional<AppId> after;
  int limit = 50;
};

Upgrade read_upgrade(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Upgrade wanted;
  wanted.is_dry_run = body.find_boolean("dry_run").value_or(false);
  wanted.limit = static_cast<int>(body.find_integer("limit", {1, 100}).value_or(50));
  if (const auto after = body.find_text("after", {.min_bytes = 1, .max_bytes = 64})) {
    wanted.after = AppId::parse(*after);
    if (!wanted.after) body.mistake("after", "Must be an application's id: app_…");
  }
  body.finish();
  return wanted;
}

/// Moves one of them, unless it was moved or deleted meanwhile. Returns whether.
bool upgrade_one(const Services& services, const Request& request, Tx& tx, const Plan& plan, AppId app) {
  tenants::hold_application(tx, app);
  const auto before = placed_json(tx);
  const auto place = json::Document::parse(before);
  if (place.root().find("plan")->text() != plan.plan_id || place.root().find("version")->integer() >= plan.version) return false;
  move_application(tx, services.bus, {plan.plan_id, plan.version, std::nullopt}, services.clock.now());
  note(request, tx, "application.move", operators::object_of("application", app.wire()), before, placed_json(tx));
  return true;
}

Response upgrade(const Services& services, const Request& request, Tx& tx) {
  const auto wanted = read_upgrade(request);
  const auto plan = get_plan(tx, request.part("plan_id"));
  const auto behind = applications_behind(tx, plan, wanted.after, wanted.limit);
  json::Writer out;
  out.object().field("plan_id", plan.plan_id).field("version", plan.version).key("dry_run").boolean(wanted.is_dry_run);
  out.key("applications").array();
  for (const auto& one : behind)
    if (wanted.is_dry_run || upgrade_one(services, request, tx, plan, one.app))
      out.object().field("app_id", one.app.wire()).field("name", one.name).field("from_version", one.version).end();
  out.end();
  if (static_cast<int>(behind.size()) == wanted.limit) out.field("next", behind.back().app.wire());
  out.end();
  return http::json(200, out.take());
}

Response history(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  tx.enter(tenants::resolve_application(tx, request.part("app_id")));
  return http::json(200, plan_history_json(tx));
}

}  // namespace

void add_plan_routes(http::Router& router, const Services& services) {
  auto add = [&](http::Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = std::string("/operator/v1") + pattern, .operation = operation,
                .access = http::Access::operator_only, .mode = mode, .max_body_bytes = 1024 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  constexpr auto kRead = storage::Mode::read;
  constexpr auto kWrite = storage::Mode::write;
  add(http::Method::post, "/plans/apply", "apply_plans", kWrite, apply);
  add(http::Method::get, "/plans/{plan_id}/versions", "list_plan_versions", kRead, list_versions);
  add(http::Method::post, "/plans/{plan_id}/upgrade", "upgrade_plan", kWrite, upgrade);
  add(http::Method::get, "/plans/{plan_id}/diff", "diff_plan", kRead, diff);
  add(http::Method::post, "/plans/{plan_id}/archive", "archive_plan", kWrite, archive);
  add(http::Method::get, "/applications/{app_id}/plan", "get_plan_history", kRead, history);
  add(http::Method::post, "/applications/{app_id}/plan", "move_application", kWrite, move);
}

}  // namespace chat::billing
