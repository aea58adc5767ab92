#include <memory>

#include "cli/line/values.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/plans.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

const Sheet kMeters{.columns = {{"METER", "meter"},
                                {"WINDOW", "window"},
                                {"USED", "value", Look::number},
                                {"INCLUDED", "included", Look::number},
                                {"HARD", "hard", Look::number},
                                {"ACTION", "action"},
                                {"STATE", "state", Look::state}},
                    .name = "meter",
                    .rows = "meters"};
const Sheet kDays{.columns = {{"DAY", "day"},
                              {"MESSAGES", "messages", Look::number},
                              {"API_CALLS", "api_calls", Look::number},
                              {"DELIVERIES", "deliveries", Look::number},
                              {"ACTIVE_USERS", "active_users", Look::number},
                              {"PEAK_CONNECTIONS", "peak_connections", Look::number}},
                  .name = "day",
                  .rows = "days"};

const Sheet kRecounted{.columns = {{"METER", "meter"},
                                   {"LEDGER", "ledger", Look::number},
                                   {"ROWS", "rows", Look::number},
                                   {"DIFFERENCE", "difference", Look::number},
                                   {"COMPLETE", "complete"}},
                       .name = "meter",
                       .rows = "meters"};

constexpr const char* kNoTeam = "-";

struct Given {
  std::string month;
  std::string team;
  bool days = false;
};

struct Reconciled {
  std::string app;
  std::string day;
};

/// A difference is a failure, so that a job can watch the exit code.
void reconcile(Session& session, const Reconciled& given) {
  if (!is_day(given.day)) throw Failure(Exit::usage, "--day " + given.day + " is no day; write 2026-11-21");
  const auto answer = get(session.api(), session.app_path(session.app(given.app), "/usage/recount"), {{"day", given.day}});
  session.print(answer, kRecounted);
  const auto difference = json::Document::parse(answer).root().find("difference")->integer();
  if (difference != 0)
    throw Failure(Exit::failure, "the ledger of " + given.day + " and its rows differ by " + std::to_string(difference))
        .with_next("a day that goes on, or whose flush is under way, may settle: try again in a minute");
  session.note("difference 0: every complete meter of " + given.day + " is what its rows say");
}

void show(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.month.empty()) {
    if (!is_month(given.month))
      throw Failure(Exit::usage, "--month " + given.month + " is no month; write 2026-11");
    query.emplace_back("month", given.month);
  }
  if (!given.team.empty()) query.emplace_back("team", given.team == kNoTeam ? "" : given.team);
  const auto answer = get(session.api(), session.app_path(session.app(), "/usage"), query);
  const auto document = json::Document::parse(answer);
  if (session.format() == Format::table)
    session.note("usage in " + text_at(document.root(), "month") + " (UTC), plan " +
                 text_at(document.root(), "plan"));
  session.print(answer, given.days ? kDays : kMeters);
}

}  // namespace

void add_usage(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("usage", "What an application has used, and of how much");
  noun.verb("show", "Show a month's usage against the plan's limits")
      .option("--month", "MONTH", given->month, "2026-11; default: this month, UTC")
      .option("--team", "TEAM", given->team, "Only what this team has used; - is what belongs to no team")
      .flag("--days", given->days, "Day by day instead of meter by meter (table, csv, name)")
      .example("usage show --app acme")
      .example("usage show --app acme --month 2026-10 --days -o csv")
      .example("usage show --app acme --team red")
      .watchable()
      .run([given](Session& session) { show(session, *given); });
  const auto day = std::make_shared<std::string>();
  noun.verb("export", "Print a day's usage of all applications as CloudEvents 1.0, one to a line")
      .required_option("--day", "DAY", *day, "2026-10-31; it must be over (UTC)")
      .example("usage export --day 2026-10-31")
      .run([day](Session& session) { export_usage(session, *day); });
  const auto again = std::make_shared<Reconciled>();
  noun.verb("reconcile", "Count a day again from its rows and show where the ledger differs")
      .optional_argument("APP", again->app, "app_id or exact name; default: --app", Fill::application)
      .required_option("--day", "DAY", again->day, "As 2026-11-21, UTC")
      .detail("Messages, users, files, webhooks' attempts and campaigns' recipients; of the rest what was noted when it was counted (kept "
              "seven days). A meter that is not complete has lost rows for good and is left out of the difference. Ends with code 1 "
              "when there is one.")
      .example("usage reconcile acme --day 2026-11-21")
      .run([again](Session& session) { reconcile(session, *again); });
  add_usage_chart(noun);
}

}  // namespace chat::cli
