#include "billing/billing_http.h"

#include "billing/plan_versions.h"
#include "billing/recount.h"
#include "billing/usage.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/operators/audit.h"
#include "tenants/applications.h"
#include "tenants/auth.h"

namespace chat::billing {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

struct Wanted {
  Timestamp month;                           // any moment of it
  std::optional<std::string> team;
};

/// `?month=2026-11`; without it, the running one. `?team=red`.
Wanted wanted_usage(const Request& request, Timestamp now) {
  http::Query query(request);
  auto text = query.find_text("month", 7);
  auto team = query.find_text("team", 255);
  query.finish();
  if (!text) return {month_start(now), team};
  auto at = text->size() == 7 ? parse_time(*text + "-01T00:00:00Z") : std::nullopt;
  if (!at) throw invalid_field("query:month", "Must be a month: 2026-11.");
  return {*at, team};
}

Response usage_of(const Services& services, Tx& tx, const tenants::ApplicationRow& application, const Wanted& wanted) {
  if (wanted.team) return http::json(200, team_usage_json(tx, application.plan_id, *wanted.team, wanted.month));
  auto plan = services.plans.find(application.plan_id, plan_version_of(tx));
  auto overrides = json::Document::parse(application.limits_json);
  static const auto kNoPlan = json::Document::parse("{}");
  auto limits = merge_limits(plan ? plan->root() : kNoPlan.root(), overrides.root(), services.clock.now());
  auto account = services.accounts.known(application.id);
  return http::json(200, usage_json(tx, application.plan_id, limits, wanted.month, account ? account->connections_everywhere(services.clock.now()) : 0));
}

Response own_usage(const Services& services, const Request& request, Tx& tx) {
  auto wanted = wanted_usage(request, services.clock.now());
  return usage_of(services, tx, tenants::get_application(tx, tenants::Caller::of(request).app()), wanted);
}

Response application_usage(const Services& services, const Request& request, Tx& tx) {
  auto wanted = wanted_usage(request, services.clock.now());
  AppId app = tenants::resolve_application(tx, request.part("app_id"));
  return usage_of(services, tx, tenants::get_application(tx, app), wanted);
}

/// `?day=2026-11-28`
Timestamp wanted_day(const Request& request, Timestamp now) {
  http::Query query(request);
  auto text = query.find_text("day", 10);
  query.finish();
  if (!text) return Timestamp(std::chrono::floor<std::chrono::days>(now));
  auto at = text->size() == 10 ? parse_time(*text + "T00:00:00Z") : std::nullopt;
  if (!at) throw invalid_field("query:day", "Must be a day: 2026-11-28.");
  return *at;
}

Response own_hours(const Services& services, const Request& request, Tx& tx) {
  const auto day = wanted_day(request, services.clock.now());
  return http::json(200, hours_json(tx, tenants::get_application(tx, tenants::Caller::of(request).app()).plan_id, day));
}

Response application_hours(const Services& services, const Request& request, Tx& tx) {
  const auto day = wanted_day(request, services.clock.now());
  AppId app = tenants::resolve_application(tx, request.part("app_id"));
  return http::json(200, hours_json(tx, tenants::get_application(tx, app).plan_id, day));
}

Response recount(const Services& services, const Request& request, Tx& tx) {
  const auto now = services.clock.now();
  const auto day = wanted_day(request, now);
  AppId app = tenants::resolve_application(tx, request.part("app_id"));
  tenants::get_application(tx, app);
  return http::json(200, recount_json(day_of(day), recount_day(tx, day, now)));
}

Response show_plan(int status, Tx& tx, const std::string& plan_id) {
  json::Writer out;
  out.object().key("plan").raw(plan_json(get_plan(tx, plan_id))).end();
  return http::json(status, out.take());
}

Response list(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("plans").array();
  for (const auto& plan : list_plans(tx)) out.raw(plan_json(plan));
  out.end().end();
  return http::json(200, out.take());
}

/// Notes what an operator made of a plan.
void note(const Request& request, Tx& tx, const char* action, const std::string& plan_id, const std::optional<std::string>& before,
          const std::optional<std::string>& after) {
  operators::audit(tx, operators::actor_of(request), action, operators::object_of("plan", plan_id), before, after);
}

std::optional<std::string> find_plan_json(Tx& tx, const std::string& plan_id) {
  for (const auto& plan : list_plans(tx))
    if (plan.plan_id == plan_id) return plan_json(plan);
  return std::nullopt;
}

Response put(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  const auto& plan_id = request.part("plan_id");
  const auto checked = check_plan(document.root(), "#");
  operators::hold(tx, operators::object_of("plan", plan_id));
  const auto before = find_plan_json(tx, plan_id);
  if (put_plan(tx, services.bus, plan_id, checked, services.clock.now()))
    note(request, tx, "plan.put", plan_id, before, plan_json(get_plan(tx, plan_id)));
  return show_plan(200, tx, plan_id);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  const auto& plan_id = request.part("plan_id");
  operators::hold(tx, operators::object_of("plan", plan_id));
  const auto before = find_plan_json(tx, plan_id);
  delete_plan(tx, services.bus, plan_id);
  note(request, tx, "plan.delete", plan_id, before, std::nullopt);
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  router.add({.method = Method::get, .pattern = "/v1/usage", .operation = "get_usage", .access = Access::server,
              .mode = storage::Mode::read,
              .handler = [services](const Request& request, Tx& tx) { return own_usage(services, request, tx); }});
  router.add({.method = Method::get, .pattern = "/v1/usage/hours", .operation = "get_usage_hours", .access = Access::server,
              .mode = storage::Mode::read,
              .handler = [services](const Request& request, Tx& tx) { return own_hours(services, request, tx); }});
}

void add_operator_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = std::string("/operator/v1") + pattern, .operation = operation,
                .access = Access::operator_only, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  constexpr auto kRead = storage::Mode::read;
  constexpr auto kWrite = storage::Mode::write;
  add(Method::get, "/applications/{app_id}/usage", "get_application_usage", kRead, application_usage);
  add(Method::get, "/applications/{app_id}/usage/hours", "get_application_usage_hours", kRead, application_hours);
  add(Method::get, "/applications/{app_id}/usage/recount", "recount_application_usage", kRead, recount);
  add(Method::get, "/plans", "list_plans", kRead, list);
  add(Method::get, "/plans/{plan_id}", "get_plan", kRead,
      [](const Services&, const Request& request, Tx& tx) { return show_plan(200, tx, request.part("plan_id")); });
  add(Method::put, "/plans/{plan_id}", "put_plan", kWrite, put);
  add(Method::del, "/plans/{plan_id}", "delete_plan", kWrite, remove);
  add_plan_routes(router, services);
}

}  // namespace chat::billing
