#pragma once
#include <array>
#include <string>
#include <vector>

#include "billing/limits.h"
#include "platform/storage/transaction.h"

/// What an application used, from the ledger.
namespace chat::billing {

/// The month's totals by meter, as the ledger and the tables beside it have them now; 0: nothing.
/// `at`: any moment of the month. Without `with_active` that meter is left at -1: it costs a count.
struct Totals {
  Timestamp month;
  std::array<std::int64_t, kMeters> of{};
};
Totals month_totals(storage::Transaction& tx, Timestamp at, bool with_active);

/// The answer of GET /v1/usage. `month`: any moment of it.
std::string usage_json(storage::Transaction& tx, const std::string& plan_id, const Limits& limits, Timestamp month,
                       std::int64_t connections_now);
/// With `team`: what of messages, API calls and active users it accounts for; empty: what no team does. A message belongs to its
/// channel's team; a user and what it calls to the first of its teams by name; what servers call to none.
std::string team_usage_json(storage::Transaction& tx, const std::string& plan_id, const std::string& team, Timestamp month);

}  // namespace chat::billing
