#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "billing/limits.h"
#include "billing/plans.h"
#include "billing/rate.h"
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

  /// Takes one message of the month's limit, before the database is asked; `sent` or `refused` must follow.
  /// Errors:  quota_exceeded, with Retry-After until the next month
  void reserve_message(Timestamp now);
  void message_sent(Timestamp now);          // committed
  void message_refused();                    // not committed: gives it back
  [[nodiscard]] std::int64_t messages_this_month() const;

  /// Errors:  too_many_connections
  void open_connection(Timestamp now);
  void close_connection();
  [[nodiscard]] std::int64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  /// With those of the other nodes, as they said last.
  [[nodiscard]] std::int64_t connections_everywhere(Timestamp now);

  /// True once per user and month on this node: the caller's user is then due for the active_users table.
  bool first_seen(const std::string& user_id, Timestamp now);

  /// One of the api_calls was this user's: counted for its team, too. Beyond kMaxCallers users in a flush, for none.
  void count_call_of(const std::string& user_id);

  std::atomic<std::int64_t> api_calls{0};    // since the last flush
  std::atomic<std::int64_t> deliveries{0};
  std::atomic<std::int64_t> egress_bytes{0};
  std::atomic<std::int64_t> total_messages{0};   // since start, for the top-K metric
  std::atomic<std::int64_t> total_api_calls{0};

 private:
  friend class Accounts;
  AppId app_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Limits> limits_;
  std::uint64_t plans_version_ = 0;
  std::weak_ptr<const tenants::Application> limits_of_;
  Timestamp month_{};
  std::int64_t committed_ = 0;
  std::int64_t reserved_ = 0;
  Timestamp seen_month_{};
  std::unordered_set<std::string> seen_;
  std::vector<std::string> newly_active_;
  std::unordered_map<std::string, std::int64_t> calls_by_user_;
  [[nodiscard]] std::int64_t elsewhere(Timestamp now);
  struct Elsewhere { std::int64_t connections = 0; Timestamp at; };
  std::unordered_map<std::string, Elsewhere> elsewhere_;   // by node
  std::int64_t sent_ = 0, taken_ = 0, guests_taken_ = 0;   // since the other nodes were told
  std::int64_t peak_connections_ = 0;        // since the last flush, of all nodes
  std::atomic<std::int64_t> connections_{0};
  Bucket application_bucket_, guests_bucket_;
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
  std::shared_ptr<Account> known(AppId app);

  /// Rate limits of a request, by application and by user.
  http::RateDecision take_request(Account& account, const std::string& user_id, bool guest = false);
  /// The same for who has only an API key: the application's requests and its new guests.
  http::RateDecision take_visit(Account& account);

  std::vector<std::shared_ptr<Account>> all() const;
  /// Once a second: remembers the largest number of sockets of each application.
  void sample_connections();
  /// What a flush takes away from an account; the flush keeps it until it is written.
  struct Pending {
    std::int64_t api_calls = 0, deliveries = 0, egress_bytes = 0, peak_connections = 0;
    std::vector<std::string> newly_active;
    std::unordered_map<std::string, std::int64_t> calls_by_user;   // of users whose teams are counted
    [[nodiscard]] bool empty() const;
  };
  static Pending take_pending(Account& account);

  /// What this node did since the last call, and its sockets, in words for the other nodes: one or more per application.
  struct Words { AppId app; std::string detail; };
  std::vector<Words> take_words();
  /// What another node said so. Words that are none are ignored.
  void hear(AppId app, const std::string& detail);
  void share() { user_buckets_.remember_taken(); }   // before the first request

 private:
  void refresh_limits(Account& account, const std::shared_ptr<const tenants::Application>& application);
  PlanBook& plans_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<AppId, std::shared_ptr<Account>> accounts_;
  UserBuckets user_buckets_;
  const std::string node_;
};

}  // namespace chat::billing
