#pragma once
#include <string>

#include "billing/accounts.h"
#include "platform/storage/pool.h"

namespace chat::billing {

/// Writes what was counted in memory (API calls, deliveries, peaks, active users) to the ledger.
///
/// Each flush of an application carries an id of its own, made from this process and a counter: a flush whose answer was
/// lost is sent again under the same id and counts once. A crash loses at most one interval, and only under-counts;
/// messages are never among these: they are counted in the transaction that sends them.
/// Thread:  one job.
class Metering {
 public:
  Metering(Accounts& accounts, const Clock& clock);
  void flush(storage::Connection& connection);

 private:
  struct Batch {
    std::string id;
    std::string day;
    std::string month;
    Accounts::Pending pending;
  };
  void write(storage::Connection& connection, AppId app, const Batch& batch);
  Accounts& accounts_;
  const Clock& clock_;
  std::string boot_;
  std::int64_t count_ = 0;
  std::unordered_map<AppId, Batch> unfinished_;   // at most one per application
};

}  // namespace chat::billing
