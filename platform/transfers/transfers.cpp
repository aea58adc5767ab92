#include "platform/transfers/transfers.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/transfers/transfers.sql.h"
#include "tenants/applications.h"

namespace chat::transfers {
namespace {

constexpr int kRows = 200;                     // of a slice

Error not_suspended() {
  return Error(Code::conflict, "Suspend the application first: its file must show one moment, and what changes meanwhile would be missing.");
}

/// How far a task has come.
struct Place {
  std::size_t table = 0;
  std::string after;                           // a row of it; "": none yet
  std::int64_t rows = 0;
  std::string since;                           // when the application was last changed: by then it must have been left alone
};

Place parse_place(const std::string& state) {
  const auto document = json::Document::parse(state);
  json::Fields fields(document.root());
  Place place;
  place.table = static_cast<std::size_t>(fields.integer("table"));
  place.after = fields.text("after", {.max_bytes = 64 * 1024});
  place.rows = fields.integer("rows");
  place.since = fields.text("since");
  fields.finish();
  return place;
}

std::string state_of(const Place& place) {
  json::Writer out;
  out.object().field("table", static_cast<std::int64_t>(place.table)).field("after", place.after).field("rows", place.rows).field("since", place.since).end();
  return out.take();
}

tasks::Step failed(std::string why) {
  tasks::Step step;
  step.failed = std::move(why);
  return step;
}

std::string header_line(const storage::Row& row, AppId app, Timestamp now) {
  json::Writer out;
  out.object()
      .field("format", "chatd-application")
      .field("version", std::int64_t{1})
      .field("schema", row.integer(4))
      .field("app_id", app.wire())
      .field("name", row.text(0))
      .field("plan", row.text(1))
      .key("created_at").time(row.time(3))
      .key("exported_at").time(now)
      .end();
  return out.take();
}

std::string last_line(std::int64_t rows) {
  json::Writer out;
  out.object().key("end").boolean(true).field("rows", rows).end();
  return out.take();
}

}  // namespace

tasks::Task start_export(storage::Transaction& tx, AppId app, Timestamp now) {
  const auto application = tenants::get_application(tx, app);
  if (application.status != tenants::Status::suspended) throw not_suspended();
  return tasks::start_task(tx, std::string(kExportApplication), "{}", tasks::kOperator, now);
}

tasks::Step export_slice(storage::Transaction& tx, const tasks::Slice& slice, const Rules& rules) {
  const auto found = tx.find(sql::exported_application, tx.app());
  if (!found || (*found)[0].text(2) != "suspended") return failed("The application was resumed or deleted meanwhile.");
  const auto changed = (*found)[0].time(5);
  tasks::Step step;
  Place place;
  if (!slice.state.empty()) {
    place = parse_place(slice.state);
    if (place.since != format_time(changed)) return failed("The application was changed meanwhile; its file would not show one moment.");
  } else if (const auto left = changed + rules.settle - slice.now; left > left.zero()) {
    step.wait = std::chrono::ceil<std::chrono::seconds>(left);
    return step;
  } else {
    place.since = format_time(changed);
    step.lines.push_back(header_line((*found)[0], tx.app(), slice.now));
  }
  const auto tables = tx.query(sql::transferred_tables);
  const auto count = static_cast<std::size_t>(tables.size());
  if (place.table < count) {
    const auto rows = tx.query(sql::export_lines, tables[static_cast<int>(place.table)].text(0), place.after, kRows);
    for (const auto row : rows) {
      place.after = row.text(0);
      step.lines.emplace_back(row.text(1));
    }
    place.rows += rows.size();
    if (rows.size() < kRows) place = {place.table + 1, "", place.rows, place.since};
  }
  step.finished = place.table == count;
  if (step.finished) step.lines.push_back(last_line(place.rows));
  step.items = static_cast<std::int64_t>(step.lines.size());
  step.state = state_of(place);
  return step;
}

}  // namespace chat::transfers
