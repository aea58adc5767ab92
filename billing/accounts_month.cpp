#include <algorithm>
#include <utility>

#include "billing/accounts.h"
#include "platform/base/error.h"

namespace chat::billing {
namespace {

constexpr std::size_t kMaxCallers = 50'000;
constexpr std::int64_t kMinutesOfAMonth = 30 * 24 * 60;
constexpr std::array kFlushed{Meter::api_calls, Meter::deliveries, Meter::egress_bytes};

std::size_t at(Meter meter) { return static_cast<std::size_t>(meter); }

std::string of_the_plan(Meter meter, std::int64_t limit) {
  std::string words(word(meter));
  std::replace(words.begin(), words.end(), '_', ' ');
  return std::to_string(limit) + " " + words + " of the plan";
}

/// The pace at which `included` would last a month: what an application that is over it still gets.
Limit pace_of(const Limit& limit) {
  const auto pace = std::max<std::int64_t>(limit.included / kMinutesOfAMonth, 1);
  return {.hard = pace, .burst = pace};
}

}  // namespace

bool Account::Pending::empty() const {
  return api_calls == 0 && deliveries == 0 && egress_bytes == 0 && peak_connections == 0 && newly_active.empty() &&
         std::all_of(spent.begin(), spent.end(), [](std::int64_t value) { return value == 0; });
}

std::int64_t Account::Pending::of(Meter meter) const {
  if (meter == Meter::api_calls) return api_calls;
  if (meter == Meter::deliveries) return deliveries;
  return meter == Meter::egress_bytes ? egress_bytes : spent[at(meter)];
}

/// What was counted since the last flush, or before the hour ended, goes where flushes take it.
void Account::close_open() {
  open_.deliveries += deliveries_.exchange(0, std::memory_order_relaxed);
  open_.egress_bytes += egress_bytes_.exchange(0, std::memory_order_relaxed);
  const auto hour = open_.hour;
  if (!open_.empty()) {
    for (const auto meter : kFlushed) in_flush_[at(meter)] += open_.of(meter);
    base(Meter::peak_connections) = std::max(base(Meter::peak_connections), open_.peak_connections);
    closed_.push_back(std::exchange(open_, {}));
  }
  open_.hour = hour;
}

void Account::roll(Timestamp now) {
  if (now.time_since_epoch().count() < hour_ends_.load(std::memory_order_relaxed)) return;
  close_open();
  const auto hour = std::chrono::floor<std::chrono::hours>(now);
  if (std::chrono::floor<std::chrono::days>(now) > std::chrono::floor<std::chrono::days>(open_.hour)) {
    base(Meter::peak_connections) = 0;
    told_[at(Meter::peak_connections)] = 0;
  }
  if (month_start(now) > month_) {
    month_ = month_start(now);
    base_.fill(0);
    in_flush_.fill(0);
    told_.fill(0);
  }
  open_.hour = Timestamp(hour);
  open_.peak_connections = connections();
  hour_ends_.store(Timestamp(hour + std::chrono::hours(1)).time_since_epoch().count(), std::memory_order_relaxed);
}

std::int64_t Account::used_now(Meter meter) const {
  const auto base = base_[at(meter)];
  switch (meter) {
    case Meter::api_calls: return base + in_flush_[at(meter)] + open_.api_calls;
    case Meter::deliveries: return base + in_flush_[at(meter)] + open_.deliveries + deliveries_.load(std::memory_order_relaxed);
    case Meter::egress_bytes: return base + in_flush_[at(meter)] + open_.egress_bytes + egress_bytes_.load(std::memory_order_relaxed);
    case Meter::peak_connections: return std::max(base, open_.peak_connections);
    case Meter::connections: return connections();
    default: return base;
  }
}

void Account::check_left(Meter meter, std::int64_t count, Timestamp now) {
  const auto& limit = limits_->of(meter);
  const auto after = used_now(meter) + reserved_[at(meter)] + count;
  if (after > limit.hard) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(next_month_start(now) - now) + std::chrono::seconds(1);
    throw Error(Code::quota_exceeded, "This month's " + of_the_plan(meter, limit.hard) + " are used up.",
                {{"limit:" + std::string(word(meter)), "Used up until the next month begins (UTC)."}})
        .with_retry_after(left);
  }
  if (limit.action != Action::throttle || limit.included == kUnlimited || after <= limit.included) return;
  const auto result = throttles_[static_cast<int>(meter)].take(pace_of(limit), now);
  if (!result.allowed)
    throw Error(Code::rate_limited, "This month's " + of_the_plan(meter, limit.included) + " are used; more are served slowly.",
                {{"limit:" + std::string(word(meter)), "Over what is included: slowed."}})
        .with_retry_after(std::chrono::seconds(result.wait_s));
}

void Account::take(Meter meter, std::int64_t count, Timestamp now) {
  check_left(meter, count, now);
  reserved_[at(meter)] += count;
}

void Account::reserve(Meter meter, std::int64_t count, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  take(meter, count, now);
}

std::int64_t Account::reserve_some(Meter meter, std::int64_t wanted, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  const auto& limit = limits_->of(meter);
  auto left = [&](std::int64_t bound) { return bound == kUnlimited ? wanted : std::max<std::int64_t>(bound - used_now(meter) - reserved_[at(meter)], 0); };
  auto given = std::min(wanted, left(limit.hard));
  if (limit.action == Action::throttle) {
    const auto over = given - std::min(given, left(limit.included));
    given -= over;
    for (std::int64_t i = 0; i < over && throttles_[static_cast<int>(meter)].take(pace_of(limit), now).allowed; ++i) ++given;
  }
  reserved_[at(meter)] += given;
  return given;
}

void Account::spent(Meter meter, std::int64_t count, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  reserved_[at(meter)] -= count;
  open_.spent[at(meter)] += count;
  if (month_start(now) == month_) base(meter) += count;
}

void Account::release(Meter meter, std::int64_t count) {
  std::lock_guard lock(mutex_);
  reserved_[at(meter)] -= count;
}

void Account::check(Meter meter, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_left(meter, 1, now);
}

void Account::reserve_message(Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_left(Meter::deliveries, 1, now);
  take(Meter::messages, 1, now);
}

void Account::message_sent(Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  --reserved_[at(Meter::messages)];
  ++open_.spent[at(Meter::messages)];
  if (month_start(now) == month_) ++base(Meter::messages);
  ++sent_;
  total_messages.fetch_add(1, std::memory_order_relaxed);
}

std::int64_t Account::used(Meter meter, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  return meter == Meter::connections ? connections() + elsewhere(now) : used_now(meter);
}

void Account::begin_call(bool exempt, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  if (!exempt) check_left(Meter::api_calls, 1, now);
  ++reserved_[at(Meter::api_calls)];
}

void Account::end_call(bool counts, const std::string& user_id, Timestamp now) {
  std::lock_guard lock(mutex_);
  --reserved_[at(Meter::api_calls)];
  if (!counts) return;
  roll(now);
  ++open_.api_calls;
  total_api_calls.fetch_add(1, std::memory_order_relaxed);
  if (user_id.empty()) return;
  auto& callers = open_.calls_by_user;                  // beyond kMaxCallers in a flush a call counts for no team
  if (auto known = callers.find(user_id); known != callers.end()) ++known->second;
  else if (callers.size() < kMaxCallers) callers.emplace(user_id, 1);
}

void Account::count(Meter meter, std::int64_t amount, Timestamp now) {
  if (now.time_since_epoch().count() >= hour_ends_.load(std::memory_order_relaxed)) {
    std::lock_guard lock(mutex_);
    roll(now);
  }
  (meter == Meter::deliveries ? deliveries_ : egress_bytes_).fetch_add(amount, std::memory_order_relaxed);
}

std::vector<Account::Pending> Account::take_pending(Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  open_.peak_connections = std::max(open_.peak_connections, connections() + elsewhere(now));
  close_open();
  return std::exchange(closed_, {});
}

void Account::take_totals(const Totals& totals) {
  for (std::size_t i = 0; i < kMeters; ++i) {
    if (i == at(Meter::messages) || (i == at(Meter::active_users) && totals.of[i] < 0)) continue;
    base_[i] = totals.of[i];
  }
}

void Account::written(const Pending& pending, const Totals& totals, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  if (month_start(pending.hour) == month_)
    for (const auto meter : kFlushed) in_flush_[at(meter)] -= pending.of(meter);
  if (totals.month == month_) take_totals(totals);
}

}  // namespace chat::billing
