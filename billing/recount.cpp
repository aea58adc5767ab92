#include "billing/recount.h"

#include <array>
#include <cstdlib>
#include <map>

#include "billing/recount.sql.h"
#include "platform/base/json.h"

namespace chat::billing {
namespace {

constexpr std::chrono::days kFlushesKept{6};            // sweep_usage_flushes: seven

}  // namespace

std::vector<Recounted> recount_day(storage::Transaction& tx, Timestamp day, Timestamp now) {
  const auto app = tx.app();
  const auto date = day_of(day);
  const auto end = day + std::chrono::days(1);
  std::vector<Recounted> meters;
  const auto messages = tx.query(sql::recount_messages, app, date, day, end);
  meters.push_back({Meter::messages, messages[0].integer(0), messages[0].integer(1), messages[0].boolean(2)});
  const auto active = tx.query(sql::recount_active_users, app, date, day, end, month_of(day));
  meters.push_back({Meter::active_users, active[0].integer(0), active[0].integer(1), true});
  const bool came_later = tx.query(sql::came_later, app, day)[0].boolean(0);
  const auto add_flushed = [&](Meter meter) {
    const auto flushed = tx.query(sql::recount_flushes, app, date, word(meter));
    meters.push_back({meter, flushed[0].integer(0), flushed[0].integer(1), now < end + kFlushesKept && !came_later});
  };
  for (const auto meter : {Meter::api_calls, Meter::deliveries, Meter::egress_bytes}) add_flushed(meter);
  const auto stored = tx.query(sql::recount_storage, app);
  meters.push_back({Meter::storage_bytes, stored[0].integer(0), stored[0].integer(1), true});
  const auto webhooks = tx.query(sql::recount_webhooks, app, date, day, end);
  meters.push_back({Meter::webhook_deliveries, webhooks[0].integer(0), webhooks[0].integer(1), !came_later});
  const auto campaigns = tx.query(sql::recount_campaigns, app, date, day, end);
  meters.push_back({Meter::campaign_recipients, campaigns[0].integer(0), campaigns[0].integer(1), true});
  for (const auto meter : {Meter::push, Meter::moderation_calls}) add_flushed(meter);
  return meters;
}

std::string recount_json(const std::string& day, const std::vector<Recounted>& meters) {
  json::Writer out;
  std::int64_t sum = 0;
  out.object().field("day", day).key("meters").array();
  for (const auto& one : meters) {
    const auto difference = one.ledger - one.rows;
    if (one.is_complete) sum += std::abs(difference);
    out.object().field("meter", word(one.meter)).field("ledger", one.ledger).field("rows", one.rows).field("difference", difference);
    out.key("complete").boolean(one.is_complete).end();
  }
  out.end().field("difference", sum).end();
  return out.take();
}

std::string hours_json(storage::Transaction& tx, const std::string& plan_id, Timestamp day) {
  constexpr std::array kShown{Meter::messages, Meter::api_calls, Meter::deliveries, Meter::push, Meter::egress_bytes, Meter::webhook_deliveries,
                              Meter::campaign_recipients, Meter::moderation_calls};
  std::map<Timestamp, std::map<std::string, std::int64_t>> hours;
  auto rows = tx.query(sql::day_hours, tx.app(), day, day + std::chrono::days(1));
  for (auto row : rows) hours[row.time(0)][std::string(row.text(1))] = row.integer(2);
  json::Writer out;
  out.object().field("day", day_of(day)).field("plan", plan_id).key("hours").array();
  for (auto& [hour, meters] : hours) {
    out.object().key("hour").time(hour);
    for (const auto meter : kShown) out.field(word(meter), meters[std::string(word(meter))]);
    out.end();
  }
  out.end().end();
  return out.take();
}

}  // namespace chat::billing
