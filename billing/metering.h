#pragma once
#include <deque>
#include <optional>
#include <string>

#include "billing/accounts.h"
#include "platform/storage/pool.h"

namespace chat::billing {

/// Adds to the ledger in the transaction that does the work: meters that are not flushed.
void count_usage(storage::Transaction& tx, Meter meter, std::int64_t count, Timestamp now);
/// The same for what was counted in memory, at `at`: written twice under one id it counts once, and a day can be counted again from it.
void count_flushed(storage::Transaction& tx, const std::string& id, Meter meter, std::int64_t count, Timestamp at, Timestamp now);

/// May this user be one of the month's active ones, of whom there are `hard`? Within `near` of them it becomes one right here, and nobody
/// else is let in before the commit; before, it may join with the next flush. Who is in stays in, and the number never falls, so only
/// who comes for the last places waits for others.
struct Admission {
  enum State { refused, may_join, is_in } state = refused;
  std::int64_t count = 0;                    // of the month, with this one
};
Admission admit_active_user(storage::Transaction& tx, const std::string& user_id, std::int64_t hard, std::int64_t near, Timestamp now);

/// Of a month's `hard` as much of `wanted` as is neither in the ledger nor held by others, exact, however many nodes ask at once; held until then.
/// Who counts what was done ends the hold in the same transaction, with `end_hold`; of who dies it ends by itself.
struct Hold {
  std::optional<Uuid> id;                    // none: nothing is held
  std::int64_t count = 0;
  bool is_used_up = false;                   // the ledger alone leaves nothing
};
Hold hold_usage(storage::Transaction& tx, Meter meter, std::int64_t wanted, std::int64_t hard, Timestamp until, Timestamp now);
void end_hold(storage::Transaction& tx, const Uuid& hold);
/// The same of what the account's limit says, in a transaction of its own. Without a limit all of it, and nothing is held.
Hold hold_usage(storage::Connection& connection, const Account& account, Meter meter, std::int64_t wanted, Timestamp until, Timestamp now);

/// Writes what was counted in memory (API calls, deliveries, peaks, active users) to the ledger, to the day on which it was counted.
///
/// Each flush of an application carries an id of its own, made from this process and a counter: a flush whose answer was
/// lost is sent again under the same id and counts once. A crash loses at most one interval, and only under-counts;
/// messages are never among these: they are counted in the transaction that sends them.
/// Thread:  one job.
class Metering {
 public:
  Metering(Accounts& accounts, const Clock& clock);
  /// Who is told of crossings, with the flush after each. Before the first flush.
  void on_crossing(OnCrossing told) { told_.push_back(std::move(told)); }
  void flush(storage::Connection& connection);

 private:
  struct Batch {
    std::string id;
    Account::Pending pending;
  };
  void flush(storage::Connection& connection, Account& account, std::deque<Batch>& batches);
  struct Written { Totals totals; std::int64_t joined = 0; };
  [[nodiscard]] Written write(storage::Connection& connection, AppId app, const Batch& batch, bool with_active) const;
  void tell_crossings(storage::Connection& connection);
  Accounts& accounts_;
  const Clock& clock_;
  std::string boot_;
  std::int64_t count_ = 0;
  std::unordered_map<AppId, std::deque<Batch>> unfinished_;   // of an application one, and one more for each hour that ends meanwhile
  std::vector<OnCrossing> told_;
  struct Untold { Crossing crossing; std::size_t heard = 0; };   // by the first so many
  std::deque<Untold> untold_;                      // at most kMaxUntold; what is more stays with its account
};

}  // namespace chat::billing
