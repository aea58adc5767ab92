#include "platform/base/error.h"
#include "platform/chat/moderation/log.sql.h"
#include "platform/chat/moderation/rows.h"

namespace chat::moderation {

storage::Page<Count> count_stats(storage::Transaction& tx, const Reviewer& reviewer, const StatsAsk& ask, const storage::Cursors& cursors) {
  if (!reviewer.whole) throw forbidden("Only the application's moderators see its statistics.");
  const auto from = parse_time(ask.from + "T00:00:00Z"), to = parse_time(ask.to + "T00:00:00Z");
  if (!from) throw invalid_field("query:from", "Must be a day: 2026-11-28.");
  if (!to) throw invalid_field("query:to", "Must be a day: 2026-11-28.");
  if (*to < *from || *to - *from >= std::chrono::days(kMaxStatsDays)) throw invalid_field("query:to", "Must be at most 92 days from the first.");
  const std::string scope = tx.app().text() + "|moderation_stats|" + ask.from + "|" + ask.to + "|" + ask.by;
  std::optional<std::string> day, value;
  if (ask.cursor) {
    const auto position = cursors.open(scope, *ask.cursor, "query:next");
    day = position.at(0);
    value = position.at(1);
  }
  auto rows = tx.query(sql::stats, tx.app(), day_of(*from), day_of(*to + std::chrono::days(1)), ask.by, day, value, ask.limit + 1);
  storage::Page<Count> page;
  for (int i = 0; i < rows.size() && i < ask.limit; ++i) {
    Count one{std::string(rows[i].text(0)), std::string(rows[i].text(1)), rows[i].integer(2), std::nullopt};
    if (!rows[i].is_null(3)) one.median_seconds = std::stod(std::string(rows[i].text(3)));
    page.items.push_back(std::move(one));
  }
  if (rows.size() > ask.limit) page.next = cursors.seal(scope, {page.items.back().day, page.items.back().value});
  return page;
}

}  // namespace chat::moderation
