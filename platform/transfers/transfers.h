#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/storage/pool.h"
#include "platform/tasks/work.h"

/// An application as one file, and an application from one, with all its ids.
///
/// Shape:   lines of JSON. The first is the header: {"format":"chatd-application","version":1,"schema","app_id","name","plan","created_at",
///          "exported_at"}; then {"table","row"} for every row of every tenant table, those that others refer to first;
///          the last is {"end":true,"rows":n}, so that a file that was cut short shows.
namespace chat::transfers {

inline constexpr std::string_view kExportApplication = "export_application";

/// What the operator configured.
struct Rules {
  std::chrono::milliseconds settle;            // between suspending and the first row: what was under way ends meanwhile
  std::int64_t max_bytes;                      // of a file that comes in
};

/// Begins the task that writes the file. Errors: not_found; conflict (not suspended: it would change meanwhile); limit_reached
tasks::Task start_export(storage::Transaction& tx, AppId app, Timestamp now);
/// A slice: some rows of one table. The first one waits until the application has been left alone for `rules.settle`. The task fails
/// at once when the application was changed after that, so also when it was resumed and suspended again.
tasks::Step export_slice(storage::Transaction& tx, const tasks::Slice& slice, const Rules& rules);

struct ImportTag { static constexpr std::string_view kPrefix = "imp"; };
using ImportId = Id<ImportTag>;

/// A file on its way in.
struct Import {
  ImportId id;
  std::string status = "receiving";            // receiving | waiting | done | failed
  std::int64_t parts = 0, lines = 0;           // that are here; lines without the header
  std::optional<std::string> error;            // of failed: why
  std::optional<std::int64_t> error_line;      // and where in the file, from 1
  std::int64_t lost_secrets = 0;               // sealed with another master key, so not taken
  Timestamp created_at, updated_at;
  std::string digest;                          // of what is here: sha256 of what it was and the next part, bytes; "": nothing
};
std::string import_json(AppId app, const Import& import);

inline constexpr std::size_t kMaxPartBytes = 512 * 1024;

/// `header`: the file's first line. The transaction acts for `app` from here on.
/// Errors:  invalid_field #/header/… (another format, version or schema; another application's; no such plan; not made when its app_id
///          says); already_exists (the application is here); conflict (a file of it is on its way already)
Import begin_import(storage::Transaction& tx, AppId app, const json::Value& header, Timestamp now);
/// The file's next lines, part 1 first; the same part again changes nothing.
/// Errors:  not_found; conflict (not the next one, or no longer receiving); limit_reached (rules.max_bytes)
Import add_part(storage::Transaction& tx, AppId app, ImportId id, std::int64_t part, const std::string& body, Timestamp now, const Rules& rules);
/// All is here: a worker takes it in, in one transaction, or nothing of it. `rows`: what the file's last line says.
/// Errors:  not_found; conflict (so many lines are not here: the file was cut short)
Import apply_import(storage::Transaction& tx, AppId app, ImportId id, std::int64_t rows, Timestamp now);
Import get_import(storage::Transaction& tx, AppId app, ImportId id);
/// Gone at once; a job removes its lines. What was taken in stays. Errors: not_found
void discard_import(storage::Transaction& tx, AppId app, ImportId id, Timestamp now);

/// The jobs.
struct ImportServices {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  const Clock& clock;
  std::function<bool()> stopping;              // the node ends: what is under way is put back
  std::chrono::milliseconds longest = std::chrono::hours(1);   // that taking in one file may last
};
inline constexpr int kMaxImportAttempts = 5;

/// Takes in the files that wait, one after the other. An application comes in suspended. What fails for a passing reason (a lock, a full
/// disk) is put back for a while, kMaxImportAttempts times, and holds up no other.
void run_imports(storage::Connection& connection, const ImportServices& services);
/// Forgets lines of what ended, and what was not touched for a day. Returns how much.
std::int64_t sweep_imports(storage::Transaction& tx, Timestamp now, int limit);

}  // namespace chat::transfers
