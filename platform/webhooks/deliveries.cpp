#include "platform/webhooks/deliveries.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/webhooks/call.h"
#include "platform/webhooks/deliveries.sql.h"

namespace chat::webhooks {
namespace {

const Timestamp kNever = Timestamp(std::chrono::microseconds(4'102'444'800'000'000));   // 2100

Delivery read_delivery(EndpointId endpoint, const storage::Row& row) {
  return {EventId{row.uuid(0)},       endpoint,      std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3)), row.integer(4),
          row.optional_time(5), row.optional_time(6), row.time(7)};
}

Attempt read_attempt(const storage::Row& row) {
  Attempt attempt;
  attempt.endpoint = EndpointId{row.uuid(0)};
  attempt.event = EventId{row.uuid(1)};
  attempt.attempt = row.integer(2);
  attempt.trigger = row.text(3);
  attempt.type = row.text(4);
  attempt.outcome = row.text(5);
  attempt.status = row.optional_integer(6);
  attempt.duration_us = row.integer(7);
  attempt.response_headers = row.text(8);
  attempt.response_body = row.text(9);
  attempt.is_cut = row.boolean(10);
  attempt.started_at = row.time(11);
  attempt.next_at = row.optional_time(12);
  return attempt;
}

/// What is wanted of the rows that were read. The next page begins behind the last one shown, or behind the last one read.
template <class T, class Read, class Seal>
storage::Page<T> page_of(const storage::Rows& rows, int limit, int column, const Read& read, const Seal& seal) {
  storage::Page<T> page;
  for (int i = 0; i < rows.size(); ++i) {
    const bool is_wanted = rows[i].boolean(column);
    if (is_wanted && static_cast<int>(page.items.size()) == limit) {
      page.next = seal(page.items.back());
      break;
    }
    T item = read(rows[i]);
    if (rows[i].integer(column + 1) == kMaxRead) page.next = seal(item);
    if (is_wanted) page.items.push_back(std::move(item));
  }
  return page;
}

/// What an outcome means, for the customer.
std::string_view explain(const Attempt& attempt) {
  const auto& outcome = attempt.outcome;
  if (outcome == "succeeded") return "The endpoint took it.";
  if (outcome == "redirected") return "The endpoint answered with a redirect, which is not followed.";
  if (outcome == "throttled") return "The endpoint asked for a slower pace.";
  if (outcome == "gone") return "The endpoint answered 410: it was disabled.";
  if (outcome == "http_error") return "The endpoint answered with another status than 2xx.";
  if (outcome == kKeyUnreadable) return "The endpoint's key or headers can't be read here; rotate the key and set the headers again.";
  if (outcome == "event_gone") return "What the event told of is no longer stored.";
  for (auto known = outbound::Outcome::answered; known <= outbound::Outcome::stopped; known = static_cast<outbound::Outcome>(static_cast<int>(known) + 1))
    if (outbound::word(known) == outcome) return outbound::explain(known);
  return "";
}

void check_may_replay(const Endpoint& endpoint) {
  if (endpoint.state == "disabled") throw Error(Code::conflict, "This endpoint is disabled; resume it first.");
}

}  // namespace

std::string delivery_json(const Delivery& delivery) {
  json::Writer out;
  out.object().field("event_id", delivery.event.wire()).field("endpoint_id", delivery.endpoint.wire()).field("type", delivery.type)
      .field("state", delivery.state).field("trigger", delivery.trigger).field("attempts", delivery.attempts)
      .optional_time("due_at", delivery.due_at).optional_time("ended_at", delivery.ended_at).key("created_at").time(delivery.created_at).end();
  return out.take();
}

std::string attempt_json(const Attempt& attempt) {
  json::Writer out;
  out.object().field("event_id", attempt.event.wire()).field("endpoint_id", attempt.endpoint.wire()).field("attempt", attempt.attempt)
      .field("trigger", attempt.trigger).field("type", attempt.type).field("outcome", attempt.outcome).field("detail", explain(attempt));
  if (attempt.status) out.field("status", *attempt.status);
  out.field("duration_ms", attempt.duration_us / 1'000).key("response_headers").raw(attempt.response_headers)
      .field("response_body", attempt.response_body).key("response_cut").boolean(attempt.is_cut).key("started_at").time(attempt.started_at)
      .optional_time("next_at", attempt.next_at).end();
  return out.take();
}

storage::Page<Delivery> list_deliveries(storage::Transaction& tx, EndpointId endpoint, const DeliveryFilter& filter, int limit,
                                        const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|deliveries|" + endpoint.text() + "|" + filter.state.value_or("") + "|" + filter.type.value_or("") +
                            "|" + (filter.since ? format_time(*filter.since) : "") + "|" + (filter.until ? format_time(*filter.until) : "");
  const Uuid end = first_uuid7_at(filter.until.value_or(kNever));
  std::string below = end.text();
  if (cursor) below = cursors.open(scope, *cursor, "query:next").at(0);
  const bool has_failed = filter.state == "failed" || filter.state == "skipped";
  auto rows = tx.query(has_failed ? sql::list_ended : sql::list_deliveries, tx.app(), endpoint, filter.state, filter.type,
                       first_uuid7_at(filter.since.value_or(Timestamp{})), end, below, limit + 1, kMaxRead);
  return page_of<Delivery>(rows, limit, 8, [&](const storage::Row& row) { return read_delivery(endpoint, row); },
                           [&](const Delivery& last) { return cursors.seal(scope, {last.event.text()}); });
}

Delivery get_delivery(storage::Transaction& tx, EndpointId endpoint, EventId event) {
  auto rows = tx.find(sql::get_delivery, tx.app(), endpoint, event);
  if (!rows) throw not_found("delivery");
  return read_delivery(endpoint, (*rows)[0]);
}

std::vector<Attempt> list_attempts(storage::Transaction& tx, EndpointId endpoint, EventId event) {
  std::vector<Attempt> attempts;
  auto rows = tx.query(sql::list_attempts, tx.app(), endpoint, event);
  for (auto row : rows) attempts.push_back(read_attempt(row));
  return attempts;
}

storage::Page<Attempt> list_logs(storage::Transaction& tx, const LogFilter& filter, int limit, const std::optional<std::string>& cursor,
                                 const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|webhook_logs|" + (filter.endpoint ? filter.endpoint->text() : "") + "|" + filter.type.value_or("") +
                            "|" + filter.outcome.value_or("") + "|" + (filter.since ? format_time(*filter.since) : "") + "|" +
                            (filter.until ? format_time(*filter.until) : "");
  const auto until = filter.until.value_or(kNever);
  std::vector<std::string> place{format_time(until), Uuid{}.text(), Uuid{}.text(), "0"};
  if (cursor) place = cursors.open(scope, *cursor, "query:next");
  const bool has_failed = filter.outcome && *filter.outcome != "succeeded";
  auto rows = tx.query(has_failed ? sql::list_failed_logs : sql::list_logs, tx.app(), filter.endpoint, filter.type, filter.outcome, filter.since.value_or(Timestamp{}),
                       until, place.at(0), place.at(1), place.at(2), place.at(3), limit + 1, kMaxRead);
  return page_of<Attempt>(rows, limit, 13, read_attempt, [&](const Attempt& last) {
    return cursors.seal(scope, {format_time(last.started_at), last.endpoint.text(), last.event.text(), std::to_string(last.attempt)});
  });
}

Delivery replay_delivery(storage::Transaction& tx, const Endpoint& endpoint, EventId event, Timestamp now) {
  check_may_replay(endpoint);
  const bool done = tx.run(sql::replay_delivery, tx.app(), endpoint.id, event, now) > 0;
  auto delivery = get_delivery(tx, endpoint.id, event);
  if (!done) throw Error(Code::conflict, delivery.state == "pending" ? "This delivery is on its way already." : "The content of this event was erased.");
  return delivery;
}

Replayed replay_range(storage::Transaction& tx, const Endpoint& endpoint, const Range& range, const std::optional<std::string>& cursor,
                      const storage::Cursors& cursors, Timestamp now) {
  check_may_replay(endpoint);
  const std::string scope = tx.app().text() + "|replay|" + endpoint.id.text() + "|" + range.which + "|" + (range.since ? format_time(*range.since) : "") +
                            "|" + (range.until ? format_time(*range.until) : "");
  std::vector<std::string> place{first_uuid7_at(range.since.value_or(now - kKept)).text(), first_uuid7_at(range.until.value_or(now)).text()};
  if (cursor) place = cursors.open(scope, *cursor);
  const auto state = range.which == "all" ? std::nullopt : std::optional<std::string>(range.which == "missed" ? "skipped" : "failed");
  const auto rows = tx.query(state ? sql::replay_ended : sql::replay_all, tx.app(), endpoint.id, state, place.at(0), place.at(1), now, kMaxReplayed);
  Replayed replayed{rows[0].integer(0), {}};
  if (replayed.count == kMaxReplayed) replayed.next = cursors.seal(scope, {rows[0].uuid(1).text(), place[1]});
  return replayed;
}

Delivery send_test(storage::Transaction& tx, const Endpoint& endpoint, const std::string& type, const std::string& frame, Timestamp now) {
  if (endpoint.state != "active") throw Error(Code::conflict, "This endpoint is " + endpoint.state + "; resume it first.");
  const auto event = EventId::make(now);
  tx.run(sql::insert_test, tx.app(), endpoint.id, event, type, frame, now);
  return get_delivery(tx, endpoint.id, event);
}

std::optional<std::pair<Uuid, Uuid>> sweep_webhooks(storage::Transaction& tx, const std::pair<Uuid, Uuid>& after) {
  const auto rows = tx.query(sql::sweep_webhooks, kMaxSwept, after.first, after.second, kMaxSweptEndpoints);
  const auto app = rows[0].optional_uuid(1);
  return app ? std::optional<std::pair<Uuid, Uuid>>({*app, rows[0].uuid(2)}) : std::nullopt;
}

}  // namespace chat::webhooks
