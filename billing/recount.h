#pragma once
#include <string>
#include <vector>

#include "billing/limits.h"
#include "platform/storage/transaction.h"

/// A day of the ledger against what it was counted from.
namespace chat::billing {

struct Recounted {
  Meter meter = Meter::messages;
  std::int64_t ledger = 0;
  std::int64_t rows = 0;                     // the same, counted again
  bool is_complete = true;                   // false: some of what was counted is gone for good, so `rows` may be less
};

/// messages from the messages, active_users from when users were last active, api_calls, deliveries and egress_bytes from their flushes,
/// storage_bytes, as of now, from the files. Push and what others count keep no rows beside the ledger.
/// `day`: its first moment. Each meter is compared within one statement, so work that goes on meanwhile makes no difference.
/// Cost:    reads the application's messages of the months that the day touches
std::vector<Recounted> recount_day(storage::Transaction& tx, Timestamp day, Timestamp now);

/// Shape:   {"day","meters":[{"meter","ledger","rows","difference","complete"}],"difference"}: the sum of what differs either way
std::string recount_json(const std::string& day, const std::vector<Recounted>& meters);

/// Shape:   {"day","plan","hours":[{"hour","messages",…}]}: the hours of a day in which something was done
std::string hours_json(storage::Transaction& tx, const std::string& plan_id, Timestamp day);

}  // namespace chat::billing
