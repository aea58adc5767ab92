#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "billing/crossings.h"
#include "billing/limits.h"
#include "billing/plans.h"
#include "billing/rate.h"
#include "billing/usage.h"
#include "platform/http/gate.h"
#include "tenants/application.h"

namespace chat::billing {

/// What one application has used and may use, live, in memory: the hot path asks only this.
/// Thread:  any.
class Account {
 public:
  explicit Account(AppId app) : app_(app) {}

  [[nodiscard]] AppId app() const { return app_; }
  [[nodiscard]] std::shared_ptr<const Limits> limits() const;

  /// Takes `count` of a month's limit before the work that costs it; `spent` or `release` must follow, with as many.
  /// Of `messages` some deliveries must be left, too, whoever listens.
  /// Errors:  quota_exceeded, with limit:<meter> and Retry-After until the next month; rate_limited (action: throttle)
  void reserve(Meter meter, std::int64_t count, Timestamp now);
  void spent(Meter meter, std::int64_t count, Timestamp now);   // committed, and counted in the ledger by whoever did it
  void release(Meter meter, std::int64_t count);                // not committed
  /// As much of `wanted` as the limit leaves, reserved: for work that can be done in part.
  std::int64_t reserve_some(Meter meter, std::int64_t wanted, Timestamp now);
  /// Nothing is reserved: is anything left? For what is only known after it was done.
  void check(Meter meter, Timestamp now);
  /// All of it, now, or none: of what is counted in memory. Errors:  as reserve
  void charge(Meter meter, std::int64_t amount, Timestamp now);

  /// One of `messages`, for a send that is handed from thread to thread; what ends where it began takes a Spending.
  void reserve_message(Timestamp now) { reserve(Meter::messages, 1, now); }
  void message_sent(Timestamp now) { spent(Meter::messages, 1, now); }   // committed
  void message_refused() { release(Meter::messages, 1); }
  [[nodiscard]] std::int64_t used(Meter meter, Timestamp now);

  /// An api_call is reserved, of the `exempt` even when none are left; `end_call` follows. `counts`: it was answered below 500 and other than 429.
  void begin_call(bool exempt, Timestamp now);
  void end_call(bool counts, const std::string& user_id, Timestamp now);
  /// Work that is counted in memory and flushed: deliveries, egress_bytes.
  void count(Meter meter, std::int64_t amount, Timestamp now);

  /// Errors:  too_many_connections; quota_exceeded (deliveries)
  void open_connection(Timestamp now);
  void close_connection();
  [[nodiscard]] std::int64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  /// With those of the other nodes, as they said last.
  [[nodiscard]] std::int64_t connections_everywhere(Timestamp now);

  /// True once per user and month on this node: the caller's user is then due for the active_users table.
  bool first_seen(const std::string& user_id, Timestamp now);
  /// The limit of active users is near, or how near is not known, and this one was not seen yet: Accounts::admit decides, with the database.
  /// Errors:  quota_exceeded (active_users), to whom it said so already
  [[nodiscard]] bool must_ask(const std::string& user_id, Timestamp now);

  std::atomic<std::int64_t> total_messages{0};   // since start, for the top-K metric
  std::atomic<std::int64_t> total_api_calls{0};
  std::atomic<std::int64_t> total_errors{0};

  /// What is counted in memory, of one hour. A flush takes it away and keeps it until it is written.
  struct Pending {
    Timestamp hour;
    std::int64_t api_calls = 0, deliveries = 0, egress_bytes = 0, peak_connections = 0;
    std::array<std::int64_t, kMeters> spent{};       // in the ledger already: for the hours only
    std::vector<std::string> newly_active;
    std::unordered_map<std::string, std::int64_t> calls_by_user;   // of users whose teams are counted
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::int64_t of(Meter meter) const;
  };
  std::vector<Pending> take_pending(Timestamp now);
  /// What a flush reads beside what it writes.
  struct Reading {
    bool with_active = false;                        // the month's users were not counted for a while
    std::array<std::uint64_t, kMeters> changes{};    // what was reserved and spent until now
  };
  Reading begin_reading(Timestamp now);
  /// One of them is in the ledger, where the month's totals now are these; `joined` of its users are new in the month.
  /// Of meters that were reserved or spent meanwhile the totals are not believed: who spent may have counted them or not.
  void written(const Pending& pending, const Reading& reading, const Totals& totals, std::int64_t joined, Timestamp now);

 private:
  friend class Accounts;
  struct Elsewhere { std::int64_t connections = 0; Timestamp at; };
  // All under the lock.
  void roll(Timestamp now);
  void close_open();
  void end_period(bool is_month);
  void cross(Meter meter, const std::string& period, std::size_t at_most, std::vector<Crossing>& crossings);
  void change_limits(std::shared_ptr<const Limits> limits, Timestamp now);
  void check_left(Meter meter, std::int64_t count, Timestamp now);
  void check_pace(Meter meter, std::int64_t over, Timestamp now);
  void check_open(Timestamp now);
  void take(Meter meter, std::int64_t count, Timestamp now);
  void take_totals(const Totals& totals, const Reading* reading, Timestamp now);
  void meet(const std::string& user_id);
  void turn_away(const std::string& user_id);
  [[nodiscard]] bool has_met(const std::string& user_id) const { return seen_month_ == month_ && seen_.contains(user_id); }
  [[nodiscard]] std::int64_t used_now(Meter meter) const;
  [[nodiscard]] std::int64_t elsewhere(Timestamp now);
  [[nodiscard]] std::int64_t lately_elsewhere(Timestamp now) const;
  std::int64_t& base(Meter meter) { return base_[static_cast<std::size_t>(meter)]; }

  AppId app_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Limits> limits_;
  std::uint64_t plans_version_ = 0;
  std::weak_ptr<const tenants::Application> limits_of_;
  Timestamp month_{};
  std::atomic<Timestamp::rep> hour_ends_{0};
  std::array<std::int64_t, kMeters> base_{};       // of this month: in the ledger
  std::array<std::int64_t, kMeters> in_flush_{};   // taken for a flush that is not written yet
  std::array<std::int64_t, kMeters> reserved_{};
  std::array<std::uint64_t, kMeters> changes_{};   // of what is reserved
  std::array<Level, kMeters> told_{};              // levels that were crossed in their period
  std::vector<Crossing> ended_;                    // of periods that are over, not taken yet
  std::unordered_map<int, Throttle> throttles_;    // by meter
  Pending open_;                                   // of this hour, but for the two below
  std::atomic<std::int64_t> deliveries_{0}, egress_bytes_{0};
  std::vector<Pending> closed_;                    // of hours that ended since the last flush
  Timestamp seen_month_{};
  std::unordered_set<std::string> seen_, turned_away_;
  std::int64_t joining_ = 0;                       // seen, and not yet in the ledger
  bool doubts_messages_ = false;                   // what others told of them may have been lost
  Timestamp users_counted_{};                      // when the month's users were, in the ledger
  std::unordered_map<std::string, Elsewhere> elsewhere_;   // by node
  std::int64_t sent_ = 0, taken_ = 0, guests_taken_ = 0;   // since the other nodes were told
  std::int64_t said_connections_ = 0;              // to them, last
  std::array<std::int64_t, 3> class_taken_{};
  std::atomic<std::int64_t> connections_{0};
  Bucket application_bucket_, guests_bucket_;
  std::array<Bucket, 3> class_buckets_;            // by class of the route
};

/// A part of a month's limit, given back unless it was used. For all work that ends where it began:
///   Spending spending(account, Meter::moderation_calls, 1, now);  …call…;  count_usage(tx, …, 1, now); after commit: spending.done(1, now)
class Spending {
 public:
  Spending(std::shared_ptr<Account> account, Meter meter, std::int64_t count, Timestamp now)   // Errors: as Account::reserve
      : account_(std::move(account)), meter_(meter), left_(count) { account_->reserve(meter_, left_, now); }
  Spending(const Spending&) = delete;
  Spending& operator=(const Spending&) = delete;
  ~Spending() { if (left_ > 0) account_->release(meter_, left_); }
  void done(std::int64_t count, Timestamp now) {
    account_->spent(meter_, count, now);
    left_ -= count;
  }

 private:
  const std::shared_ptr<Account> account_;
  const Meter meter_;
  std::int64_t left_;
};

/// The accounts of this node, made when an application is first met.
/// Shape:   grows with the applications that were active since the start, at most one each.
class Accounts {
 public:
  Accounts(PlanBook& plans, const Clock& clock);

  /// From memory, with limits as the application's snapshot and the plans say now. Null: `load` it first.
  std::shared_ptr<Account> find(const std::shared_ptr<const tenants::Application>& application);
  /// Reads the month's use once, then as find.
  std::shared_ptr<Account> load(storage::Connection& connection, const std::shared_ptr<const tenants::Application>& application);
  /// Whatever its limits: for closing what was opened. Null: never met.
  std::shared_ptr<Account> known(AppId app) const;

  /// Lets a user be one of the month's active ones, if there is room. Exact, however many nodes ask at once.
  /// Errors:  quota_exceeded (active_users)
  void admit(storage::Connection& connection, Account& account, const std::string& user_id);

  /// Rate limits of a request, by application, user and class of the route.
  http::RateDecision take_request(Account& account, const std::string& user_id, RouteClass route, bool guest = false);
  /// The same for who has only an API key: the application's requests and its new guests.
  http::RateDecision take_visit(Account& account);

  std::vector<std::shared_ptr<Account>> all() const;
  /// What crossed a level since the last call. The only place where that is noticed; what is over `at_most` is noticed the next time.
  std::vector<Crossing> take_crossings(std::size_t at_most);

  /// What this node did since the last call, and its sockets, in words for the other nodes: one or more per application.
  struct Words { AppId app; std::string detail; };
  std::vector<Words> take_words();
  /// What another node said so. Words that are none are ignored.
  void hear(AppId app, const std::string& detail);
  /// Words may have been lost: the messages of others are read from the ledger with the next flush. What they did not tell until then
  /// is told after it and counts twice: too much by a second's worth, instead of too little by all that was lost.
  void look_again();
  void share() { buckets_.remember_taken(); }   // before the first request

 private:
  void refresh_limits(Account& account, const std::shared_ptr<const tenants::Application>& application);
  PlanBook& plans_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<AppId, std::shared_ptr<Account>> accounts_;
  UserBuckets buckets_;
  const std::string node_;
};

}  // namespace chat::billing
