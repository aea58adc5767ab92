#include "billing/crossings.h"

#include <array>

#include "billing/accounts.h"

namespace chat::billing {
namespace {

constexpr std::array kWatched{Meter::messages, Meter::active_users, Meter::api_calls, Meter::deliveries, Meter::peak_connections, Meter::push,
                              Meter::storage_bytes, Meter::storage_byte_hours, Meter::egress_bytes, Meter::webhook_deliveries,
                              Meter::campaign_recipients, Meter::moderation_calls};
constexpr std::array<std::string_view, 4> kLevels{"", "warning", "overage", "hard"};

}  // namespace

std::string_view word(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

int level_of(const Limit& limit, std::int64_t value) {
  if (value <= 0) return 0;
  if (value >= limit.hard) return static_cast<int>(Level::hard);
  if (limit.included == kUnlimited) return 0;
  if (value > limit.included) return static_cast<int>(Level::overage);
  return value >= limit.included - limit.included / 5 ? static_cast<int>(Level::warning) : 0;
}

std::vector<Crossing> Accounts::take_crossings() {
  const auto now = clock_.now();
  std::vector<Crossing> crossings;
  for (const auto& account : all()) {
    std::lock_guard lock(account->mutex_);
    account->roll(now);
    for (const auto meter : kWatched) {
      const auto& limit = account->limits_->of(meter);
      if (limit.included == kUnlimited && limit.hard == kUnlimited) continue;
      const auto value = account->used_now(meter);
      auto& told = account->told_[static_cast<std::size_t>(meter)];
      const auto period = meter == Meter::peak_connections ? day_of(now) : month_of(now).substr(0, 7);
      for (const int reached = level_of(limit, value); told < reached;)
        crossings.push_back({account->app(), meter, static_cast<Level>(++told), period, value, limit});
    }
  }
  return crossings;
}

}  // namespace chat::billing
