#include "billing/accounts.h"

#include <algorithm>
#include <utility>

#include "billing/metering.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"

namespace chat::billing {
namespace {

// Beyond this many users a month the set is dropped and the table alone (on conflict do nothing) keeps the count right.
constexpr std::size_t kMaxSeen = 200'000;
constexpr std::size_t kMaxNewlyActive = 50'000;
constexpr std::int64_t kNear = 10'000;             // more users than other nodes see between two of our flushes
constexpr std::chrono::seconds kSilentAfter{5};   // nodes speak every second

}  // namespace

Accounts::Accounts(PlanBook& plans, const Clock& clock) : plans_(plans), clock_(clock), node_(crypto::hex(crypto::random_bytes(6))) {}

std::shared_ptr<const Limits> Account::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

void Account::open_connection(Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_left(Meter::deliveries, 1, now);
  const bool is_peak = limits_->of(Meter::peak_connections).hard < limits_->of(Meter::connections).hard;
  const auto meter = is_peak ? Meter::peak_connections : Meter::connections;
  const auto hard = limits_->of(meter).hard;
  const auto open_here = connections_.load(std::memory_order_relaxed);
  const auto open_elsewhere = elsewhere(now);
  if (open_here + open_elsewhere >= hard)
    throw Error(Code::too_many_connections, "The plan's " + std::to_string(hard) + " concurrent connections are in use.",
                {{"limit:" + std::string(word(meter)), "In use."}});
  connections_.store(open_here + 1, std::memory_order_relaxed);
  open_.peak_connections = std::max(open_.peak_connections, open_here + open_elsewhere + 1);
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
  roll(now);
  if (month_ > seen_month_ || seen_.size() >= kMaxSeen) {
    seen_month_ = month_;
    seen_.clear();
  }
  if (!seen_.insert(user_id).second) return false;
  if (open_.newly_active.size() < kMaxNewlyActive) open_.newly_active.push_back(user_id);
  else seen_.erase(user_id);
  return true;
}

bool Account::must_ask(const std::string& user_id, Timestamp now) {
  std::lock_guard lock(mutex_);
  const auto hard = limits_->of(Meter::active_users).hard;
  if (hard == kUnlimited) return false;
  roll(now);
  if (base(Meter::active_users) + kNear < hard) return false;
  return seen_month_ != month_ || !seen_.contains(user_id);
}

void Accounts::admit(storage::Connection& connection, Account& account, const std::string& user_id) {
  const auto now = clock_.now();
  if (!account.must_ask(user_id, now)) return;
  const auto hard = account.limits()->of(Meter::active_users).hard;
  bool is_new = false;
  connection.transact(account.app(), storage::Mode::write, [&](storage::Transaction& tx) { is_new = admit_active_user(tx, user_id, hard, now); });
  std::lock_guard lock(account.mutex_);
  account.roll(now);
  if (std::exchange(account.seen_month_, account.month_) != account.month_ || account.seen_.size() >= kMaxSeen) account.seen_.clear();
  account.seen_.insert(user_id);
  account.base(Meter::active_users) += is_new ? 1 : 0;
}

void Accounts::refresh_limits(Account& account, const std::shared_ptr<const tenants::Application>& application) {
  const auto version = plans_.version();
  std::lock_guard lock(account.mutex_);
  const auto now = clock_.now();
  const bool has_ended = account.limits_ && account.limits_->until && *account.limits_->until <= now;
  if (account.limits_ && !has_ended && account.plans_version_ == version && account.limits_of_.lock() == application) return;
  auto plan = plans_.find(application->plan_id, application->plan_version);
  auto overrides = json::Document::parse(application->limits_json);
  static const auto kNoPlan = json::Document::parse("{}");
  account.limits_ = std::make_shared<const Limits>(merge_limits(plan ? plan->root() : kNoPlan.root(), overrides.root(), now));
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
  Totals totals;
  connection.transact(application->id, storage::Mode::read, [&](storage::Transaction& tx) { totals = month_totals(tx, now, true); });
  {
    std::lock_guard lock(account->mutex_);
    account->roll(totals.month);
    account->take_totals(totals);
    account->base(Meter::messages) = totals.of[static_cast<std::size_t>(Meter::messages)];
  }
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

void add(http::RateDecision& decision, const char* name, Meter meter, const Limit& limit, const Bucket::Result& result) {
  if (limit.hard == kUnlimited) return;
  if (!result.allowed) decision.refused_by = word(meter);
  decision.allowed &= result.allowed;
  decision.retry_after_s = std::max(decision.retry_after_s, result.wait_s);
  http::RatePolicy policy{name, limit.hard, 60, result.remaining, std::max<std::int64_t>(result.wait_s, 1)};
  // The nearest to exhaustion first; shares compared without a division.
  const auto is_nearer = [&](const http::RatePolicy& other) { return policy.remaining * other.quota < other.remaining * policy.quota; };
  decision.policies.insert(std::find_if(decision.policies.begin(), decision.policies.end(), is_nearer), std::move(policy));
}

struct ClassRow { Meter of_user, of_application; const char* user_name; const char* application_name; };
constexpr std::array<ClassRow, 3> kClasses{{
    {Meter::user_reads, Meter::application_reads, "user_reads", "application_reads"},
    {Meter::user_writes, Meter::application_writes, "user_writes", "application_writes"},
    {Meter::user_sends, Meter::application_sends, "user_sends", "application_sends"},
}};

}  // namespace

http::RateDecision Accounts::take_request(Account& account, const std::string& user_id, RouteClass route, bool guest) {
  const auto now = clock_.now();
  const auto limits = account.limits();
  http::RateDecision decision;
  auto take = [&](Meter meter, const char* name, const char* mark, const std::string& whose) {
    const auto& limit = limits->of(meter);
    if (limit.hard != kUnlimited && decision.allowed)
      add(decision, name, meter, limit, buckets_.take(account.app().text() + mark + whose, limit, now));
  };
  const auto& row = kClasses[static_cast<std::size_t>(route)];
  if (guest && route == RouteClass::send) take(Meter::guest_sends, "guest_sends", "guest_sends ", user_id);
  if (guest) take(Meter::guest_requests, "guest", "guest ", user_id);
  if (!user_id.empty()) {
    take(row.of_user, row.user_name, row.user_name, " " + user_id);
    take(Meter::user_requests, "user", "", user_id);
  }
  take(row.of_application, row.application_name, row.application_name, "");
  if (decision.allowed) {
    const auto& limit = limits->of(Meter::application_requests);
    std::lock_guard lock(account.mutex_);
    const auto result = account.application_bucket_.take(limit, now);
    account.taken_ += result.allowed && limit.hard != kUnlimited ? 1 : 0;
    add(decision, "application", Meter::application_requests, limit, result);
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
    add(decision, "guests", Meter::guests_created, limit, result);
  }
  if (!decision.allowed) return decision;
  auto whole = take_request(account, "", RouteClass::write);
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

}  // namespace chat::billing
