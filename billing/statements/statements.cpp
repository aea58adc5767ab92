#include "billing/statements/statements.h"

#include "billing/statements/statements.sql.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"

namespace chat::statements {
namespace {

constexpr int kAtOnce = 100;                   // applications of one question of the job
constexpr int kMaxRounds = 50;                 // of one month in one run; the rest waits for the next
constexpr std::string_view kFinalized = "billing.statement.finalized";

Timestamp month_before(Timestamp month) { return month_start(month_start(month) - std::chrono::hours(1)); }

struct Subject {
  std::string name;
  std::optional<Timestamp> ended;
  std::string overrides;
  Timestamp created_at;
};

Subject read_subject(storage::Transaction& tx, Timestamp month) {
  const auto rows = tx.find(sql::read_subject, tx.app(), month_of(next_month_start(month)));
  if (!rows) throw not_found("application");
  const auto row = (*rows)[0];
  return {std::string(row.text(0)), row.boolean(1) ? std::optional(row.time(4)) : std::nullopt, std::string(row.text(2)), row.time(3)};
}

std::vector<Move> read_moves(storage::Transaction& tx, Timestamp month) {
  std::vector<Move> moves;
  auto rows = tx.query(sql::list_moves_of_month, tx.app(), month_of(month), month_of(next_month_start(month)));
  for (auto row : rows) moves.push_back({row.time(0), std::string(row.text(1)), row.integer(2), row.boolean(3)});
  return moves;
}

Used read_used(storage::Transaction& tx, Timestamp month) {
  Used used;
  auto rows = tx.query(sql::used_by_day, tx.app(), month_of(month), month_of(next_month_start(month)));
  for (auto row : rows) used[std::string(row.text(1))].at(static_cast<std::size_t>(row.integer(0))) = row.integer(2);
  auto users = tx.query(sql::users_by_day, tx.app(), month_of(month));
  for (auto row : users) used[std::string(word(Meter::active_users))].at(static_cast<std::size_t>(row.integer(0))) = row.integer(1);
  return used;
}

struct Charged {
  std::vector<Line> lines;
  std::string currency;
  std::int64_t sum = 0;
};

/// Plan and overage of a month, as the ledger says now.
Charged charge_month(storage::Transaction& tx, Timestamp month, const Subject& subject, const std::string& overrides_json) {
  Charged charged;
  const auto used = read_used(tx, month);
  const auto overrides = json::Document::parse(overrides_json);
  for (const auto& stretch : stretches_of(month, read_moves(tx, month), subject.ended)) {
    const auto rows = tx.find(sql::read_terms, stretch.plan_id, stretch.version);
    if (!rows) throw Error(Code::conflict, "Plan " + stretch.plan_id + " has no version " + std::to_string(stretch.version) + " here.");
    const auto plan = json::Document::parse((*rows)[0].text(0));
    const auto terms = read_terms(stretch.plan_id, stretch.version, plan.root(), overrides.root(), month);
    if (!terms.currency.empty() && !charged.currency.empty() && terms.currency != charged.currency)
      throw Error(Code::conflict, "This month has plans in " + charged.currency + " and in " + terms.currency + ".");
    if (!terms.currency.empty()) charged.currency = terms.currency;
    for (auto& line : charge(month, stretch, terms, used, subject.created_at)) charged.lines.push_back(std::move(line));
  }
  for (const auto& line : charged.lines) charged.sum += line.amount;
  return charged;
}

/// What the ledger learned of the month before after its statement was final.
void add_late_usage(storage::Transaction& tx, Timestamp month, const Subject& subject, Charged& charged) {
  const auto before = month_before(month);
  const auto rows = tx.find(sql::find_used, tx.app(), month_of(before));
  if (!rows) return;
  const auto now = charge_month(tx, before, subject, std::string((*rows)[0].text(1)));
  const auto late = now.sum - (*rows)[0].integer(0);
  if (late <= 0) return;
  Line line;
  line.kind = "late_usage";
  line.description = "Usage of " + month_of(before).substr(0, 7) + " that was counted after its statement";
  line.amount = late;
  charged.lines.push_back(std::move(line));
}

/// Credits oldest first, until nothing is owed.
void take_credits(storage::Transaction& tx, bool is_final, std::vector<Line>& lines, std::int64_t& total) {
  auto rows = is_final ? tx.query(sql::lock_credits, tx.app()) : tx.query(sql::open_credits, tx.app());
  for (auto row : rows) {
    const auto amount = std::min(total, row.integer(1));
    if (amount == 0) return;
    Line line;
    line.kind = "credit";
    line.description = row.text(2);
    line.amount = -amount;
    line.credit_id = CreditId{row.uuid(0)}.wire();
    lines.push_back(std::move(line));
    total -= amount;
    if (is_final) tx.run(sql::use_credit, tx.app(), row.uuid(0), amount);
  }
}

std::string day_in(Timestamp month, int day) { return day_of(month_start(month) + (day - 1) * std::chrono::hours(24)); }

std::string lines_json(Timestamp month, const std::vector<Line>& lines) {
  json::Writer out;
  out.array();
  for (const auto& line : lines) {
    out.object().field("kind", line.kind).field("description", line.description);
    if (!line.plan_id.empty()) out.field("plan", line.plan_id).field("plan_version", line.version);
    if (line.first > 0) out.field("first_day", day_in(month, line.first)).field("last_day", day_in(month, line.last));
    if (line.kind == "plan") out.field("days", line.quantity);
    if (line.kind == "overage")
      out.field("meter", line.meter).field("quantity", line.quantity).field("included", line.included).field("unit_price", line.unit_price);
    if (!line.credit_id.empty()) out.field("credit_id", line.credit_id);
    out.field("amount", line.amount).end();
  }
  out.end();
  return out.take();
}

struct Computed {
  Statement statement;
  std::string overrides;                       // that it was computed with
};

Computed compute(storage::Transaction& tx, Timestamp month, bool is_final) {
  const auto subject = read_subject(tx, month);
  auto charged = charge_month(tx, month, subject, subject.overrides);
  Statement statement;
  statement.app = tx.app();
  statement.period = month_of(month);
  statement.name = subject.name;
  statement.currency = charged.currency;
  statement.used = charged.sum;
  add_late_usage(tx, month, subject, charged);
  for (const auto& line : charged.lines) statement.total += line.amount;
  take_credits(tx, is_final, charged.lines, statement.total);
  statement.lines_json = lines_json(month, charged.lines);
  return {std::move(statement), subject.overrides};
}

Statement read(const storage::Row& row) {
  Statement statement;
  statement.id = StatementId{row.uuid(0)};
  statement.number = row.integer(1);
  statement.period = row.text(2);
  statement.state = row.text(3);
  statement.name = row.text(4);
  statement.currency = row.text(5);
  statement.used = row.integer(6);
  statement.total = row.integer(7);
  statement.lines_json = row.text(8);
  statement.finalized_at = row.time(9);
  statement.voided_at = row.optional_time(10);
  statement.void_reason = row.optional_text(11);
  statement.app = AppId{row.uuid(12)};
  return statement;
}

storage::Page<Statement> page_of(const storage::Rows& rows, int limit, const std::string& scope, const storage::Cursors& cursors) {
  storage::Page<Statement> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id->text()});
  return page;
}

std::optional<std::string> position_of(const std::string& scope, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  return cursor ? std::optional(cursors.open(scope, *cursor, "query:next").at(0)) : std::nullopt;
}

void tell_finalized(storage::Transaction& tx, bus::Bus& bus, const Statement& statement, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = kFinalized;
  event.reach = bus::Reach::application;
  event.created_at = now;
  json::Writer data;
  data.object().key("statement").raw(statement_json(statement)).end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
}

/// One application's, by the job. What goes wrong with it must not keep the others waiting.
bool finalize_one(storage::Connection& connection, bus::Bus& bus, AppId app, Timestamp month, Timestamp now) {
  static auto& finalized = metrics::counter("chat_statements_finalized_total", "Statements that the job finalised.");
  static auto& failed = metrics::counter("chat_statements_failed_total", "Statements that the job could not finalise; it tries again.");
  try {
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { finalize(tx, bus, month, now); });
    finalized.add();
    return true;
  } catch (const std::exception& error) {
    failed.add();
    log::warn("statement.not_finalized", {{"app_id", app.wire()}, {"period", month_of(month)}, {"detail", error.what()}});
    return false;
  }
}

int finalize_month(storage::Connection& connection, bus::Bus& bus, Timestamp month, Timestamp now) {
  int count = 0;
  std::optional<AppId> after;
  for (int round = 0; round < kMaxRounds; ++round) {
    std::vector<AppId> apps;
    connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
      apps.clear();
      auto rows = tx.query(sql::applications_without_statement, month_of(month), after, kAtOnce);
      for (auto row : rows) apps.push_back(AppId{row.uuid(0)});
    });
    for (const auto& app : apps) count += finalize_one(connection, bus, app, month, now) ? 1 : 0;
    if (static_cast<int>(apps.size()) < kAtOnce) break;
    after = apps.back();
  }
  return count;
}

}  // namespace

Statement draft(storage::Transaction& tx, Timestamp month) { return compute(tx, month, false).statement; }

Statement finalize(storage::Transaction& tx, bus::Bus& bus, Timestamp month, Timestamp now) {
  if (next_month_start(month) > now) throw Error(Code::conflict, "This month is not over.");
  tx.query(sql::hold_statements, tx.app());
  auto [statement, overrides] = compute(tx, month, true);
  statement.id = StatementId::make(now);
  statement.number = tx.query(sql::take_number)[0].integer(0);
  statement.state = "final";
  statement.finalized_at = now;
  if (!tx.find(sql::insert_statement, tx.app(), *statement.id, *statement.number, statement.period, statement.name, statement.currency,
               statement.used, statement.total, statement.lines_json, now, overrides))
    throw Error(Code::conflict, "This month has a final statement; void it first.");
  tell_finalized(tx, bus, statement, now);
  return statement;
}

Statement void_statement(storage::Transaction& tx, StatementId id, const std::string& reason, Timestamp now) {
  tx.query(sql::hold_statements, tx.app());
  const auto statement = get_statement(tx, id);
  if (const auto next = tx.find(sql::find_late_charge, tx.app(), statement.period))
    throw Error(Code::conflict, "Statement " + std::to_string((*next)[0].integer(0)) + " charges late usage of this month; void that first.");
  if (!tx.find(sql::void_statement, tx.app(), id, reason, now)) throw Error(Code::conflict, "This statement is void already.");
  const auto lines = json::Document::parse(statement.lines_json);
  for (const auto& line : lines.root().items())
    if (const auto credit = line.find("credit_id"))
      if (const auto credit_id = CreditId::parse(credit->text())) tx.run(sql::use_credit, tx.app(), *credit_id, line.find("amount")->integer());
  return get_statement(tx, id);
}

Statement get_statement(storage::Transaction& tx, StatementId id) {
  const auto rows = tx.find(sql::get_statement, tx.app(), id);
  if (!rows) throw not_found("statement");
  return read((*rows)[0]);
}

storage::Page<Statement> list_own(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|statements";
  return page_of(tx.query(sql::list_own_statements, tx.app(), position_of(scope, cursor, cursors), limit + 1), limit, scope, cursors);
}

storage::Page<Statement> list_all(storage::Transaction& tx, const std::optional<std::string>& month, int limit,
                                  const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = "operator|statements|" + month.value_or("");
  return page_of(tx.query(sql::list_statements, month, position_of(scope, cursor, cursors), limit + 1), limit, scope, cursors);
}

CreditId add_credit(storage::Transaction& tx, std::int64_t amount, const std::string& reason, Timestamp now) {
  read_subject(tx, now);
  const auto id = CreditId::make(now);
  tx.run(sql::insert_credit, tx.app(), id, amount, reason, now);
  return id;
}

std::string credits_json(storage::Transaction& tx) {
  json::Writer out;
  out.object().key("credits").array();
  auto rows = tx.query(sql::list_credits, tx.app());
  for (auto row : rows)
    out.object().field("credit_id", CreditId{row.uuid(0)}.wire()).field("amount", row.integer(1)).field("remaining", row.integer(2))
        .field("reason", row.text(3)).key("created_at").time(row.time(4)).end();
  out.end().end();
  return out.take();
}

int finalize_due(storage::Connection& connection, bus::Bus& bus, std::chrono::milliseconds delay, Timestamp now) {
  int count = 0;
  auto month = month_start(now);
  for (int i = 0; i < kMonthsBack; ++i) month = month_before(month);
  for (; next_month_start(month) + delay <= now; month = next_month_start(month)) count += finalize_month(connection, bus, month, now);
  return count;
}

}  // namespace chat::statements
