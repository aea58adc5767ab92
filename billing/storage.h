#pragma once
#include "billing/limits.h"
#include "platform/storage/transaction.h"

/// What an application's files take: now, for the limit, and over time, for the bill.
///
/// One row of an application says how many bytes lie there and since when. Each change first adds bytes x time since to what
/// has gathered; whole byte-hours go to the ledger, to the day (UTC) in which they passed, and what is left of an hour stays.
/// So the ledger holds the integral itself, whenever it is looked at, to less than one byte-hour.
namespace chat::billing {

/// Before a file comes: counts for the limit, not yet for the bill.
/// Errors:  limit_reached (storage_bytes)
void reserve_storage(storage::Transaction& tx, const Limits& limits, std::int64_t bytes, Timestamp now);
void keep_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now);       // it came: from reserved to stored
void release_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now);    // it never came
void free_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now);       // it is gone

std::int64_t stored_bytes(storage::Transaction& tx);

/// Brings the ledger up to date for applications that had no change for an hour, some at a time. Returns how many.
std::int64_t settle_storage(storage::Transaction& tx, int limit);

}  // namespace chat::billing
