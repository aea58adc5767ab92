#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/storage/pool.h"

namespace chat::storage {

/// One numbered migration from migrations/NNNN_name.{up,down}.sql, embedded at build time (`migrations::all()`).
struct Migration {
  int number;
  std::string_view name;
  std::string_view up;
  std::string_view down;
};
std::span<const Migration> migrations();

struct MigrationState {
  int number = 0;
  std::string name;
  bool applied = false;
  bool changed = false;                                   // applied with other text than this binary holds
  bool known = true;                                      // false: applied by a newer binary
  std::string applied_at;                                 // empty: not applied
};

/// Brings the schema up and down, one migration a transaction, under an advisory lock, checksummed (SHA-256 of up + down).
/// Connects with the owner's DSN. Table: schema_migrations.
/// Errors:  conflict (gap, changed checksum, database newer than the binary); unavailable.
class Migrator {
 public:
  /// `known`: ascending by number; another list than the binary's own is for tests.
  explicit Migrator(DatabaseOptions owner, std::span<const Migration> known = migrations());
  std::vector<MigrationState> status();
  std::vector<int> up(int to_number = 0);                 // 0: all; returns the numbers applied now
  std::vector<int> down(int to_number);                   // down to and not including; returns those undone, last first
 private:
  DatabaseOptions owner_;
  std::span<const Migration> known_;
};

/// What chatd asks before it starts; readable with the server's role.
/// Errors:  conflict with one sentence: "The database's schema is at 7, this chatd knows 9: run chatctl migrate up."
void check_schema(Connection& connection, std::span<const Migration> known = migrations());

}  // namespace chat::storage
