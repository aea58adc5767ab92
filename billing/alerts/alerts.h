#pragma once
#include <optional>
#include <string>

#include "billing/crossings.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

/// 80 % of a limit, all that is included, the hard limit: told once in each period, to the operator and to the customer.
/// Event:   billing.limit.crossed, to the application's own servers
namespace chat::alerts {

struct AlertTag { static constexpr std::string_view kPrefix = "alr"; };
using AlertId = Id<AlertTag>;

struct Alert {
  AppId app;
  AlertId id;
  std::string meter, period, level;
  std::int64_t value = 0;
  std::optional<std::int64_t> included, hard;
  Timestamp noticed_at;
};
std::string alert_json(const Alert& alert);

/// Keeps the alert, and tells of it when it is the first of its application, meter, period, level and limit; whichever node noticed
/// it, and however often. False: it was told already, or the application is gone.
bool tell(storage::Connection& connection, bus::Bus& bus, const billing::Crossing& crossing, Timestamp now);

/// Newest first. Without `app` of all applications.
storage::Page<Alert> list_alerts(storage::Transaction& tx, const std::optional<AppId>& app, int limit, const std::optional<std::string>& cursor,
                                 const storage::Cursors& cursors);
storage::Page<Alert> list_own(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors);

struct Services {
  const storage::Cursors& cursors;
};
void add_routes(http::Router& router, const Services& services);            // /v1/alerts
void add_operator_routes(http::Router& router, const Services& services);   // /operator/v1/alerts

}  // namespace chat::alerts
