#include "billing/alerts/alerts.h"

#include <array>

#include "billing/alerts/alerts.sql.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"

namespace chat::alerts {
namespace {

constexpr std::string_view kCrossed = "billing.limit.crossed";
constexpr std::array<std::string_view, 4> kLevels{"", "warning", "overage", "hard"};   // by billing::Level

std::optional<std::int64_t> bound(std::int64_t value) { return value == billing::kUnlimited ? std::nullopt : std::optional(value); }

Alert read(const storage::Row& row) {
  return {AppId{row.uuid(0)}, AlertId{row.uuid(1)}, std::string(row.text(2)), std::string(row.text(3)), std::string(row.text(4)),
          row.integer(5), row.optional_integer(6), row.optional_integer(7), row.time(8)};
}

storage::Page<Alert> page_of(const storage::Rows& rows, int limit, const std::string& scope, const storage::Cursors& cursors) {
  storage::Page<Alert> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

std::optional<std::string> position_of(const std::string& scope, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  return cursor ? std::optional(cursors.open(scope, *cursor, "query:next").at(0)) : std::nullopt;
}

void count(std::string_view level) {
  metrics::counter("chat_limit_alerts_total", "Marks of limits that applications passed, each once in its period.", {{"level", std::string(level)}}).add();
}

}  // namespace

std::string alert_json(const Alert& alert) {
  json::Writer out;
  out.object().field("alert_id", alert.id.wire()).field("app_id", alert.app.wire()).field("meter", alert.meter).field("period", alert.period)
      .field("level", alert.level).field("value", alert.value);
  if (alert.included) out.field("included", *alert.included);
  if (alert.hard) out.field("hard", *alert.hard);
  out.key("noticed_at").time(alert.noticed_at).end();
  return out.take();
}

bool tell(storage::Connection& connection, bus::Bus& bus, const billing::Crossing& crossing, Timestamp now) {
  const Alert alert{crossing.app, AlertId::make(now), std::string(word(crossing.meter)), crossing.period, std::string(kLevels.at(static_cast<std::size_t>(crossing.level))),
                    crossing.value, bound(crossing.limit.included), bound(crossing.limit.hard), now};
  const auto mark = alert.level == "hard" ? crossing.limit.hard : crossing.limit.included;
  bool is_first = false;
  connection.transact(crossing.app, storage::Mode::write, [&](storage::Transaction& tx) {
    is_first = tx.find(sql::insert_alert, alert.app, alert.meter, alert.period, alert.level, mark, alert.id, alert.value,
                       alert.included, alert.hard, now).has_value();
    if (!is_first) return;
    bus::Event event;
    event.id = EventId::make(now);
    event.app = alert.app;
    event.type = kCrossed;
    event.reach = bus::Reach::application;
    event.created_at = now;
    json::Writer data;
    data.object().key("alert").raw(alert_json(alert)).end();
    event.data = data.take();
    bus::emit(tx, bus, std::move(event));
  });
  if (!is_first) return false;
  count(alert.level);
  log::warn("limit.alert", {{"app_id", alert.app.wire()}, {"meter", alert.meter}, {"level", alert.level}, {"period", alert.period}, {"value", alert.value}});
  return true;
}

storage::Page<Alert> list_alerts(storage::Transaction& tx, const std::optional<AppId>& app, int limit, const std::optional<std::string>& cursor,
                                 const storage::Cursors& cursors) {
  const std::string scope = "operator|alerts|" + (app ? app->text() : "");
  return page_of(tx.query(sql::list_alerts, app, position_of(scope, cursor, cursors), limit + 1), limit, scope, cursors);
}

storage::Page<Alert> list_own(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|alerts";
  return page_of(tx.query(sql::list_own_alerts, tx.app(), position_of(scope, cursor, cursors), limit + 1), limit, scope, cursors);
}

}  // namespace chat::alerts
