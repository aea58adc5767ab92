#include "billing/crossings.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "billing/accounts.h"

namespace chat::billing {
namespace {

constexpr std::array kWatched{Meter::messages, Meter::active_users, Meter::api_calls, Meter::deliveries, Meter::peak_connections, Meter::push,
                              Meter::storage_bytes, Meter::storage_byte_hours, Meter::egress_bytes, Meter::webhook_deliveries,
                              Meter::campaign_recipients, Meter::moderation_calls};

constexpr std::size_t kMaxEnded = 100;         // of an application, untold

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

/// Marks that were passed and not told yet, while there is room for them.
void Account::cross(Meter meter, const std::string& period, std::size_t at_most, std::vector<Crossing>& crossings) {
  const auto& limit = limits_->of(meter);
  const auto value = used_now(meter);
  if (value <= 0) return;
  auto& told = told_[at(meter)];
  for (const auto reached = level_of(limit, value); told < reached && crossings.size() < at_most;) {
    told = static_cast<Level>(static_cast<int>(told) + 1);
    crossings.push_back({app_, meter, told, period, value, limit});
  }
}

/// A day or a month ends: what passed a mark since the last look is told in the period that it belongs to.
void Account::end_period(bool is_month) {
  if (!limits_) return;
  if (is_month) {
    for (const auto meter : kWatched)
      if (meter != Meter::peak_connections) cross(meter, month_of(month_).substr(0, 7), kMaxEnded, ended_);
  }
  cross(Meter::peak_connections, day_of(open_.hour), kMaxEnded, ended_);
}

std::vector<Crossing> Accounts::take_crossings(std::size_t at_most) {
  const auto now = clock_.now();
  std::vector<Crossing> crossings;
  for (const auto& account : all()) {
    std::lock_guard lock(account->mutex_);
    account->roll(now);
    auto& ended = account->ended_;
    const auto taken = std::min(ended.size(), at_most - crossings.size());
    std::move(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(taken), std::back_inserter(crossings));
    ended.erase(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(taken));
    const auto day = day_of(now), month = month_of(now).substr(0, 7);
    for (const auto meter : kWatched) account->cross(meter, meter == Meter::peak_connections ? day : month, at_most, crossings);
  }
  return crossings;
}

}  // namespace chat::billing
