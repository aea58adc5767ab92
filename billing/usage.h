#pragma once
#include <string>
#include <vector>

#include "billing/accounts.h"
#include "billing/limits.h"
#include "platform/storage/transaction.h"

/// What an application used, from the ledger.
namespace chat::billing {

std::int64_t month_total(storage::Transaction& tx, Meter meter, Timestamp at);

/// The answer of GET /v1/usage. `month`: any moment of it.
std::string usage_json(storage::Transaction& tx, const std::string& plan_id, const Limits& limits, Timestamp month,
                       std::int64_t connections_now);
/// With `team`: what of messages, API calls and active users it accounts for; empty: what no team does. A message belongs to its
/// channel's team; a user and what it calls to the first of its teams by name; what servers call to none.
std::string team_usage_json(storage::Transaction& tx, const std::string& plan_id, const std::string& team, Timestamp month);

}  // namespace chat::billing
