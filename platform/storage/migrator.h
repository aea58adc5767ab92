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
  std::string applied_at;
};

/// Brings the schema up and down, one migration a transaction, under an advisory lock, checksummed (SHA-256 of up + down).
/// Connects with the owner's DSN. Table: schema_migrations.
/// Errors:  conflict (gap, changed checksum, database newer than the binary); unavailable.
class Migrator {
 public:
  explicit Migrator(DatabaseOptions owner);
  std::vector<MigrationState> status();
  std::vector<int> up(int to_number = 0);                 // 0: all; returns the numbers applied now
  std::vector<int> down(int to_number);                   // down to and not including; returns those undone
 private:
  DatabaseOptions owner_;
};

/// What chatd asks before it starts; readable with the server's role.
/// Errors:  conflict with one sentence: "The database's schema is at 7, this chatd knows 9: run chatctl migrate up."
void check_schema(Connection& connection);

}  // namespace chat::storage
