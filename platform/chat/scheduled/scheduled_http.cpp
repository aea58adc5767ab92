#include "platform/chat/scheduled/scheduled_http.h"

#include "platform/base/error.h"
#include "platform/chat/scheduled/scheduled.h"
#include "tenants/auth.h"

namespace chat::scheduled {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

Response answer(int status, const Scheduled& scheduled) {
  json::Writer out;
  out.object().key("scheduled_message").raw(scheduled_json(scheduled)).end();
  return http::json(status, out.take());
}

ScheduledId id_of(const Request& request) { return request.id_part<ScheduledId>("scheduled_id", "scheduled message"); }

std::optional<Timestamp> read_time(json::Fields& body, Timestamp now) {
  auto send_at = body.find_time("send_at");
  if (send_at && (*send_at <= now || *send_at > now + kMaxAhead)) body.mistake("send_at", "Must be in the future, a year ahead at most.");
  return send_at;
}

Response schedule(const Services& services, const Request& request, Tx& tx) {
  const auto& caller = Caller::of(request);
  const auto now = services.clock.now();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto message = services.read_message(body, "message", caller.is_server());
  if (!message && !body.has("message")) body.mistake("message", "Required.");
  auto send_at = read_time(body, now);
  if (!send_at && !body.has("send_at")) body.mistake("send_at", "Required.");
  auto user = body.find_text("user_id");
  body.finish();
  services.check_message(caller, *message);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  return answer(201, schedule_message(tx, services.bus, opened, caller.is_server(), *message, *send_at, now));
}

Response update(const Services& services, const Request& request, Tx& tx) {
  const auto& caller = Caller::of(request);
  const auto now = services.clock.now();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Change change;
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    change.message = services.read_message(fields, "message", caller.is_server());
    change.send_at = read_time(fields, now);
    fields.check_unknown();
    body.absorb(fields);
  }
  auto user = body.find_text("user_id");
  body.finish();
  if (change.message) services.check_message(caller, *change.message);
  return answer(200, update_scheduled(tx, services.bus, caller.acting_user_or_none(user, "#/user_id"), id_of(request), change, now));
}

Response cancel(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  cancel_scheduled(tx, services.bus, Caller::of(request).acting_user_or_none(user, "query:user_id"), id_of(request), services.clock.now());
  return http::no_content();
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  auto page = list_scheduled(tx, Caller::of(request).acting_user(user, "query:user_id"), services.clock.now(), limit, next,
                             services.cursors);
  json::Writer out;
  out.object().key("scheduled_messages").array();
  for (const auto& scheduled : page.items) out.raw(scheduled_json(scheduled));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::post, "/v1/channels/{type}/{id}/scheduled_messages", "schedule_message", storage::Mode::write, schedule);
  route(Method::get, "/v1/scheduled_messages", "list_scheduled_messages", storage::Mode::read, list);
  route(Method::patch, "/v1/scheduled_messages/{scheduled_id}", "update_scheduled_message", storage::Mode::write, update);
  route(Method::del, "/v1/scheduled_messages/{scheduled_id}", "cancel_scheduled_message", storage::Mode::write, cancel);
}

}  // namespace chat::scheduled
