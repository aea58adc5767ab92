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

constexpr const char* kNoTeam = "-";

struct Given {
  std::string month;
  std::string team;
  bool days = false;
};

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
  add_usage_chart(noun);
}

}  // namespace chat::cli
