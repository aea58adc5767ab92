#include <charconv>
#include <memory>

#include "cli/line/values.h"
#include "cli/nouns.h"
#include "cli/output/chart.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

struct Given {
  std::string meter, month;
};

/// The days as bars; a meter that one day does not name was not used on it.
std::vector<Bar> bars_of(const json::Value& days, const std::string& meter) {
  std::vector<Bar> out;
  for (const auto& day : days.items()) {
    const auto text = text_at(day, meter);
    Bar bar{.label = text_at(day, "day")};
    std::from_chars(text.data(), text.data() + text.size(), bar.value);
    out.push_back(std::move(bar));
  }
  return out;
}

void show(Session& session, const Given& given) {
  if (!given.month.empty() && !is_month(given.month))
    throw Failure(Exit::usage, "--month " + given.month + " is no month; write 2026-11");
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.month.empty()) query.emplace_back("month", given.month);
  const auto app = session.app();
  const auto answer = get(session.api(), session.app_path(app, "/usage"), query);
  const Sheet sheet{.columns = {{"DAY", "day"}, {"VALUE", given.meter, Look::number}},
                    .name = "day",
                    .rows = "days"};
  if (session.format() != Format::table) return session.print(answer, sheet);
  const auto document = json::Document::parse(answer);
  const auto days = find_at(document.root(), "days");
  const auto bars = days ? bars_of(*days, given.meter) : std::vector<Bar>();
  if (bars.empty()) return session.note("nothing used in " + text_at(document.root(), "month"));
  session.print_text(bar_chart(bars, given.meter + " a day", session.chart_look()));
}

}  // namespace

void add_usage_chart(Noun& usage) {
  const auto given = std::make_shared<Given>();
  usage.verb("chart", "Draw a month's usage day by day")
      .word_argument("METER", given->meter,
                     {"messages", "api_calls", "deliveries", "active_users", "peak_connections"},
                     "What to draw")
      .option("--month", "MONTH", given->month, "2026-11; default: this month, UTC")
      .detail("Bars of UTF-8 blocks where the locale has UTF-8, else of '#'. -o csv gives the numbers.")
      .watchable()
      .example("usage chart messages --app acme")
      .example("usage chart deliveries --app acme --month 2026-10 -o csv")
      .run([given](Session& session) { show(session, *given); });
}

}  // namespace chat::cli
