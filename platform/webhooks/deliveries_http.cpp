#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/webhooks/deliveries.h"
#include "platform/webhooks/webhooks_http.h"

namespace chat::webhooks {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr const char* kTestEvent = "webhook.test";

Endpoint endpoint_of(const Services& services, const Request& request, Tx& tx) {
  return get_endpoint(tx, services.keeper, request.id_part<EndpointId>("endpoint_id", "webhook endpoint"));
}
EventId event_of(const Request& request) { return request.id_part<EventId>("event_id", "delivery"); }

Response show(int status, const Delivery& delivery) {
  json::Writer out;
  out.object().key("delivery").raw(delivery_json(delivery)).end();
  return http::json(status, out.take());
}

std::optional<Timestamp> find_time(http::Query& query, const char* name, std::vector<FieldError>& mistakes) {
  const auto text = query.find_text(name, 64);
  if (!text) return std::nullopt;
  auto at = parse_time(*text);
  if (!at) mistakes.push_back({std::string("query:") + name, "Must be a time: 2026-11-21T12:00:00Z."});
  return at;
}

void refuse(std::vector<FieldError> mistakes) {
  if (!mistakes.empty()) throw Error(Code::invalid_field, "Some fields are not as they must be.", std::move(mistakes));
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  std::vector<FieldError> mistakes;
  DeliveryFilter filter;
  filter.state = query.find_word("state", {"pending", "succeeded", "failed", "skipped"});
  filter.type = query.find_text("type", 100);
  filter.since = find_time(query, "since", mistakes);
  filter.until = find_time(query, "until", mistakes);
  const auto limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 2048);
  query.finish();
  refuse(std::move(mistakes));
  const auto page = list_deliveries(tx, endpoint_of(services, request, tx).id, filter, limit, next, services.cursors);
  json::Writer out;
  out.object().key("deliveries").array();
  for (const auto& delivery : page.items) out.raw(delivery_json(delivery));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response get(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto endpoint = endpoint_of(services, request, tx).id;
  json::Writer out;
  out.object().key("delivery").raw(delivery_json(get_delivery(tx, endpoint, event_of(request)))).key("attempts").array();
  for (const auto& attempt : list_attempts(tx, endpoint, event_of(request))) out.raw(attempt_json(attempt));
  out.end().end();
  return http::json(200, out.take());
}

Response logs(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  std::vector<FieldError> mistakes;
  LogFilter filter;
  if (const auto endpoint = query.find_text("endpoint_id", 64)) {
    filter.endpoint = EndpointId::parse(*endpoint);
    if (!filter.endpoint) mistakes.push_back({"query:endpoint_id", "Must be a webhook endpoint's id."});
  }
  filter.type = query.find_text("type", 100);
  filter.outcome = query.find_text("outcome", 32);
  filter.since = find_time(query, "since", mistakes);
  filter.until = find_time(query, "until", mistakes);
  const auto limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 2048);
  query.finish();
  refuse(std::move(mistakes));
  const auto page = list_logs(tx, filter, limit, next, services.cursors);
  json::Writer out;
  out.object().key("webhook_logs").array();
  for (const auto& attempt : page.items) out.raw(attempt_json(attempt));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response replay_one(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(202, replay_delivery(tx, endpoint_of(services, request, tx), event_of(request), services.clock.now()));
}

Response replay(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto now = services.clock.now();
  Range range;
  range.which = body.find_word("which", {"failed", "missed", "all"}).value_or("failed");
  range.since = body.find_time("since");
  range.until = body.find_time("until");
  if (range.since.value_or(now - kKept) >= range.until.value_or(now)) body.mistake("until", "Must be later than since.");
  const auto next = body.find_text("next", {.min_bytes = 1, .max_bytes = 2048});
  body.finish();
  const auto replayed = replay_range(tx, endpoint_of(services, request, tx), range, next, services.cursors, now);
  json::Writer out;
  out.object().field("replayed", replayed.count).key("complete").boolean(!replayed.next).optional_field("next", replayed.next).end();
  return http::json(202, out.take());
}

Response test(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto type = body.find_text("type", {.min_bytes = 1, .max_bytes = 100}).value_or(kTestEvent);
  const auto frame = services.example(type);
  if (!frame) body.mistake("type", "No such event.");
  body.finish();
  return show(202, send_test(tx, endpoint_of(services, request, tx), type, *frame, services.clock.now()));
}

}  // namespace

void add_delivery_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                   storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/webhooks") + pattern, .operation = operation, .access = http::Access::server,
                .mode = mode, .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/endpoints/{endpoint_id}/deliveries", "list_webhook_deliveries", list, storage::Mode::read);
  route(Method::get, "/endpoints/{endpoint_id}/deliveries/{event_id}", "get_webhook_delivery", get, storage::Mode::read);
  route(Method::post, "/endpoints/{endpoint_id}/deliveries/{event_id}/replay", "replay_webhook_delivery", replay_one);
  route(Method::post, "/endpoints/{endpoint_id}/replay", "replay_webhook_deliveries", replay);
  route(Method::post, "/endpoints/{endpoint_id}/test", "test_webhook_endpoint", test);
  route(Method::get, "/logs", "list_webhook_logs", logs, storage::Mode::read);
}

}  // namespace chat::webhooks
