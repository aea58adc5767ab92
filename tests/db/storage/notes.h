#pragma once
#include "platform/storage/pool.h"
#include "tests/support/database.h"

/// A small product of its own in a scratch database: tenants' notes under forced row-level security.
namespace chat::test {

/// The database, made at first use and shared by the cases of this process.
const ScratchDatabase& notes_database();

/// One test's share of it: an application of its own, a connection of chatd's role, a view from outside.
struct Notes {
  AppId app = AppId::make(system_clock().now());
  storage::Connection connection{notes_database().server()};
  Probe outside{notes_database().superuser().dsn};

  void write(const std::function<void(storage::Transaction&)>& body) {
    connection.transact(app, storage::Mode::write, body);
  }
  /// How many notes of this application there are, whoever looks.
  std::string count() { return outside.value("select count(*) from notes where app_id = '" + app.text() + "'"); }
  std::string body_of(int id) {
    return outside.value("select body from notes where app_id = '" + app.text() + "' and id = " + std::to_string(id));
  }
};

/// Ends the sessions of chatd's role in this database, all but those that `except` names by application_name.
void end_sessions(Probe& outside, const std::string& application_name);

/// The code and sentence with which `act` was refused; fails the test when it was not.
Error refusal(const std::function<void()>& act);

/// A server process that stands still, as on a hanging disk, until the end of the test.
class Frozen {
 public:
  explicit Frozen(int pid);
  ~Frozen();
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  int pid_;
};

inline constexpr storage::Statement kBackend{"notes.backend", "select pg_backend_pid()"};
inline constexpr storage::Statement kAddNote{"notes.add", "insert into notes (app_id, id, body) values ($1, $2, $3)"};
inline constexpr storage::Statement kListNotes{"notes.list", "select id, body from notes order by id"};
inline constexpr storage::Statement kEditNote{"notes.edit", "update notes set body = $3 where app_id = $1 and id = $2"};

}  // namespace chat::test
