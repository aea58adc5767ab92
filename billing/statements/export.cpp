#include "billing/statements/statements.h"
#include "billing/statements/statements.sql.h"
#include "platform/base/error.h"

namespace chat::statements {
namespace {

/// Source: CloudEvents 1.0, JSON format. The id says what is counted, so that a system that takes an event twice counts it once.
std::string cloud_event(AppId app, std::string_view meter, const std::string& day, std::int64_t value) {
  const auto end = *parse_time(day + "T00:00:00Z") + std::chrono::hours(24);
  json::Writer out;
  out.object().field("specversion", "1.0").field("type", "chat.usage.day").field("source", "chatd")
      .field("id", app.wire() + ":" + std::string(meter) + ":" + day).field("subject", app.wire()).key("time").time(end)
      .field("datacontenttype", "application/json").key("data").object().field("meter", meter).field("day", day).field("value", value).end().end();
  return out.take();
}

}  // namespace

Exported export_usage(storage::Transaction& tx, const std::string& day, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = "operator|usage|" + day;
  std::optional<std::string> after_app, after_meter;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_app = position.at(0);
    after_meter = position.at(1);
  }
  const auto rows = tx.query(sql::export_usage, day, after_app, after_meter, limit + 1);
  Exported exported;
  for (int i = 0; i < rows.size() && i < limit; ++i) exported.events.push_back(cloud_event(AppId{rows[i].uuid(0)}, rows[i].text(1), day, rows[i].integer(2)));
  if (rows.size() > limit) exported.next = cursors.seal(scope, {AppId{rows[limit - 1].uuid(0)}.text(), std::string(rows[limit - 1].text(1))});
  return exported;
}

}  // namespace chat::statements
