#include "billing/metering.h"

#include <algorithm>

#include "billing/metering.sql.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"

namespace chat::billing {
namespace {

constexpr std::size_t kMaxUntold = 10'000;

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
  for (const auto& account : accounts_.all()) {
    auto& batches = unfinished_[account->app()];
    if (batches.empty())
      for (auto& pending : account->take_pending(clock_.now())) batches.push_back({boot_ + ":" + std::to_string(++count_), std::move(pending)});
    flush(connection, *account, batches);
    if (batches.empty()) unfinished_.erase(account->app());
  }
  tell_crossings(connection);
}

void Metering::flush(storage::Connection& connection, Account& account, std::deque<Batch>& batches) {
  try {
    while (!batches.empty()) {
      const auto reading = account.begin_reading(clock_.now());
      const auto [totals, joined] = write(connection, account.app(), batches.front(), reading.with_active);
      account.written(batches.front().pending, reading, totals, joined, clock_.now());
      batches.pop_front();
      flushes("ok").add();
    }
  } catch (const Error& error) {
    flushes("failed").add();
    log::warn("usage.flush_failed", {{"app_id", account.app().wire()}, {"detail", error.what()}});
  }
}

namespace {

struct Counted {
  std::vector<std::string> meters, values;
  void add(Meter meter, std::int64_t value) {
    if (value == 0) return;
    meters.emplace_back(word(meter));
    values.push_back(std::to_string(value));
  }
};

void add_team_calls(storage::Transaction& tx, const Account::Pending& pending) {
  std::vector<std::string> callers, calls;
  for (const auto& [user, count] : pending.calls_by_user) {
    callers.push_back(user);
    calls.push_back(std::to_string(count));
  }
  tx.run(sql::add_team_calls, tx.app(), day_of(pending.hour), literal(callers), literal(calls));
}

/// Returns how many of its users are new in the month.
std::int64_t add_pending(storage::Transaction& tx, const Account::Pending& pending, const Counted& flushed, Timestamp now) {
  const auto day = day_of(pending.hour);
  if (!flushed.meters.empty()) tx.run(sql::add_counts, tx.app(), day, literal(flushed.meters), literal(flushed.values));
  if (!pending.calls_by_user.empty()) add_team_calls(tx, pending);
  Counted hour = flushed;
  for (int i = 0; i < kMeters; ++i) hour.add(static_cast<Meter>(i), pending.spent[static_cast<std::size_t>(i)]);
  if (!hour.meters.empty()) tx.run(sql::add_hour, tx.app(), pending.hour, literal(hour.meters), literal(hour.values));
  if (pending.peak_connections > 0) tx.run(sql::raise_peak, tx.app(), day, pending.peak_connections);
  if (pending.newly_active.empty()) return 0;
  const auto users = literal(pending.newly_active);
  tx.query(sql::lock_active_users, tx.app());
  const auto joined = tx.run(sql::add_active_users, tx.app(), month_of(pending.hour), day, users);
  tx.run(sql::touch_users, tx.app(), users, std::min(now, pending.hour + std::chrono::hours(1) - std::chrono::microseconds(1)));
  return static_cast<std::int64_t>(joined);
}

}  // namespace

Metering::Written Metering::write(storage::Connection& connection, AppId app, const Batch& batch, bool with_active) const {
  Written written;
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
    Counted flushed;
    for (const auto meter : {Meter::api_calls, Meter::deliveries, Meter::egress_bytes}) flushed.add(meter, batch.pending.of(meter));
    written.joined = 0;
    const auto day = day_of(batch.pending.hour);
    const bool is_first = tx.find(sql::begin_flush, app, batch.id, clock_.now(), day, literal(flushed.meters), literal(flushed.values)).has_value();
    if (is_first) written.joined = add_pending(tx, batch.pending, flushed, clock_.now());
    written.totals = month_totals(tx, clock_.now(), with_active || !is_first);
  });
  return written;
}

/// Told one by one: one that can't be told now waits for the next flush, for those who have not heard it, and the others are told.
void Metering::tell_crossings(storage::Connection& connection) {
  for (auto& crossing : accounts_.take_crossings(kMaxUntold - std::min(untold_.size(), kMaxUntold))) {
    log::info("usage.limit_crossed", {{"app_id", crossing.app.wire()}, {"meter", word(crossing.meter)}, {"level", word(crossing.level)},
                                      {"period", crossing.period}, {"value", crossing.value}});
    untold_.push_back({std::move(crossing)});
  }
  std::erase_if(untold_, [&](Untold& one) {
    try {
      for (; one.heard < told_.size(); ++one.heard) told_[one.heard](connection, one.crossing);
      return true;
    } catch (const Error& error) {
      log::warn("usage.crossing_untold", {{"app_id", one.crossing.app.wire()}, {"detail", error.what()}});
      return false;
    }
  });
}

void count_usage(storage::Transaction& tx, Meter meter, std::int64_t count, Timestamp now) {
  if (count > 0) tx.run(sql::add_counts, tx.app(), day_of(now), literal({std::string(word(meter))}), literal({std::to_string(count)}));
}

void count_flushed(storage::Transaction& tx, const std::string& id, Meter meter, std::int64_t count, Timestamp at, Timestamp now) {
  if (count <= 0) return;
  const auto meters = literal({std::string(word(meter))}), values = literal({std::to_string(count)});
  if (tx.find(sql::begin_flush, tx.app(), id, now, day_of(at), meters, values)) tx.run(sql::add_counts, tx.app(), day_of(at), meters, values);
}

Hold hold_usage(storage::Transaction& tx, Meter meter, std::int64_t wanted, std::int64_t hard, Timestamp until, Timestamp now) {
  const auto name = word(meter);
  tx.query(sql::lock_holds, tx.app(), name);
  tx.run(sql::end_stale_holds, tx.app(), name, now);
  const auto rows = tx.query(sql::counted_and_held, tx.app(), name, month_of(now), month_of(next_month_start(now)));
  const auto left = hard - rows[0].integer(0);
  const auto count = std::clamp<std::int64_t>(left - rows[0].integer(1), 0, wanted);
  if (count == 0) return {{}, 0, left <= 0};
  const auto id = new_uuid7(now);
  tx.run(sql::insert_hold, tx.app(), id, name, count, until);
  return {id, count};
}

void end_hold(storage::Transaction& tx, const Uuid& hold) { tx.run(sql::end_hold, tx.app(), hold); }

Hold hold_usage(storage::Connection& connection, const Account& account, Meter meter, std::int64_t wanted, Timestamp until, Timestamp now) {
  const auto hard = account.limits()->of(meter).hard;
  Hold hold{{}, wanted};
  if (hard == kUnlimited) return hold;
  connection.transact(account.app(), storage::Mode::write, [&](storage::Transaction& tx) { hold = hold_usage(tx, meter, wanted, hard, until, now); });
  return hold;
}

Admission admit_active_user(storage::Transaction& tx, const std::string& user_id, std::int64_t hard, std::int64_t near, Timestamp now) {
  const auto is_active = [&] { return tx.query(sql::is_active_user, tx.app(), month_of(now), user_id)[0].boolean(0); };
  const auto count = [&] { return tx.query(sql::count_active, tx.app(), month_of(now))[0].integer(0); };
  auto active = count();
  if (is_active()) return {Admission::is_in, active};
  if (active >= hard) return {Admission::refused, active};
  if (active + near < hard) return {Admission::may_join, active};
  tx.query(sql::lock_active_users, tx.app());
  active = count();
  if (is_active()) return {Admission::is_in, active};
  if (active >= hard) return {Admission::refused, active};
  const auto users = literal({user_id});
  tx.run(sql::add_active_users, tx.app(), month_of(now), day_of(now), users);
  tx.run(sql::touch_users, tx.app(), users, now);
  return {Admission::is_in, active + 1};
}

}  // namespace chat::billing
