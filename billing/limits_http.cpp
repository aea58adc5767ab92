#include <array>

#include "billing/billing_http.h"
#include "billing/plan_versions.h"
#include "platform/base/json.h"
#include "tenants/applications.h"
#include "tenants/auth.h"

namespace chat::billing {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

bool is_over_time(Meter meter) { return window_of(meter) == "month" || window_of(meter) == "day" || window_of(meter) == "now"; }

std::optional<Timestamp> resets_at(Meter meter, Timestamp now) {
  if (window_of(meter) == "month") return next_month_start(now);
  if (window_of(meter) == "day") return Timestamp(std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1));
  return std::nullopt;
}

void write_limit(json::Writer& out, Meter meter, const Limit& limit, std::int64_t used, Timestamp now) {
  out.object().field("meter", word(meter)).field("window", window_of(meter));
  if (is_over_time(meter)) out.field("used", used).field("state", word(level_of(limit, used)));
  if (limit.included != kUnlimited) out.field("included", limit.included);
  if (limit.hard != kUnlimited) out.field("hard", limit.hard);
  if (limit.burst > 0) out.field("burst", limit.burst);
  out.field("action", word(limit.action)).optional_time("resets_at", resets_at(meter, now));
  if (limit.is_overridden) out.key("override").object().optional_time("expires_at", limit.override_ends).end();
  out.end();
}

/// Live where this node knows the application, else as the ledger has it.
Totals totals_of(const Services& services, Tx& tx, AppId app, Timestamp now) {
  const auto account = services.accounts.known(app);
  if (!account) return month_totals(tx, now, true);
  Totals totals{month_start(now), {}};
  for (int i = 0; i < kMeters; ++i) totals.of[static_cast<std::size_t>(i)] = account->used(static_cast<Meter>(i), now);
  return totals;
}

Response show(const Services& services, Tx& tx, const tenants::ApplicationRow& application) {
  const auto now = services.clock.now();
  const auto plan = services.plans.find(application.plan_id, plan_version_of(tx));
  const auto overrides = json::Document::parse(application.limits_json);
  static const auto kNoPlan = json::Document::parse("{}");
  const auto limits = merge_limits(plan ? plan->root() : kNoPlan.root(), overrides.root(), now);
  const auto totals = totals_of(services, tx, application.id, now);
  json::Writer out;
  out.object().field("plan", application.plan_id).key("limits").array();
  for (int i = 0; i < kMeters; ++i) {
    const auto meter = static_cast<Meter>(i);
    write_limit(out, meter, limits.of(meter), totals.of[static_cast<std::size_t>(i)], now);
  }
  out.end().key("features").object();
  for (int i = 0; i < kFeatures; ++i) out.key(word(static_cast<Feature>(i))).boolean(limits.has(static_cast<Feature>(i)));
  out.end().end();
  return http::json(200, out.take());
}

}  // namespace

void add_limit_routes(http::Router& router, const Services& services) {
  router.add({.method = Method::get, .pattern = "/v1/limits", .operation = "get_limits", .access = Access::server, .mode = storage::Mode::read,
              .handler = [services](const Request& request, Tx& tx) {
                http::Query(request).finish();
                return show(services, tx, tenants::get_application(tx, tenants::Caller::of(request).app()));
              }});
}

void add_operator_limit_routes(http::Router& router, const Services& services) {
  router.add({.method = Method::get, .pattern = "/operator/v1/applications/{app_id}/limits", .operation = "get_application_limits",
              .access = Access::operator_only, .mode = storage::Mode::read, .handler = [services](const Request& request, Tx& tx) {
                http::Query(request).finish();
                return show(services, tx, tenants::get_application(tx, tenants::resolve_application(tx, request.part("app_id"))));
              }});
}

}  // namespace chat::billing
