#include "billing/storage.h"

#include "billing/storage.sql.h"
#include "platform/base/error.h"

namespace chat::billing {
namespace {

bool move(storage::Transaction& tx, std::int64_t reserved, std::int64_t stored, std::int64_t hard, Timestamp now) {
  return tx.query(sql::move_storage, tx.app(), reserved, stored, hard, now)[0].boolean(0);
}

}  // namespace

void reserve_storage(storage::Transaction& tx, const Limits& limits, std::int64_t bytes, Timestamp now) {
  const auto hard = limits.of(Meter::storage_bytes).hard;
  if (!move(tx, bytes, 0, hard, now))
    throw Error(Code::limit_reached, "The plan's " + std::to_string(hard) + " bytes of storage are used up.",
                {{"#/size_bytes", "No room."}, {"limit:storage_bytes", "Used up."}});
}

void keep_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now) { move(tx, -bytes, bytes, kUnlimited, now); }
void release_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now) { move(tx, -bytes, 0, kUnlimited, now); }
void free_storage(storage::Transaction& tx, std::int64_t bytes, Timestamp now) { move(tx, 0, -bytes, kUnlimited, now); }

std::int64_t stored_bytes(storage::Transaction& tx) {
  auto rows = tx.find(sql::stored_bytes, tx.app());
  return rows ? (*rows)[0].integer(0) : 0;
}

std::int64_t settle_storage(storage::Transaction& tx, int limit) { return tx.query(sql::settle_storage, limit)[0].integer(0); }

}  // namespace chat::billing
