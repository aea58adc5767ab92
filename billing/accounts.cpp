#include "billing/accounts.h"

#include "billing/usage.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"

namespace chat::billing {
namespace {

// Beyond this many users a month the set is dropped and the table alone (on conflict do nothing) keeps the count right.
constexpr std::size_t kMaxSeen = 200'000;
constexpr std::size_t kMaxNewlyActive = 50'000;
constexpr std::size_t kMaxCallers = 50'000;
constexpr std::chrono::seconds kSilentAfter{5};   // nodes speak every second

}  // namespace

Accounts::Accounts(PlanBook& plans, const Clock& clock) : plans_(plans), clock_(clock), node_(crypto::hex(crypto::random_bytes(6))) {}

std::shared_ptr<const Limits> Account::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

void Account::reserve_message(Timestamp now) {
  std::lock_guard lock(mutex_);
  if (month_start(now) > month_) {
    month_ = month_start(now);
    committed_ = 0;
  }
  const auto hard = limits_->of(Meter::messages).hard;
  if (committed_ + reserved_ >= hard) {
    auto left = std::chrono::duration_cast<std::chrono::seconds>(next_month_start(now) - now) + std::chrono::seconds(1);
    throw Error(Code::quota_exceeded, "This month's " + std::to_string(hard) + " messages of the plan are used up.")
        .with_retry_after(left);
  }
  ++reserved_;
}

void Account::message_sent(Timestamp now) {
  std::lock_guard lock(mutex_);
  --reserved_;
  if (month_start(now) == month_) ++committed_;
  ++sent_;
  total_messages.fetch_add(1, std::memory_order_relaxed);
}

void Account::message_refused() {
  std::lock_guard lock(mutex_);
  --reserved_;
}

std::int64_t Account::messages_this_month() const {
  std::lock_guard lock(mutex_);
  return committed_;
}

void Account::open_connection(Timestamp now) {
  std::lock_guard lock(mutex_);
  const auto hard = limits_->of(Meter::connections).hard;
  const auto open_here = connections_.load(std::memory_order_relaxed);
  const auto open_elsewhere = elsewhere(now);
  if (open_here + open_elsewhere >= hard)
    throw Error(Code::too_many_connections, "The plan's " + std::to_string(hard) + " concurrent connections are in use.");
  connections_.store(open_here + 1, std::memory_order_relaxed);
  peak_connections_ = std::max(peak_connections_, open_here + open_elsewhere + 1);
}

std::int64_t Account::connections_everywhere(Timestamp now) {
  std::lock_guard lock(mutex_);
  return connections() + elsewhere(now);
}

/// Under the lock. A node that says nothing any more has no sockets.
std::int64_t Account::elsewhere(Timestamp now) {
  std::int64_t sum = 0;
  std::erase_if(elsewhere_, [&](const auto& one) { return now - one.second.at > kSilentAfter; });
  for (const auto& [node, said] : elsewhere_) sum += said.connections;
  return sum;
}

void Account::close_connection() { connections_.fetch_sub(1, std::memory_order_relaxed); }

bool Account::first_seen(const std::string& user_id, Timestamp now) {
  std::lock_guard lock(mutex_);
  if (month_start(now) > seen_month_ || seen_.size() >= kMaxSeen) {
    seen_month_ = month_start(now);
    seen_.clear();
  }
  if (!seen_.insert(user_id).second) return false;
  if (newly_active_.size() < kMaxNewlyActive) newly_active_.push_back(user_id);
  else seen_.erase(user_id);
  return true;
}

void Account::count_call_of(const std::string& user_id) {
  std::lock_guard lock(mutex_);
  if (auto known = calls_by_user_.find(user_id); known != calls_by_user_.end()) ++known->second;
  else if (calls_by_user_.size() < kMaxCallers) calls_by_user_.emplace(user_id, 1);
}

bool Accounts::Pending::empty() const {
  return api_calls == 0 && deliveries == 0 && egress_bytes == 0 && peak_connections == 0 && newly_active.empty();
}

Accounts::Pending Accounts::take_pending(Account& account) {
  Pending pending;
  {
    std::lock_guard lock(account.mutex_);
    pending.peak_connections = std::exchange(account.peak_connections_, 0);
    pending.newly_active = std::exchange(account.newly_active_, {});
    pending.calls_by_user = std::exchange(account.calls_by_user_, {});   // before all calls: never more of them than there are
  }
  pending.api_calls = account.api_calls.exchange(0);
  pending.deliveries = account.deliveries.exchange(0, std::memory_order_relaxed);
  pending.egress_bytes = account.egress_bytes.exchange(0, std::memory_order_relaxed);
  return pending;
}

void Accounts::refresh_limits(Account& account, const std::shared_ptr<const tenants::Application>& application) {
  const auto version = plans_.version();
  std::lock_guard lock(account.mutex_);
  if (account.limits_ && account.plans_version_ == version && account.limits_of_.lock() == application) return;
  auto plan = plans_.find(application->plan_id);
  auto overrides = json::Document::parse(application->limits_json);
  static const auto kNoPlan = json::Document::parse("{}");
  account.limits_ = std::make_shared<const Limits>(merge_limits(plan ? plan->root() : kNoPlan.root(), overrides.root()));
  account.plans_version_ = version;
  account.limits_of_ = application;
}

std::shared_ptr<Account> Accounts::find(const std::shared_ptr<const tenants::Application>& application) {
  std::shared_ptr<Account> account = known(application->id);
  if (account) refresh_limits(*account, application);
  return account;
}

std::shared_ptr<Account> Accounts::load(storage::Connection& connection,
                                        const std::shared_ptr<const tenants::Application>& application) {
  if (auto account = find(application)) return account;
  const auto now = clock_.now();
  auto account = std::make_shared<Account>(application->id);
  account->month_ = month_start(now);
  connection.transact(application->id, storage::Mode::read, [&](storage::Transaction& tx) {
    account->committed_ = month_total(tx, Meter::messages, now);
  });
  refresh_limits(*account, application);
  std::lock_guard lock(mutex_);
  return accounts_.try_emplace(application->id, account).first->second;
}

std::shared_ptr<Account> Accounts::known(AppId app) {
  std::lock_guard lock(mutex_);
  auto found = accounts_.find(app);
  return found == accounts_.end() ? nullptr : found->second;
}

namespace {

void add(http::RateDecision& decision, const char* name, const Limit& limit, const Bucket::Result& result) {
  if (limit.hard == kUnlimited) return;
  decision.allowed &= result.allowed;
  decision.retry_after_s = std::max(decision.retry_after_s, result.wait_s);
  decision.policies.push_back({name, limit.hard, 60, result.remaining, std::max<std::int64_t>(result.wait_s, 1)});
}

}  // namespace

http::RateDecision Accounts::take_request(Account& account, const std::string& user_id, bool guest) {
  const auto now = clock_.now();
  const auto limits = account.limits();
  http::RateDecision decision;
  auto take_of_user = [&](Meter meter, const char* name, const char* mark) {
    const auto& limit = limits->of(meter);
    if (limit.hard != kUnlimited) add(decision, name, limit, user_buckets_.take(account.app().text() + mark + user_id, limit, now));
  };
  if (guest) take_of_user(Meter::guest_requests, "guest", "guest ");
  if (!user_id.empty() && decision.allowed) take_of_user(Meter::user_requests, "user", "");
  if (decision.allowed) {
    const auto& limit = limits->of(Meter::application_requests);
    std::lock_guard lock(account.mutex_);
    const auto result = account.application_bucket_.take(limit, now);
    account.taken_ += result.allowed && limit.hard != kUnlimited ? 1 : 0;
    add(decision, "application", limit, result);
  }
  return decision;
}

http::RateDecision Accounts::take_visit(Account& account) {
  const auto limits = account.limits();
  http::RateDecision decision;
  {
    const auto& limit = limits->of(Meter::guests_created);
    std::lock_guard lock(account.mutex_);
    const auto result = account.guests_bucket_.take(limit, clock_.now());
    account.guests_taken_ += result.allowed && limit.hard != kUnlimited ? 1 : 0;
    add(decision, "guests", limit, result);
  }
  if (!decision.allowed) return decision;
  auto whole = take_request(account, "");
  whole.policies.insert(whole.policies.begin(), decision.policies.begin(), decision.policies.end());
  return whole;
}

std::vector<std::shared_ptr<Account>> Accounts::all() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Account>> accounts;
  accounts.reserve(accounts_.size());
  for (const auto& [app, account] : accounts_) accounts.push_back(account);
  return accounts;
}

void Accounts::sample_connections() {
  for (const auto& account : all()) {
    std::lock_guard lock(account->mutex_);
    account->peak_connections_ = std::max(account->peak_connections_, account->connections() + account->elsewhere(clock_.now()));
  }
}

}  // namespace chat::billing
