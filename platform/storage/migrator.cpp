#include "platform/storage/migrator.h"

#include <algorithm>
#include <map>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/base/log.h"
#include "platform/storage/migrator.sql.h"
#include "platform/storage/session.h"

namespace chat::storage {
namespace {

constexpr std::chrono::seconds kLockDeadline{60};
constexpr std::chrono::milliseconds kLockPoll{100};

struct Applied {
  std::string name;
  std::string checksum;
  std::string at;
};
using AppliedByNumber = std::map<int, Applied>;

std::string checksum_of(const Migration& migration) {
  return crypto::hex(crypto::sha256(std::string(migration.up) + std::string(migration.down)));
}

AppliedByNumber applied_from(const Rows& rows) {
  AppliedByNumber applied;
  for (Row row : rows)
    applied[static_cast<int>(row.integer(0))] = {std::string(row.text(1)), std::string(row.text(2)),
                                                 format_time(row.time(3))};
  return applied;
}

std::vector<MigrationState> states(std::span<const Migration> known, AppliedByNumber applied) {
  std::vector<MigrationState> out;
  for (const Migration& migration : known) {
    MigrationState state;
    state.number = migration.number;
    state.name = migration.name;
    if (auto found = applied.extract(migration.number)) {
      state.applied = true;
      state.changed = found.mapped().checksum != checksum_of(migration);
      state.applied_at = found.mapped().at;
    }
    out.push_back(std::move(state));
  }
  for (auto& [number, row] : applied)
    out.push_back({number, row.name, true, false, false, row.at});
  std::ranges::sort(out, {}, &MigrationState::number);
  return out;
}

[[noreturn]] void refuse(std::string sentence) { throw Error(Code::conflict, std::move(sentence)); }

/// What no migration may be built upon.
void check_sound(const std::vector<MigrationState>& all) {
  bool gap = false;
  for (const MigrationState& state : all) {
    const std::string number = std::to_string(state.number);
    if (!state.known)
      refuse("The database's schema is at " + std::to_string(all.back().number) + ", which this binary does not know: "
             "use a newer one.");
    if (state.changed) refuse("Migration " + number + " " + state.name + " was applied with another text than this binary holds.");
    if (state.applied && gap) refuse("Migration " + number + " " + state.name + " is applied, but one before it is not.");
    gap = gap || !state.applied;
  }
}

int level(const std::vector<MigrationState>& all) {
  int highest = 0;
  for (const MigrationState& state : all)
    if (state.applied) highest = std::max(highest, state.number);
  return highest;
}

/// The owner's session with the lock that keeps two migrations apart. The lock ends with it.
class LockedSession {
 public:
  explicit LockedSession(const DatabaseOptions& owner) : session_(owner) {
    const auto deadline = std::chrono::steady_clock::now() + kLockDeadline;
    while (!session_.execute(sql::try_lock, Params())[0].boolean(0)) {
      if (std::chrono::steady_clock::now() > deadline) refuse("Another migration has been running for a minute. Try again later.");
      std::this_thread::sleep_for(kLockPoll);
    }
    session_.execute(sql::create_table, Params());
    session_.execute(sql::grant_table, Params());
  }

  AppliedByNumber applied() { return applied_from(session_.execute(sql::list_applied, Params())); }

  void apply(const Migration& migration) {
    one_transaction(migration, migration.up, [&] {
      session_.execute(sql::add_applied, Params::of(migration.number, migration.name, checksum_of(migration)));
    });
    log::info("migration.applied", {{"number", migration.number}, {"name", migration.name}});
  }

  void undo(const Migration& migration) {
    one_transaction(migration, migration.down, [&] { session_.execute(sql::remove_applied, Params::of(migration.number)); });
    log::info("migration.undone", {{"number", migration.number}, {"name", migration.name}});
  }

 private:
  template <class Record>
  void one_transaction(const Migration& migration, std::string_view script, Record record) {
    try {
      session_.run("BEGIN", "begin");
      session_.run(std::string(script), migration.name);
      record();
      session_.run("COMMIT", "commit");
    } catch (const Repeat&) {
      session_.roll_back();
      refuse("Migration " + std::to_string(migration.number) + " met a deadlock with running work. Try again.");
    } catch (const Error& e) {
      session_.roll_back();
      throw Error(e.code(), "Migration " + std::to_string(migration.number) + " " + std::string(migration.name) +
                                " failed and was undone: " + e.log_detail())
          .with_log(e.log_detail());
    }
  }
  Session session_;
};

}  // namespace

Migrator::Migrator(DatabaseOptions owner, std::span<const Migration> known) : owner_(std::move(owner)), known_(known) {
  owner_.statement_timeout = std::chrono::milliseconds(0);              // an index on a large table takes its time
  owner_.idle_in_transaction_timeout = std::chrono::milliseconds(0);
}

std::vector<MigrationState> Migrator::status() {
  Session session(owner_);
  if (!session.execute(sql::find_table, Params())[0].boolean(0)) return states(known_, {});
  return states(known_, applied_from(session.execute(sql::list_applied, Params())));
}

std::vector<int> Migrator::up(int to_number) {
  LockedSession session(owner_);
  const auto all = states(known_, session.applied());
  check_sound(all);
  std::vector<int> done;
  const int from = level(all);
  for (const Migration& migration : known_) {
    if (migration.number <= from || (to_number != 0 && migration.number > to_number)) continue;
    session.apply(migration);
    done.push_back(migration.number);
  }
  return done;
}

std::vector<int> Migrator::down(int to_number) {
  LockedSession session(owner_);
  const auto all = states(known_, session.applied());
  check_sound(all);
  std::vector<int> done;
  const int from = level(all);
  for (std::size_t i = known_.size(); i-- > 0;) {
    if (known_[i].number > from || known_[i].number <= to_number) continue;
    session.undo(known_[i]);
    done.push_back(known_[i].number);
  }
  return done;
}

void check_schema(Connection& connection, std::span<const Migration> known) {
  std::vector<MigrationState> all;
  connection.transact(AppId{}, Mode::read, [&](Transaction& tx) {
    const bool migrated = tx.query(sql::find_table)[0].boolean(0);
    all = states(known, migrated ? applied_from(tx.query(sql::list_applied)) : AppliedByNumber());
  });
  const int at = level(all);
  const int knows = known.empty() ? 0 : known.back().number;
  const std::string where =
      "The database's schema is at " + std::to_string(at) + ", this chatd knows " + std::to_string(knows) + ": ";
  if (at > knows) refuse(where + "install a newer chatd.");
  if (at < knows) refuse(where + "run chatctl migrate up.");
  check_sound(all);
}

}  // namespace chat::storage
