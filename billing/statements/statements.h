#pragma once
#include <optional>
#include <string>
#include <vector>

#include "billing/statements/charge.h"
#include "platform/bus/feed.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"

/// What an application owes for a month. A draft is computed when it is asked for; a final statement is stored as it was said, under
/// the service's next number; a void one keeps its number and gives its credits back.
/// Event:   billing.statement.finalized, to the application's own servers
namespace chat::statements {

struct StatementTag { static constexpr std::string_view kPrefix = "stm"; };
using StatementId = Id<StatementTag>;
struct CreditTag { static constexpr std::string_view kPrefix = "crd"; };
using CreditId = Id<CreditTag>;

struct Statement {
  AppId app;
  std::optional<StatementId> id;               // of a draft none
  std::optional<std::int64_t> number;
  std::string period;                          // 2026-10-01
  std::string state = "draft";                 // draft | final | void
  std::string name, currency;
  std::int64_t used = 0;                       // plan and overage
  std::int64_t total = 0;
  std::string lines_json = "[]";
  std::optional<Timestamp> finalized_at, voided_at;
  std::optional<std::string> void_reason;
};
std::string statement_json(const Statement& statement);
std::string statement_csv(const Statement& statement);         // a row per line, and the total
std::string statement_html(const Statement& statement);        // one page, self-contained, to print

/// Of the transaction's application: the month's plans, and what was used of it until now.
/// Errors:  not_found; conflict: it can't be computed, with the reason
Statement draft(storage::Transaction& tx, Timestamp month);
/// Errors:  conflict: the month is not over, has a final statement, or can't be computed
Statement finalize(storage::Transaction& tx, bus::Bus& bus, Timestamp month, Timestamp now);
/// Errors:  not_found; conflict: it is void, or the next month's final statement charges late usage of it: void that first
Statement void_statement(storage::Transaction& tx, StatementId id, const std::string& reason, Timestamp now);
Statement get_statement(storage::Transaction& tx, StatementId id);
storage::Page<Statement> list_own(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors);
/// Of all applications. `month`: 2026-10-01.
storage::Page<Statement> list_all(storage::Transaction& tx, const std::optional<std::string>& month, int limit,
                                  const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Takes `amount` off the application's next statements, until it is used up. Units: minor units.
CreditId add_credit(storage::Transaction& tx, std::int64_t amount, const std::string& reason, Timestamp now);
std::string credits_json(storage::Transaction& tx);

/// Finalises what every application has no statement of, of the last kMonthsBack months, each once it has been over for `delay`;
/// older ones are an operator's to finalise. Returns how many. One that can't be finalised is logged and left for the next time.
inline constexpr int kMonthsBack = 3;
int finalize_due(storage::Connection& connection, bus::Bus& bus, std::chrono::milliseconds delay, Timestamp now);

/// A day's usage as CloudEvents 1.0, one per application and meter; the same id whenever it is asked for.
/// Shape:   position: "app meter" of the last one
struct Exported {
  std::vector<std::string> events;
  std::optional<std::string> next;
};
Exported export_usage(storage::Transaction& tx, const std::string& day, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors);

}  // namespace chat::statements
