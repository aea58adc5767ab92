#include <memory>

#include "cli/line/values.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/plans.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRows{.columns = {{"NUMBER", "number", Look::number},
                              {"STATEMENT", "statement_id"},
                              {"APPLICATION", "name"},
                              {"MONTH", "month"},
                              {"STATE", "state", Look::state},
                              {"TOTAL", "total", Look::number},
                              {"CURRENCY", "currency"}},
                  .name = "statement_id"};
const Sheet kOne{.columns = {{"NUMBER", "number", Look::number},
                             {"STATEMENT", "statement_id"},
                             {"APPLICATION", "name"},
                             {"MONTH", "month"},
                             {"STATE", "state", Look::state},
                             {"TOTAL", "total", Look::number},
                             {"CURRENCY", "currency"}},
                 .name = "statement_id",
                 .upright = true};
const Sheet kLines{.columns = {{"KIND", "kind"},
                               {"DESCRIPTION", "description"},
                               {"FIRST_DAY", "first_day"},
                               {"LAST_DAY", "last_day"},
                               {"AMOUNT", "amount", Look::number}},
                   .name = "kind",
                   .rows = "lines"};
const Sheet kCredits{.columns = {{"CREDIT", "credit_id"},
                                 {"AMOUNT", "amount", Look::number},
                                 {"REMAINING", "remaining", Look::number},
                                 {"REASON", "reason"},
                                 {"CREATED", "created_at", Look::time}},
                     .name = "credit_id",
                     .rows = "credits"};
const Sheet kAlerts{.columns = {{"NOTICED", "noticed_at", Look::time},
                                {"APPLICATION", "app_id"},
                                {"METER", "meter"},
                                {"PERIOD", "period"},
                                {"LEVEL", "level"},
                                {"VALUE", "value", Look::number},
                                {"INCLUDED", "included", Look::number},
                                {"HARD", "hard", Look::number}},
                    .name = "alert_id"};

struct Given {
  std::string statement, month, format = "json", reason, day;
  std::int64_t amount = 0, limit = 100;
};

using Query = std::vector<std::pair<std::string, std::string>>;

Query month_query(const std::string& month) {
  if (month.empty()) return {};
  if (!is_month(month)) throw Failure(Exit::usage, "--month " + month + " is no month; write 2026-11");
  return {{"month", month}};
}

std::string statement_path(Session& session, const std::string& statement, const std::string& rest = "") {
  return session.app_path(session.app(), "/statements/" + text::percent_encode(statement) + rest);
}

/// A month stands for its final statement.
std::string id_of(Session& session, const std::string& said) {
  if (!is_month(said)) return said;
  const auto listed = list_all(session.api(), session.app_path(session.app(), "/statements"), "statements", {}, 1000);
  const auto document = json::Document::parse(listed);
  for (const auto& statement : document.root().items())
    if (text_at(statement, "month") == said && text_at(statement, "state") == "final") return text_at(statement, "statement_id");
  throw Failure(Exit::not_found, session.app() + " has no final statement of " + said);
}

void list(Session& session, const Given& given) {
  const bool of_one = !session.globals().app.empty();
  if (of_one && !given.month.empty()) throw Failure(Exit::usage, "--month goes without --app: an application has one statement a month");
  const auto path = of_one ? session.app_path(session.app(), "/statements") : std::string("/operator/v1/statements");
  session.print(list_all(session.api(), path, "statements", month_query(given.month), static_cast<std::size_t>(given.limit)), kRows);
}

void print_one(Session& session, const std::string& answer) {
  const auto document = json::Document::parse(answer);
  const auto statement = find_at(document.root(), "statement").value_or(document.root());
  session.print(statement.raw(), session.format() == Format::csv ? kLines : kOne);
  if (session.format() != Format::table) return;
  session.print_text("\n");
  session.print(statement.raw(), kLines);
}

void show(Session& session, const Given& given) {
  auto query = month_query(given.month);
  const auto path = statement_path(session, id_of(session, given.statement));
  if (given.format == "json") return print_one(session, get(session.api(), path, query));
  query.emplace_back("format", given.format);
  session.print_text(get(session.api(), path, query));
}

void finalize(Session& session, const Given& given) {
  month_query(given.month);
  session.confirm("Make the statement of " + session.app() + " for " + given.month + " final?");
  json::Writer body;
  body.object().field("month", given.month).end();
  print_one(session, post(session.api(), session.app_path(session.app(), "/statements"), body.take()));
  session.note("statement of " + session.app() + " for " + given.month + " is final");
}

void make_void(Session& session, const Given& given) {
  session.confirm("Void statement " + given.statement + " of " + session.app() + "? It keeps its number.");
  json::Writer body;
  body.object().field("reason", given.reason).end();
  print_one(session, post(session.api(), statement_path(session, id_of(session, given.statement), "/void"), body.take()));
  session.note("statement " + given.statement + " is void");
}

void credit(Session& session, const Given& given) {
  if (given.amount == 0) throw Failure(Exit::usage, "--amount is missing");
  json::Writer body;
  body.object().field("amount", given.amount).field("reason", given.reason).end();
  session.print(post(session.api(), session.app_path(session.app(), "/credits"), body.take()), kCredits);
  session.note("credit given to " + session.app() + "; its next statements use it up");
}

void add_reading(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("list", "List final and void statements, newest first")
      .alias("ls")
      .option("--month", "MONTH", given->month, "2026-10: only those of this month, of all applications")
      .number("--limit", given->limit, 1, 100'000, "At most this many (default 100)")
      .example("statement list --month 2026-10")
      .example("statement list --app acme -o csv")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show one statement, or the draft of a month, with its lines")
      .argument("STATEMENT", given->statement, "stm_…, the month of a final one, or draft", Fill::statement)
      .option("--month", "MONTH", given->month, "Of a draft: default this month, UTC")
      .word("--format", given->format, {"json", "csv", "html"}, "csv and html come as the customer gets them")
      .example("statement show draft --app acme")
      .example("statement show 2026-10 --app acme --format html")
      .run([given](Session& session) { show(session, *given); });
  noun.verb("credits", "List an application's credits")
      .example("statement credits --app acme")
      .run([](Session& session) { session.print(get(session.api(), session.app_path(session.app(), "/credits")), kCredits); });
}

void add_changing(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("finalize", "Make a month's statement final, under the next number")
      .required_option("--month", "MONTH", given->month, "2026-10; it must be over")
      .example("statement finalize --app acme --month 2026-10 --yes")
      .run([given](Session& session) { finalize(session, *given); });
  noun.verb("void", "Void a final statement; it keeps its number")
      .argument("STATEMENT", given->statement, "stm_…, or its month", Fill::statement)
      .required_option("--reason", "TEXT", given->reason, "Stands on it")
      .example("statement void 2026-10 --app acme --reason 'wrong plan' --yes")
      .run([given](Session& session) { make_void(session, *given); });
  noun.verb("credit", "Take an amount off an application's next statements")
      .number("--amount", given->amount, 1, 1'000'000'000'000, "In minor units of its currency")
      .required_option("--reason", "TEXT", given->reason, "Stands on the statements")
      .example("statement credit --app acme --amount 5000 --reason 'outage of 3 October'")
      .run([given](Session& session) { credit(session, *given); });
}

}  // namespace

void add_statements(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("statement", "What applications owe: statements and credits");
  noun.alias("statements");
  add_reading(noun, given);
  add_changing(noun, given);
  auto alert = line.noun("alert", "Marks of limits that applications passed");
  alert.alias("alerts");
  alert.verb("list", "List alerts, newest first")
      .alias("ls")
      .number("--limit", given->limit, 1, 100'000, "At most this many (default 100)")
      .example("alert list")
      .example("alert list --app acme")
      .run([given](Session& session) {
        Query query;
        if (!session.globals().app.empty()) query.emplace_back("app", session.globals().app);
        session.print(list_all(session.api(), "/operator/v1/alerts", "alerts", query, static_cast<std::size_t>(given->limit)), kAlerts);
      });
}

void export_usage(Session& session, const std::string& day) {
  const auto document = json::Document::parse(list_all(session.api(), "/operator/v1/usage", "events", {{"day", day}}));
  for (const auto& event : document.root().items()) session.print_text(event.raw() + "\n");
}

}  // namespace chat::cli
