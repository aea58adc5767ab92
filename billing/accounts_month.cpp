#include <algorithm>
#include <cmath>
#include <utility>

#include "billing/accounts.h"
#include "platform/base/error.h"

namespace chat::billing {
namespace {

constexpr std::size_t kMaxCallers = 50'000;
constexpr double kSecondsOfAMonth = 30 * 24 * 3600;
constexpr std::array kFlushed{Meter::api_calls, Meter::deliveries, Meter::egress_bytes};

std::size_t at(Meter meter) { return static_cast<std::size_t>(meter); }
bool is_flushed(std::size_t meter) { return std::any_of(kFlushed.begin(), kFlushed.end(), [&](Meter one) { return at(one) == meter; }); }

std::string of_the_plan(Meter meter, std::int64_t limit) {
  std::string words(word(meter));
  std::replace(words.begin(), words.end(), '_', ' ');
  return std::to_string(limit) + " " + words + " of the plan";
}

/// The pace at which `included` would last a month: what an application that is over it still gets.
double pace_of(const Limit& limit) { return static_cast<double>(limit.included) / kSecondsOfAMonth; }

std::chrono::seconds until_next_month(Timestamp now) {
  return std::chrono::duration_cast<std::chrono::seconds>(next_month_start(now) - now) + std::chrono::seconds(1);
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
  const bool is_new_month = month_start(now) > month_;
  if (std::chrono::floor<std::chrono::days>(now) > std::chrono::floor<std::chrono::days>(open_.hour)) {
    end_period(is_new_month);
    base(Meter::peak_connections) = 0;
    told_[at(Meter::peak_connections)] = Level::ok;
  }
  if (is_new_month) {
    month_ = month_start(now);
    base_.fill(0);
    in_flush_.fill(0);
    told_.fill(Level::ok);
    throttles_.clear();
    turned_away_.clear();
    joining_ = 0;
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
    throw Error(Code::quota_exceeded, "This month's " + of_the_plan(meter, limit.hard) + " are used up.",
                {{"limit:" + std::string(word(meter)), "Used up until the next month begins (UTC)."}})
        .with_retry_after(until_next_month(now));
  }
  if (limit.action == Action::throttle && limit.included != kUnlimited && after > limit.included)
    check_pace(meter, std::min(count, after - limit.included), now);
}

/// What was done since the last check without having asked, as deliveries are, is owed.
void Account::check_pace(Meter meter, std::int64_t over, Timestamp now) {
  const auto& limit = limits_->of(meter);
  auto& [pace, paced] = throttles_[static_cast<int>(meter)];
  const bool asks_after = meter == Meter::deliveries;
  if (asks_after) {
    const auto used = used_now(meter);
    if (const auto before = std::exchange(paced, used); before >= 0) pace.owe(std::max<std::int64_t>(used - std::max(before, limit.included), 0));
  }
  const auto result = asks_after ? pace.look(pace_of(limit), now) : pace.take(pace_of(limit), over, now);
  if (result.allowed) return;
  const auto month_left = until_next_month(now);
  const bool is_long = result.wait_s >= static_cast<double>(month_left.count());
  throw Error(Code::rate_limited, "This month's " + of_the_plan(meter, limit.included) + " are used; more are served slowly.",
              {{"limit:" + std::string(word(meter)), "Over what is included: slowed."}})
      .with_retry_after(is_long ? month_left : std::chrono::seconds(std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(result.wait_s)), 1)));
}

void Account::take(Meter meter, std::int64_t count, Timestamp now) {
  check_left(meter, count, now);
  reserved_[at(meter)] += count;
  ++changes_[at(meter)];
}

void Account::reserve(Meter meter, std::int64_t count, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  if (meter == Meter::messages) check_left(Meter::deliveries, 1, now);
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
    if (over > 0) given -= over - throttles_[static_cast<int>(meter)].pace.take_some(pace_of(limit), over, now);
  }
  reserved_[at(meter)] += given;
  ++changes_[at(meter)];
  return given;
}

void Account::spent(Meter meter, std::int64_t count, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  reserved_[at(meter)] -= count;
  ++changes_[at(meter)];
  open_.spent[at(meter)] += count;
  if (month_start(now) == month_) base(meter) += count;
  if (meter != Meter::messages) return;
  sent_ += count;
  total_messages.fetch_add(count, std::memory_order_relaxed);
}

void Account::release(Meter meter, std::int64_t count) {
  std::lock_guard lock(mutex_);
  reserved_[at(meter)] -= count;
  ++changes_[at(meter)];
}

void Account::charge(Meter meter, std::int64_t amount, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_left(meter, amount, now);
  (meter == Meter::deliveries ? open_.deliveries : open_.egress_bytes) += amount;
}

void Account::check(Meter meter, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_left(meter, 1, now);
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
  open_.peak_connections = std::max(open_.peak_connections, connections() + lately_elsewhere(now));
  close_open();
  return std::exchange(closed_, {});
}

/// `reading`: how it was when they were read; null: nothing was done before. Messages are told by other nodes and then counted here alone.
void Account::take_totals(const Totals& totals, const Reading* reading, Timestamp now) {
  for (std::size_t i = 0; i < kMeters; ++i) {
    const bool is_spent_meanwhile = reading && !is_flushed(i) && (reserved_[i] != 0 || changes_[i] != reading->changes[i]);
    const bool is_told = reading && i == at(Meter::messages) && !doubts_messages_;
    if (is_spent_meanwhile || is_told || totals.of[i] < 0) continue;
    base_[i] = totals.of[i];
    if (i == at(Meter::messages)) doubts_messages_ = false;
  }
  if (totals.of[at(Meter::active_users)] >= 0) users_counted_ = now;
}

void Account::written(const Pending& pending, const Reading& reading, const Totals& totals, std::int64_t joined, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  if (month_start(pending.hour) == month_) {
    for (const auto meter : kFlushed) in_flush_[at(meter)] -= pending.of(meter);
    joining_ -= static_cast<std::int64_t>(pending.newly_active.size());
    base(Meter::active_users) += joined;
  }
  if (totals.month == month_) take_totals(totals, &reading, now);
}

}  // namespace chat::billing
