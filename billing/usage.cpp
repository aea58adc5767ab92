#include "billing/usage.h"

#include <array>
#include <map>

#include "billing/storage.h"
#include "billing/usage.sql.h"
#include "platform/base/json.h"

namespace chat::billing {
namespace {

constexpr std::array kTeamMeters{Meter::messages, Meter::active_users, Meter::api_calls};
constexpr std::array kDailyMeters{Meter::messages, Meter::api_calls, Meter::deliveries, Meter::active_users, Meter::peak_connections, Meter::push,
                                  Meter::storage_byte_hours, Meter::egress_bytes, Meter::webhook_deliveries, Meter::campaign_recipients,
                                  Meter::moderation_calls};

using Days = std::map<std::string, std::map<std::string, std::int64_t>>;

Days read_days(storage::Transaction& tx, Timestamp month) {
  Days days;
  auto rows = tx.query(sql::month_days, tx.app(), month_of(month), month_of(next_month_start(month)));
  for (auto row : rows) days[std::string(row.text(0))][std::string(row.text(1))] = row.integer(2);
  auto active = tx.query(sql::active_users_by_day, tx.app(), month_of(month));
  for (auto row : active) days[std::string(row.text(0))]["active_users"] = row.integer(1);
  return days;
}

Days read_team_days(storage::Transaction& tx, const std::string& team, Timestamp month) {
  const auto first = month_of(month), end = month_of(next_month_start(month));
  Days days;
  auto rows = team.empty() ? tx.query(sql::teamless_days, tx.app(), first, end) : tx.query(sql::team_days, tx.app(), first, end, team);
  for (auto row : rows) days[std::string(row.text(0))][std::string(row.text(1))] = row.integer(2);
  auto active = tx.query(sql::team_active_users, tx.app(), first, team);
  for (auto row : active) days[std::string(row.text(0))]["active_users"] = row.integer(1);
  return days;
}

template <class Meters>
void write_days(json::Writer& out, const Days& days, const Meters& shown) {
  out.key("days").array();
  for (const auto& [day, meters] : days) {
    out.object().field("day", day);
    for (auto meter : shown) {
      auto value = meters.find(std::string(word(meter)));
      out.field(word(meter), value == meters.end() ? 0 : value->second);
    }
    out.end();
  }
  out.end();
}

void write_meter(json::Writer& out, Meter meter, const Limit& limit, std::int64_t value) {
  out.object().field("meter", word(meter)).field("window", window_of(meter)).field("value", value);
  if (limit.included != kUnlimited) out.field("included", limit.included);
  if (limit.hard != kUnlimited) out.field("hard", limit.hard);
  out.field("action", word(limit.action)).field("state", word(level_of(limit, value))).end();
}

}  // namespace

Totals month_totals(storage::Transaction& tx, Timestamp at, bool with_active) {
  Totals totals{month_start(at), {}};
  auto rows = tx.query(sql::month_totals, tx.app(), month_of(at), month_of(next_month_start(at)), day_of(at));
  for (auto row : rows)
    if (auto meter = parse_meter(row.text(0))) totals.of[static_cast<std::size_t>(*meter)] = row.integer(1);
  auto& active = totals.of[static_cast<std::size_t>(Meter::active_users)];
  active = with_active ? tx.query(sql::count_active_users, tx.app(), month_of(at))[0].integer(0) : -1;
  return totals;
}

std::string usage_json(storage::Transaction& tx, const std::string& plan_id, const Limits& limits, Timestamp month,
                       std::int64_t connections_now) {
  const Days days = read_days(tx, month);
  std::map<std::string, std::int64_t> totals;
  for (const auto& [day, meters] : days)
    for (const auto& [meter, value] : meters)
      totals[meter] = meter == "peak_connections" ? std::max(totals[meter], value) : totals[meter] + value;
  totals["active_users"] = tx.query(sql::count_active_users, tx.app(), month_of(month))[0].integer(0);
  totals["connections"] = connections_now;
  totals["storage_bytes"] = stored_bytes(tx);

  json::Writer out;
  out.object().field("month", month_of(month).substr(0, 7)).field("plan", plan_id).key("meters").array();
  for (auto meter : {Meter::messages, Meter::active_users, Meter::api_calls, Meter::deliveries, Meter::peak_connections,
                     Meter::connections, Meter::push, Meter::storage_bytes, Meter::storage_byte_hours, Meter::egress_bytes, Meter::webhook_deliveries,
                     Meter::campaign_recipients, Meter::moderation_calls})
    write_meter(out, meter, limits.of(meter), totals[std::string(word(meter))]);
  out.end();
  write_days(out, days, kDailyMeters);
  out.end();
  return out.take();
}

std::string team_usage_json(storage::Transaction& tx, const std::string& plan_id, const std::string& team, Timestamp month) {
  const Days days = read_team_days(tx, team, month);
  std::map<std::string, std::int64_t> totals;
  for (const auto& [day, meters] : days)
    for (const auto& [meter, value] : meters) totals[meter] += value;
  json::Writer out;
  out.object().field("month", month_of(month).substr(0, 7)).field("plan", plan_id).field("team", team).key("meters").array();
  for (auto meter : kTeamMeters)
    out.object().field("meter", word(meter)).field("window", window_of(meter)).field("value", totals[std::string(word(meter))]).end();
  out.end();
  write_days(out, days, kTeamMeters);
  out.end();
  return out.take();
}

}  // namespace chat::billing
