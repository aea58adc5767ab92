#include "billing/alerts/alerts.h"
#include "tenants/applications.h"

namespace chat::alerts {
namespace {

using http::Request;
using http::Response;
using Tx = storage::Transaction;

Response show(const storage::Page<Alert>& page) {
  json::Writer out;
  out.object().key("alerts").array();
  for (const auto& alert : page.items) out.raw(alert_json(alert));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

struct Wanted {
  int limit = 25;
  std::optional<std::string> next, app;
};
Wanted read(const Request& request, bool of_all) {
  http::Query query(request);
  Wanted wanted;
  wanted.limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  wanted.next = query.find_text("next", 1024);
  if (of_all) wanted.app = query.find_text("app");
  query.finish();
  return wanted;
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  router.add({.method = http::Method::get, .pattern = "/v1/alerts", .operation = "list_own_alerts", .access = http::Access::server,
              .mode = storage::Mode::read, .handler = [services](const Request& request, Tx& tx) {
                const auto wanted = read(request, false);
                return show(list_own(tx, wanted.limit, wanted.next, services.cursors));
              }});
}

void add_operator_routes(http::Router& router, const Services& services) {
  router.add({.method = http::Method::get, .pattern = "/operator/v1/alerts", .operation = "list_alerts", .access = http::Access::operator_only,
              .mode = storage::Mode::read, .handler = [services](const Request& request, Tx& tx) {
                const auto wanted = read(request, true);
                const auto app = wanted.app ? std::optional(tenants::resolve_application(tx, *wanted.app)) : std::nullopt;
                return show(list_alerts(tx, app, wanted.limit, wanted.next, services.cursors));
              }});
}

}  // namespace chat::alerts
