#include "billing/crossings.h"

#include <algorithm>
#include <array>

#include "billing/accounts.h"

namespace chat::billing {
namespace {

constexpr std::array kWatched{Meter::messages, Meter::active_users, Meter::api_calls, Meter::deliveries, Meter::peak_connections, Meter::push,
                              Meter::storage_bytes, Meter::storage_byte_hours, Meter::egress_bytes, Meter::webhook_deliveries,
                              Meter::campaign_recipients, Meter::moderation_calls};

std::size_t at(Meter meter) { return static_cast<std::size_t>(meter); }

}  // namespace

/// An upgrade moves the marks up: what is reached under the new limit only is told again when it is passed.
void Account::change_limits(std::shared_ptr<const Limits> limits, Timestamp now) {
  roll(now);
  for (const auto meter : kWatched) {
    const auto& limit = limits->of(meter);
    if (!limits_ || (limits_->of(meter).included == limit.included && limits_->of(meter).hard == limit.hard)) continue;
    told_[at(meter)] = std::min(told_[at(meter)], level_of(limit, used_now(meter)));
  }
  limits_ = std::move(limits);
  turned_away_.clear();
}

std::vector<Crossing> Accounts::take_crossings(std::size_t at_most) {
  const auto now = clock_.now();
  std::vector<Crossing> crossings;
  for (const auto& account : all()) {
    std::lock_guard lock(account->mutex_);
    account->roll(now);
    for (const auto meter : kWatched) {
      const auto& limit = account->limits_->of(meter);
      const auto value = account->used_now(meter);
      if (value <= 0) continue;
      auto& told = account->told_[at(meter)];
      const auto period = meter == Meter::peak_connections ? day_of(now) : month_of(now).substr(0, 7);
      for (const auto reached = level_of(limit, value); told < reached && crossings.size() < at_most;) {
        told = static_cast<Level>(static_cast<int>(told) + 1);
        crossings.push_back({account->app(), meter, told, period, value, limit});
      }
    }
  }
  return crossings;
}

}  // namespace chat::billing
