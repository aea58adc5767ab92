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

/// messages from the messages, active_users from when users were last active, webhook_deliveries from their logs, campaign_recipients from
/// the recipients, storage_bytes, as of now, from the files; api_calls, deliveries, egress_bytes, push and moderation_calls from what was
/// noted in usage_flushes when they were counted. peak_connections and storage_byte_hours leave no rows.
/// `day`: its first moment. Each meter is compared within one statement, so work that goes on meanwhile makes no difference.
/// Cost:    reads the application's messages of the months that the day touches
std::vector<Recounted> recount_day(storage::Transaction& tx, Timestamp day, Timestamp now);

/// Shape:   {"day","meters":[{"meter","ledger","rows","difference","complete"}],"difference"}: the sum of what differs either way
std::string recount_json(const std::string& day, const std::vector<Recounted>& meters);

/// Shape:   {"day","plan","hours":[{"hour","messages",…}]}: the hours of a day in which something was done
std::string hours_json(storage::Transaction& tx, const std::string& plan_id, Timestamp day);

}  // namespace chat::billing
