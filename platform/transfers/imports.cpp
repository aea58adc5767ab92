#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/transfers/transfers.h"
#include "platform/transfers/transfers.sql.h"
#include "tenants/applications.h"
#include "tenants/directory.h"

namespace chat::transfers {
namespace {

using storage::Mode;
using storage::Transaction;

constexpr auto kForgottenAfter = std::chrono::hours(24);
constexpr int kMonthsAtOnce = 36;
constexpr int kLeaseSeconds = 60;              // then another worker may go on with what one left
constexpr auto kAgainAfter = std::chrono::seconds(5);        // the first time; then twice as long each time
constexpr auto kClocksApart = std::chrono::hours(24);
constexpr std::string_view kNoneBefore = "2020-01-01T00:00:00Z";   // no chatd is as old: an id may be made up

/// A line of the file that can't be taken in.
struct Mistake {
  std::optional<std::int64_t> line;
  std::string detail;
};

/// The node ends.
struct Stopped {};

Import read(ImportId id, const storage::Row& row) {
  return {id, std::string(row.text(0)), row.integer(1), row.integer(2), row.optional_text(3), row.optional_integer(4), row.integer(5), row.time(6), row.time(7),
          row.bytes(8)};
}

struct Held {
  std::string status;
  std::int64_t parts = 0, lines = 0, bytes = 0;
};

Held hold(Transaction& tx, AppId app, ImportId id) {
  tx.enter(app);
  const auto rows = tx.find(sql::lock_import, app, id);
  if (!rows) throw not_found("import");
  const auto row = (*rows)[0];
  return {std::string(row.text(0)), row.integer(1), row.integer(2), row.integer(3)};
}

/// What the header must say; its mistakes are noted.
std::string read_header(json::Fields& fields, AppId app, std::int64_t schema) {
  const auto format = fields.text("format");
  const auto version = fields.integer("version");
  const auto made_with = fields.integer("schema");
  const auto whose = fields.text("app_id");
  auto plan = fields.text("plan");
  fields.find_text("name");
  const auto made = fields.find_time("created_at");
  if (!made) fields.mistake("created_at", "Required.");
  fields.find_time("exported_at");
  if (!fields.ok()) return plan;
  if (format != "chatd-application") fields.mistake("format", "This is no file of an application.");
  if (version != 1) fields.mistake("version", "Only version 1 is known here.");
  if (made_with != schema)
    fields.mistake("schema", "The file was made with schema " + std::to_string(made_with) + ", here is " + std::to_string(schema) + ": both services must be the same.");
  if (const auto apart = *made - time_of(app.uuid); std::chrono::abs(apart) > kClocksApart || *made < *parse_time(kNoneBefore))
    fields.mistake("created_at", "This is not when the application of this app_id was made.");
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

struct Claim {
  AppId app;
  ImportId id;
  std::int64_t attempts = 0, parts = 0;
  Timestamp application_made;
};

std::optional<Claim> claim(storage::Connection& connection, Timestamp now) {
  std::optional<Claim> claim;
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    claim.reset();
    const auto rows = tx.find(sql::claim_import, now, kLeaseSeconds);
    if (!rows) return;
    const auto row = (*rows)[0];
    claim = Claim{AppId{row.uuid(0)}, ImportId{row.uuid(1)}, row.integer(2), row.integer(3), row.time(4)};
  });
  return claim;
}

/// A run over the parts of a file. Ends by a Mistake, when it takes too long, or Stopped.
class Run {
 public:
  Run(const ImportServices& services, const Claim& claim) : services_(services), claim_(claim) {}
  void over(Transaction& tx, const storage::Statement& statement, std::int64_t part) {
    if (services_.stopping()) throw Stopped{};
    if (std::chrono::steady_clock::now() - begun_ >= services_.longest) throw Mistake{std::nullopt, "It takes longer than an import may."};
    const auto wrong = tx.query(statement, claim_.app, claim_.id, part);
    if (!wrong.empty()) throw Mistake{wrong[0].integer(0), std::string(wrong[0].text(1))};
  }

 private:
  const ImportServices& services_;
  const Claim& claim_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// What a line says of itself is judged before anything is made or held for it, a part at a time; each prolongs the lease.
void check(storage::Connection& connection, const ImportServices& services, const Claim& claim) {
  Run run(services, claim);
  for (std::int64_t part = 1; part <= claim.parts; ++part)
    connection.transact(claim.app, Mode::write, [&](Transaction& tx) {
      const auto until = services.clock.now() + std::chrono::seconds(kLeaseSeconds);
      tx.run(sql::put_back_import, claim.app, claim.id, until, 1);
      run.over(tx, sql::check_import_part, part);
    });
}

/// What others rely on without another look is looked at before it is there. Ends by a Mistake.
void check_what_came(Transaction& tx, AppId app, Timestamp now) {
  if (const auto unfit = tx.find(sql::find_unfit, app, month_of(now))) throw Mistake{std::nullopt, std::string((*unfit)[0].text(0))};
  const auto application = tenants::get_application(tx, app);
  try {
    tenants::check_settings(json::Document::parse(application.settings_json).root(), "settings");
    tenants::check_overrides(json::Document::parse(application.limits_json).root(), "limits", [](std::string_view) { return true; });
  } catch (const Error& error) {
    if (error.fields().empty()) throw;
    throw Mistake{std::nullopt, "applications: " + error.fields()[0].pointer + ": " + error.fields()[0].detail};
  }
}

/// In one transaction: everything, or a Mistake and nothing. Nothing, too, when it is another worker's or was discarded.
void take_in(storage::Connection& connection, const ImportServices& services, const Claim& claim) {
  const auto app = claim.app;
  const auto id = claim.id;
  connection.transact(app, Mode::write, [&](Transaction& tx) {
    const auto found = tx.find(sql::hold_import, app, id);
    if (!found) return;
    Run run(services, claim);
    tx.query(sql::begin_importing);
    for (std::int64_t part = 1; part <= (*found)[0].integer(0); ++part) run.over(tx, sql::import_part, part);
    const auto now = services.clock.now();
    if (!tx.find(sql::settle_imported, app, now)) throw Mistake{std::nullopt, "The file holds no row of the table applications."};
    check_what_came(tx, app, now);
    tx.run(sql::bill_imported, app, now);
    const auto lost = drop_lost_secrets(tx, app, services.sealer);
    tx.run(sql::set_import_status, app, id, "done", now, std::nullopt, std::nullopt, lost);
    tenants::announce_change(tx, services.bus, app);
  });
}

void fail(storage::Connection& connection, AppId app, ImportId id, const Mistake& mistake, Timestamp now) {
  log::warn("import.failed", {{"app_id", app.wire()}, {"import_id", id.wire()}, {"line", mistake.line.value_or(0)}});
  connection.transact(app, Mode::write, [&](Transaction& tx) {
    tx.run(sql::set_import_status, app, id, "failed", now, mistake.detail, mistake.line, 0);
  });
}

void put_back(storage::Connection& connection, const Claim& claim, Timestamp not_before, int used_up) {
  connection.transact(claim.app, Mode::write, [&](Transaction& tx) { tx.run(sql::put_back_import, claim.app, claim.id, not_before, used_up); });
}

/// Takes in one file, or says why not. False: the node ends.
bool work_on(storage::Connection& connection, const ImportServices& services, const Claim& claim) {
  const auto give_up = [&](const Mistake& mistake) { fail(connection, claim.app, claim.id, mistake, services.clock.now()); };
  if (claim.attempts > kMaxImportAttempts) {
    give_up({std::nullopt, "It was interrupted too often."});
    return true;
  }
  try {
    check(connection, services, claim);
    make_months(connection, claim.application_made, services.clock.now());
    take_in(connection, services, claim);
  } catch (const Stopped&) {
    put_back(connection, claim, services.clock.now(), 0);
    return false;
  } catch (const Mistake& mistake) {
    give_up(mistake);
  } catch (const Error& error) {
    const bool passes = error.code() == Code::unavailable && claim.attempts < kMaxImportAttempts;
    log::warn("import.interrupted", {{"app_id", claim.app.wire()}, {"import_id", claim.id.wire()}, {"attempts", claim.attempts},
                                     {"detail", error.log_detail().empty() ? error.what() : error.log_detail()}});
    if (passes) put_back(connection, claim, services.clock.now() + kAgainAfter * (1 << (claim.attempts - 1)), 1);
    else give_up({std::nullopt, error.what()});
  }
  return true;
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
  if (!import.digest.empty()) out.field("digest", crypto::hex(import.digest));
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
  if (fields.ok() && !row.boolean(1)) fields.mistake("plan", "No such plan here, or an archived one: " + plan + ". See `chatctl plan list`.");
  fields.finish();
  if (row.boolean(0)) throw Error(Code::already_exists, "This application is here already.");
  if (const auto open = tx.find(sql::open_import, app))
    throw Error(Code::conflict, "A file of this application is on its way already: " + ImportId{(*open)[0].uuid(0)}.wire() + ". Discard it first.");
  const auto id = ImportId::make(now);
  tx.run(sql::insert_import, app, id, header.raw(), now);
  return get_import(tx, app, id);
}

Import add_part(Transaction& tx, AppId app, ImportId id, std::int64_t part, const std::string& body, Timestamp now,
                const Rules& rules) {
  const auto held = hold(tx, app, id);
  if (held.status != "receiving") throw Error(Code::conflict, "This import takes no more lines: it is " + held.status + ".");
  if (part <= held.parts) return get_import(tx, app, id);   // again: its answer was lost
  if (part != held.parts + 1) throw Error(Code::conflict, "Part " + std::to_string(held.parts + 1) + " comes next.");
  const auto bytes = static_cast<std::int64_t>(body.size());
  if (held.bytes + bytes > rules.max_bytes)
    throw Error(Code::limit_reached, "A file that comes in may have " + std::to_string(rules.max_bytes) + " bytes (transfers.max_bytes).");
  constexpr std::int64_t kFirstAfterHeader = 2;
  const auto lines = static_cast<std::int64_t>(std::count(body.begin(), body.end(), '\n')) + (body.ends_with('\n') ? 0 : 1);
  tx.run(sql::add_import_part, app, id, part, kFirstAfterHeader + held.lines, body);
  const auto digest = crypto::sha256(get_import(tx, app, id).digest + body);
  tx.run(sql::count_import_part, app, id, part, lines, now, bytes, crypto::hex(digest));
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

void discard_import(Transaction& tx, AppId app, ImportId id, Timestamp now) {
  hold(tx, app, id);
  tx.run(sql::set_import_status, app, id, "discarded", now, std::nullopt, std::nullopt, 0);
}

void run_imports(storage::Connection& connection, const ImportServices& services) {
  while (const auto claimed = claim(connection, services.clock.now()))
    if (!work_on(connection, services, *claimed)) return;
}

std::int64_t sweep_imports(Transaction& tx, Timestamp now, int limit) {
  const auto rows = tx.query(sql::sweep_imports, now - kForgottenAfter, limit);
  return rows[0].integer(0);
}

}  // namespace chat::transfers
