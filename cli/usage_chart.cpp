#include <charconv>
#include <memory>

#include "cli/line/values.h"
#include "cli/nouns.h"
#include "cli/output/chart.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

const Sheet kHours{.columns = {{"HOUR", "hour", Look::time},
                               {"MESSAGES", "messages", Look::number},
                               {"API_CALLS", "api_calls", Look::number},
                               {"DELIVERIES", "deliveries", Look::number},
                               {"PUSH", "push", Look::number},
                               {"EGRESS_BYTES", "egress_bytes", Look::number},
                               {"WEBHOOK_DELIVERIES", "webhook_deliveries", Look::number}},
                   .name = "hour",
                   .rows = "hours"};

struct Given {
  std::string meter, month, day;
  bool hourly = false;
};

/// Where amounts over time come from, and how they are called.
struct Series {
  const char* path;
  const char* rows;
  const char* label;
  const char* title;
  const char* of;    // what of the answer they are of
  const char* per;
};
constexpr Series kDays{"/usage", "days", "day", "DAY", "month", " a day"};
constexpr Series kByHour{"/usage/hours", "hours", "hour", "HOUR", "day", " an hour"};

/// "09:00" of an hour's time; a day as it is.
std::string label_of(const std::string& at) {
  return at.size() > 16 && at[10] == 'T' ? at.substr(11, 5) : at;
}

/// A meter that a row does not name was not used then; nothing when none names it.
std::vector<Bar> bars_of(const json::Value& rows, const Series& series, const std::string& meter) {
  std::vector<Bar> out;
  bool is_noted = false;
  for (const auto& row : rows.items()) {
    const auto text = text_at(row, meter);
    is_noted = is_noted || !text.empty();
    Bar bar{.label = label_of(text_at(row, series.label))};
    std::from_chars(text.data(), text.data() + text.size(), bar.value);
    out.push_back(std::move(bar));
  }
  return is_noted ? out : std::vector<Bar>();
}

std::string fetch(Session& session, const Series& series, const Given& given) {
  if (!given.month.empty() && !is_month(given.month))
    throw Failure(Exit::usage, "--month " + given.month + " is no month; write 2026-11");
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.month.empty()) query.emplace_back("month", given.month);
  if (!given.day.empty()) query.emplace_back("day", given.day);
  const auto app = session.app();
  return get(session.api(), session.app_path(app, series.path), query);
}

void chart(Session& session, const Given& given) {
  if (!given.month.empty() && (given.hourly || !given.day.empty()))
    throw Failure(Exit::usage, "give --month, or --hours and --day");
  const auto& series = given.hourly || !given.day.empty() ? kByHour : kDays;
  const auto answer = fetch(session, series, given);
  const Sheet sheet{.columns = {{series.title, series.label}, {"VALUE", given.meter, Look::number}},
                    .name = series.label,
                    .rows = series.rows};
  if (session.format() != Format::table) return session.print(answer, sheet);
  const auto document = json::Document::parse(answer);
  const auto rows = find_at(document.root(), series.rows);
  const auto bars = rows ? bars_of(*rows, series, given.meter) : std::vector<Bar>();
  if (bars.empty())
    return session.note("no " + given.meter + " noted by the " + series.label + " in " + text_at(document.root(), series.of));
  session.print_text(bar_chart(bars, given.meter + series.per, session.chart_look()));
}

}  // namespace

void add_usage_chart(Noun& usage) {
  const auto given = std::make_shared<Given>();
  usage.verb("chart", "Draw usage over time: a month day by day, a day hour by hour")
      .word_argument("METER", given->meter,
                     {"messages", "api_calls", "deliveries", "active_users", "peak_connections", "push", "egress_bytes",
                      "webhook_deliveries", "campaign_recipients", "moderation_calls"},
                     "What to draw")
      .option("--month", "MONTH", given->month, "2026-11; default: this month, UTC")
      .option("--day", "DAY", given->day, "2026-11-21: this day, hour by hour")
      .flag("--hours", given->hourly, "Today, hour by hour")
      .detail("Bars of UTF-8 blocks where the locale has UTF-8, else of '#'. -o csv gives the numbers.")
      .watchable()
      .example("usage chart messages --app acme")
      .example("usage chart deliveries --app acme --month 2026-10 -o csv")
      .example("usage chart api_calls --app acme --hours")
      .run([given](Session& session) { chart(session, *given); });
  usage.verb("hours", "Show a day's usage hour by hour")
      .option("--day", "DAY", given->day, "2026-11-21; default: today, UTC")
      .watchable()
      .example("usage hours --app acme")
      .run([given](Session& session) {
        session.print_list(fetch(session, kByHour, *given), kHours, "nothing used on that day");
      });
}

}  // namespace chat::cli
