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
constexpr std::int64_t kNear = 10'000;             // more users than other nodes see in kCountedFor and a flush
constexpr std::chrono::seconds kCountedFor{10};    // other nodes' users are known so well
constexpr std::chrono::seconds kSilentAfter{5};    // nodes speak every second
constexpr std::chrono::milliseconds kLately{1500};

Error no_more_users(std::int64_t hard, Timestamp now) {
  return Error(Code::quota_exceeded, "This month's " + std::to_string(hard) + " active users of the plan are used up.",
               {{"limit:active_users", "Used up until the next month begins (UTC)."}})
      .with_retry_after(std::chrono::duration_cast<std::chrono::seconds>(next_month_start(now) - now) + std::chrono::seconds(1));
}

}  // namespace

Accounts::Accounts(PlanBook& plans, const Clock& clock) : plans_(plans), clock_(clock), node_(crypto::hex(crypto::random_bytes(6))) {}

std::shared_ptr<const Limits> Account::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

/// Under the lock. There is room for one more, under the narrower of both limits.
void Account::check_open(Timestamp now) {
  check_left(Meter::deliveries, 1, now);
  const bool is_peak = limits_->of(Meter::peak_connections).hard < limits_->of(Meter::connections).hard;
  const auto meter = is_peak ? Meter::peak_connections : Meter::connections;
  const auto hard = limits_->of(meter).hard;
  if (connections() + elsewhere(now) >= hard)
    throw Error(Code::too_many_connections, "The plan's " + std::to_string(hard) + " concurrent connections are in use.",
                {{"limit:" + std::string(word(meter)), "In use."}});
}

/// Others close without the lock.
void Account::open_connection(Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  check_open(now);
  const auto open_here = connections_.fetch_add(1, std::memory_order_relaxed) + 1;
  open_.peak_connections = std::max(open_.peak_connections, open_here + lately_elsewhere(now));
}

std::int64_t Account::connections_everywhere(Timestamp now) {
  std::lock_guard lock(mutex_);
  return connections() + elsewhere(now);
}

Account::Reading Account::begin_reading(Timestamp now) {
  std::lock_guard lock(mutex_);
  return {now - users_counted_ > kCountedFor, changes_};
}

/// Under the lock. A node that says nothing any more has no sockets.
std::int64_t Account::elsewhere(Timestamp now) {
  std::int64_t sum = 0;
  std::erase_if(elsewhere_, [&](const auto& one) { return now - one.second.at > kSilentAfter; });
  for (const auto& [node, said] : elsewhere_) sum += said.connections;
  return sum;
}

/// Under the lock. Of a longer silence: its sockets may be here by now.
std::int64_t Account::lately_elsewhere(Timestamp now) const {
  std::int64_t sum = 0;
  for (const auto& [node, said] : elsewhere_) sum += now - said.at > kLately ? 0 : said.connections;
  return sum;
}

void Account::close_connection() { connections_.fetch_sub(1, std::memory_order_relaxed); }

bool Account::first_seen(const std::string& user_id, Timestamp now) {
  std::lock_guard lock(mutex_);
  roll(now);
  if (has_met(user_id)) return false;
  if (open_.newly_active.size() >= kMaxNewlyActive) return true;
  meet(user_id);
  open_.newly_active.push_back(user_id);
  ++joining_;
  return true;
}

/// Under the lock, as the next.
void Account::meet(const std::string& user_id) {
  if (std::exchange(seen_month_, month_) != month_ || seen_.size() >= kMaxSeen) seen_.clear();
  seen_.insert(user_id);
}

void Account::turn_away(const std::string& user_id) {
  if (turned_away_.size() >= kMaxSeen) turned_away_.clear();
  turned_away_.insert(user_id);
}

bool Account::must_ask(const std::string& user_id, Timestamp now) {
  std::lock_guard lock(mutex_);
  const auto hard = limits_->of(Meter::active_users).hard;
  if (hard == kUnlimited) return false;
  roll(now);
  if (has_met(user_id)) return false;
  if (turned_away_.contains(user_id)) throw no_more_users(hard, now);
  return base(Meter::active_users) + joining_ + kNear >= hard || now - users_counted_ > kCountedFor;
}

void Accounts::admit(storage::Connection& connection, Account& account, const std::string& user_id) {
  const auto now = clock_.now();
  if (!account.must_ask(user_id, now)) return;
  const auto hard = account.limits()->of(Meter::active_users).hard;
  Admission admission;
  const auto room = [&] {                            // others here are in already, though not yet in the ledger
    std::lock_guard lock(account.mutex_);
    return hard - account.joining_;
  }();
  connection.transact(account.app(), storage::Mode::write, [&](storage::Transaction& tx) { admission = admit_active_user(tx, user_id, room, kNear, now); });
  std::lock_guard lock(account.mutex_);
  account.roll(now);
  if (month_start(now) != account.month_) return;
  auto& known = account.base(Meter::active_users);
  known = std::max(known, admission.count);            // others asked meanwhile
  account.users_counted_ = now;
  if (admission.state == Admission::may_join) return;
  if (admission.state == Admission::is_in) return account.meet(user_id);
  if (admission.count < hard) throw Error(Code::unavailable, "The month's users are being counted; try again.").with_retry_after(std::chrono::seconds(1));
  if (account.limits_->of(Meter::active_users).hard == hard) account.turn_away(user_id);
  throw no_more_users(hard, now);
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
  account.change_limits(std::make_shared<const Limits>(merge_limits(plan ? plan->root() : kNoPlan.root(), overrides.root(), now)), now);
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
    account->roll(now);
    account->take_totals(totals, nullptr, now);
  }
  refresh_limits(*account, application);
  std::lock_guard lock(mutex_);
  return accounts_.try_emplace(application->id, account).first->second;
}

std::shared_ptr<Account> Accounts::known(AppId app) const {
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
  // The refusing one first, then the nearest to exhaustion; shares of numbers whose products are too large for integers.
  const auto share = [](const http::RatePolicy& one) { return static_cast<double>(one.remaining) / static_cast<double>(std::max<std::int64_t>(one.quota, 1)); };
  const auto is_nearer = [&](const http::RatePolicy& other) { return !result.allowed || share(policy) < share(other); };
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
  // One letter before the user's id: whatever ids look like, no two buckets have one key.
  auto take = [&](Meter meter, const char* name, char mark) {
    const auto& limit = limits->of(meter);
    if (limit.hard != kUnlimited && decision.allowed)
      add(decision, name, meter, limit, buckets_.take(account.app().text() + mark + user_id, limit, now));
  };
  auto take_own = [&](Meter meter, const char* name, Bucket& bucket, std::int64_t& taken) {
    const auto& limit = limits->of(meter);
    if (limit.hard == kUnlimited || !decision.allowed) return;
    const auto result = bucket.take(limit, now);
    taken += result.allowed ? 1 : 0;
    add(decision, name, meter, limit, result);
  };
  const auto kind = static_cast<std::size_t>(route);
  const auto& row = kClasses[kind];
  if (guest && route == RouteClass::send) take(Meter::guest_sends, "guest_sends", 's');
  if (guest) take(Meter::guest_requests, "guest", 'g');
  if (!user_id.empty()) {
    take(row.of_user, row.user_name, static_cast<char>('0' + kind));
    take(Meter::user_requests, "user", 'u');
  }
  std::lock_guard lock(account.mutex_);
  take_own(row.of_application, row.application_name, account.class_buckets_[kind], account.class_taken_[kind]);
  take_own(Meter::application_requests, "application", account.application_bucket_, account.taken_);
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
