#include "billing/metering.h"

#include "billing/metering.sql.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"

namespace chat::billing {
namespace {

std::string literal(const std::vector<std::string>& values) {
  text::ArrayLiteral array;
  for (const auto& value : values) array.add(value);
  return array.take();
}

metrics::Counter& flushes(const char* result) {
  return metrics::counter("chat_usage_flush_total", "Flushes of counted usage to the ledger.", {{"result", result}});
}

}  // namespace

Metering::Metering(Accounts& accounts, const Clock& clock)
    : accounts_(accounts), clock_(clock), boot_(crypto::hex(crypto::random_bytes(8))) {}

void Metering::flush(storage::Connection& connection) {
  accounts_.sample_connections();
  for (const auto& account : accounts_.all()) {
    auto unfinished = unfinished_.find(account->app());
    if (unfinished == unfinished_.end()) {
      auto pending = Accounts::take_pending(*account);
      if (pending.empty()) continue;
      const auto now = clock_.now();
      unfinished = unfinished_.emplace(account->app(), Batch{boot_ + ":" + std::to_string(++count_), day_of(now),
                                                             month_of(now), std::move(pending)}).first;
    }
    try {
      write(connection, account->app(), unfinished->second);
      unfinished_.erase(unfinished);
      flushes("ok").add();
    } catch (const Error& error) {
      flushes("failed").add();
      log::warn("usage.flush_failed", {{"app_id", account->app().wire()}, {"detail", error.what()}});
    }
  }
}

void Metering::write(storage::Connection& connection, AppId app, const Batch& batch) {
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
    if (!tx.find(sql::begin_flush, app, batch.id, clock_.now())) return;
    const auto& pending = batch.pending;
    std::vector<std::string> meters, values;
    auto add = [&](Meter meter, std::int64_t value) {
      if (value == 0) return;
      meters.emplace_back(word(meter));
      values.push_back(std::to_string(value));
    };
    add(Meter::api_calls, pending.api_calls);
    add(Meter::deliveries, pending.deliveries);
    add(Meter::egress_bytes, pending.egress_bytes);
    if (!meters.empty()) tx.run(sql::add_counts, app, batch.day, literal(meters), literal(values));
    if (!pending.calls_by_user.empty()) {
      std::vector<std::string> callers, calls;
      for (const auto& [user, count] : pending.calls_by_user) {
        callers.push_back(user);
        calls.push_back(std::to_string(count));
      }
      tx.run(sql::add_team_calls, app, batch.day, literal(callers), literal(calls));
    }
    if (pending.peak_connections > 0) tx.run(sql::raise_peak, app, batch.day, pending.peak_connections);
    if (pending.newly_active.empty()) return;
    const auto users = literal(pending.newly_active);
    tx.run(sql::add_active_users, app, batch.month, batch.day, users);
    tx.run(sql::touch_users, app, users, clock_.now());
  });
}

}  // namespace chat::billing
