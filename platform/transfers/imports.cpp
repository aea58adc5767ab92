#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/transfers/transfers.h"
#include "platform/transfers/transfers.sql.h"
#include "tenants/directory.h"

namespace chat::transfers {
namespace {

using storage::Mode;
using storage::Transaction;

constexpr auto kForgottenAfter = std::chrono::hours(24);
constexpr int kMonthsAtOnce = 36;

/// A line of the file that can't be taken in.
struct Mistake {
  std::optional<std::int64_t> line;
  std::string detail;
};

Import read(ImportId id, const storage::Row& row) {
  return {id, std::string(row.text(0)), row.integer(1), row.integer(2), row.optional_text(3), row.optional_integer(4), row.integer(5), row.time(6), row.time(7)};
}

struct Held {
  std::string status;
  std::int64_t parts = 0, lines = 0;
};

Held hold(Transaction& tx, AppId app, ImportId id) {
  tx.enter(app);
  const auto rows = tx.find(sql::lock_import, app, id);
  if (!rows) throw not_found("import");
  const auto row = (*rows)[0];
  return {std::string(row.text(0)), row.integer(1), row.integer(2)};
}

/// What the header must say; its mistakes are noted.
std::string read_header(json::Fields& fields, AppId app, std::int64_t schema) {
  const auto format = fields.text("format");
  const auto version = fields.integer("version");
  const auto made_with = fields.integer("schema");
  const auto whose = fields.text("app_id");
  auto plan = fields.text("plan");
  fields.find_text("name");
  if (!fields.find_time("created_at")) fields.mistake("created_at", "Required.");
  fields.find_time("exported_at");
  if (!fields.ok()) return plan;
  if (format != "chatd-application") fields.mistake("format", "This is no file of an application.");
  if (version != 1) fields.mistake("version", "Only version 1 is known here.");
  if (made_with != schema)
    fields.mistake("schema", "The file was made with schema " + std::to_string(made_with) + ", here is " + std::to_string(schema) + ": both services must be the same.");
  if (whose != app.wire()) fields.mistake("app_id", "The file is another application's.");
  return plan;
}

/// Makes the months that its messages may be of. On their own: making one holds up everybody's messages for a moment.
void make_months(storage::Connection& connection, Timestamp first, Timestamp now) {
  for (auto month = first; month <= now; month += std::chrono::hours(24 * 30 * kMonthsAtOnce))
    connection.transact(AppId{}, Mode::write, [&](Transaction& tx) { tx.query(sql::make_months, month_of(month), kMonthsAtOnce); });
}

/// Secrets that this service's master key does not open are of no use; the operator makes new ones.
std::int64_t drop_lost_secrets(Transaction& tx, AppId app, const crypto::Sealer& sealer) {
  std::int64_t lost = 0;
  const auto secrets = tx.query(sql::imported_secrets, app);
  for (const auto row : secrets) {
    const SecretId id{row.uuid(0)};
    if (sealer.open(row.bytes(1), app.wire() + id.wire())) continue;
    tx.run(sql::drop_imported_secret, app, id);
    ++lost;
  }
  return lost;
}

/// In one transaction: everything, or a Mistake and nothing. False: it is another worker's.
bool take_in(storage::Connection& connection, const ImportServices& services, AppId app, ImportId id) {
  bool held = false;
  connection.transact(app, Mode::write, [&](Transaction& tx) {
    const auto found = tx.find(sql::hold_import, app, id);
    held = found.has_value();
    if (!held) return;
    tx.query(sql::begin_importing);
    for (std::int64_t part = 1; part <= (*found)[0].integer(0); ++part) {
      const auto wrong = tx.query(sql::import_part, app, id, part);
      if (!wrong.empty()) throw Mistake{wrong[0].integer(0), std::string(wrong[0].text(1))};
    }
    const auto now = services.clock.now();
    if (!tx.find(sql::settle_imported, app, now)) throw Mistake{std::nullopt, "The file holds no row of the table applications."};
    const auto lost = drop_lost_secrets(tx, app, services.sealer);
    tx.run(sql::delete_import_parts, app, id);
    tx.run(sql::set_import_status, app, id, "done", now, std::nullopt, std::nullopt, lost);
    tenants::announce_change(tx, services.bus, app);
  });
  return held;
}

void fail(storage::Connection& connection, AppId app, ImportId id, const Mistake& mistake, Timestamp now) {
  log::warn("import.failed", {{"app_id", app.wire()}, {"import_id", id.wire()}, {"line", mistake.line.value_or(0)}});
  connection.transact(app, Mode::write, [&](Transaction& tx) {
    tx.run(sql::delete_import_parts, app, id);
    tx.run(sql::set_import_status, app, id, "failed", now, mistake.detail, mistake.line, 0);
  });
}

}  // namespace

std::string import_json(AppId app, const Import& import) {
  json::Writer out;
  out.object()
      .field("import_id", import.id.wire())
      .field("app_id", app.wire())
      .field("status", import.status)
      .field("parts", import.parts)
      .field("lines", import.lines)
      .optional_field("error", import.error);
  if (import.error_line) out.field("error_line", *import.error_line);
  if (import.lost_secrets > 0) out.field("lost_secrets", import.lost_secrets);
  out.key("created_at").time(import.created_at).key("updated_at").time(import.updated_at).end();
  return out.take();
}

Import begin_import(Transaction& tx, AppId app, const json::Value& header, Timestamp now) {
  tx.enter(app);
  const auto plan_said = header.kind() == json::Kind::object ? header.find("plan") : std::nullopt;
  const bool has_plan = plan_said && plan_said->kind() == json::Kind::text;
  const auto prospects = tx.query(sql::import_prospects, app, has_plan ? plan_said->text() : std::string_view());
  const auto row = prospects[0];
  json::Fields fields(header, "#/header");
  const auto plan = read_header(fields, app, row.integer(2));
  if (fields.ok() && !row.boolean(1)) fields.mistake("plan", "No such plan here: " + plan + ". See `chatctl plan list`.");
  fields.finish();
  if (row.boolean(0)) throw Error(Code::already_exists, "This application is here already.");
  const auto id = ImportId::make(now);
  tx.run(sql::insert_import, app, id, header.raw(), now);
  return get_import(tx, app, id);
}

Import add_part(Transaction& tx, AppId app, ImportId id, std::int64_t part, const std::string& body, Timestamp now) {
  const auto held = hold(tx, app, id);
  if (held.status != "receiving") throw Error(Code::conflict, "This import takes no more lines: it is " + held.status + ".");
  if (part <= held.parts) return get_import(tx, app, id);   // again: its answer was lost
  if (part != held.parts + 1) throw Error(Code::conflict, "Part " + std::to_string(held.parts + 1) + " comes next.");
  constexpr std::int64_t kFirstAfterHeader = 2;
  const auto lines = static_cast<std::int64_t>(std::count(body.begin(), body.end(), '\n')) + (body.ends_with('\n') ? 0 : 1);
  tx.run(sql::add_import_part, app, id, part, kFirstAfterHeader + held.lines, body);
  tx.run(sql::count_import_part, app, id, part, lines, now);
  return get_import(tx, app, id);
}

Import apply_import(Transaction& tx, AppId app, ImportId id, std::int64_t rows, Timestamp now) {
  const auto held = hold(tx, app, id);
  if (held.status != "receiving") throw Error(Code::conflict, "This import is " + held.status + ".");
  if (held.lines != rows)
    throw Error(Code::conflict, "The file should hold " + std::to_string(rows) + " rows; " + std::to_string(held.lines) + " are here: it was cut short.");
  tx.run(sql::set_import_status, app, id, "waiting", now, std::nullopt, std::nullopt, 0);
  return get_import(tx, app, id);
}

Import get_import(Transaction& tx, AppId app, ImportId id) {
  tx.enter(app);
  const auto rows = tx.find(sql::get_import, app, id);
  if (!rows) throw not_found("import");
  return read(id, (*rows)[0]);
}

void discard_import(Transaction& tx, AppId app, ImportId id) {
  hold(tx, app, id);
  tx.run(sql::delete_import_parts, app, id);
  tx.find(sql::delete_import, app, id);
}

void run_imports(storage::Connection& connection, const ImportServices& services) {
  for (;;) {
    std::optional<std::pair<AppId, ImportId>> next;
    std::optional<Timestamp> first;
    connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
      next.reset();
      const auto rows = tx.find(sql::next_import);
      if (!rows) return;
      next = {AppId{(*rows)[0].uuid(0)}, ImportId{(*rows)[0].uuid(1)}};
      tx.enter(next->first);
      const auto held = tx.find(sql::hold_import, next->first, next->second);
      if (held) first = (*held)[0].time(1);
    });
    if (!next || !first) return;
    try {
      make_months(connection, *first, services.clock.now());
      if (!take_in(connection, services, next->first, next->second)) return;
    } catch (const Mistake& mistake) {
      fail(connection, next->first, next->second, mistake, services.clock.now());
    } catch (const Error& error) {
      if (error.code() == Code::unavailable) throw;   // it waits, and is tried again
      fail(connection, next->first, next->second, {std::nullopt, error.what()}, services.clock.now());
    }
  }
}

std::int64_t sweep_imports(Transaction& tx, Timestamp now, int limit) {
  const auto rows = tx.query(sql::sweep_imports, now - kForgottenAfter, limit);
  return rows[0].integer(0);
}

}  // namespace chat::transfers
