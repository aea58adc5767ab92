#pragma once
#include <optional>
#include <string>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/storage/pool.h"
#include "platform/tasks/work.h"

/// An application as one file, and an application from one, with all its ids.
///
/// Shape:   lines of JSON. The first is the header: {"format":"chatd-application","version":1,"schema":44,"app_id","name","plan","status",
///          "created_at","exported_at"}; then {"table","row"} for every row of every tenant table, those that others refer to first;
///          the last is {"end":true,"rows":n}, so that a file that was cut short shows.
namespace chat::transfers {

inline constexpr std::string_view kExportApplication = "export_application";

/// Begins the task that writes the file. Errors: not_found; conflict (not suspended: it would change meanwhile); limit_reached
tasks::Task start_export(storage::Transaction& tx, AppId app, Timestamp now);
/// A slice: some rows of one table. Fails when the application was resumed meanwhile.
tasks::Step export_slice(storage::Transaction& tx, const tasks::Slice& slice);

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
};
std::string import_json(AppId app, const Import& import);

inline constexpr std::size_t kMaxPartBytes = 512 * 1024;

/// `header`: the file's first line. The transaction acts for `app` from here on.
/// Errors:  invalid_field #/header/… (another format, version or schema; another application's; no such plan);
///          already_exists (the application is here)
Import begin_import(storage::Transaction& tx, AppId app, const json::Value& header, Timestamp now);
/// The file's next lines, part 1 first; the same part again changes nothing.
/// Errors:  not_found; conflict (not the next one, or no longer receiving)
Import add_part(storage::Transaction& tx, AppId app, ImportId id, std::int64_t part, const std::string& body, Timestamp now);
/// All is here: a worker takes it in, in one transaction, or nothing of it. `rows`: what the file's last line says.
/// Errors:  not_found; conflict (so many lines are not here: the file was cut short)
Import apply_import(storage::Transaction& tx, AppId app, ImportId id, std::int64_t rows, Timestamp now);
Import get_import(storage::Transaction& tx, AppId app, ImportId id);
/// Forgets it and its lines; what was taken in stays. Errors: not_found
void discard_import(storage::Transaction& tx, AppId app, ImportId id);

/// The jobs.
struct ImportServices {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  const Clock& clock;
};
/// Takes in the files that wait, one after the other. An application comes in suspended.
void run_imports(storage::Connection& connection, const ImportServices& services);
/// Forgets what was not touched for a day. Returns how much.
std::int64_t sweep_imports(storage::Transaction& tx, Timestamp now, int limit);

}  // namespace chat::transfers
