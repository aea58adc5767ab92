#include "platform/chat/pending/pending_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/pending/pending.h"
#include "tenants/auth.h"

namespace chat::pending {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

PendingId pending_of(const Request& request) { return request.id_part<PendingId>("pending_id", "pending message"); }

channels::Opened open_for(const Request& request, Tx& tx, const std::optional<std::string>& user, const char* pointer) {
  const auto& caller = Caller::of(request);
  return channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, pointer));
}

Response show(const Pending& pending, int status) {
  json::Writer out;
  out.object().key("pending_message").raw(pending_json(pending)).end();
  return http::json(status, out.take());
}

Response show(const storage::Page<Pending>& page, bool with_findings) {
  json::Writer out;
  out.object().key("pending_messages").array();
  for (const auto& pending : page.items) out.raw(pending_json(pending, with_findings));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response approve(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, user, "#/user_id");
  auto pending = approve_message(tx, opened, pending_of(request), services.clock.now());
  return show(pending, 202);
}

Response reject(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto reason = body.find_text("reason", {.min_bytes = 1, .max_bytes = kMaxReasonBytes});
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, user, "#/user_id");
  return show(reject_message(tx, services.bus, opened, pending_of(request), reason, services.clock.now()), 200);
}

struct Wanted {
  int limit = 25;
  std::optional<std::string> next, user;
};
Wanted read_wanted(const Request& request) {
  http::Query query(request);
  Wanted wanted{static_cast<int>(query.integer("limit", 25, 1, 100)), query.find_text("next", 1024), query.find_text("user_id")};
  query.finish();
  return wanted;
}

Response list_channel(const Services& services, const Request& request, Tx& tx) {
  const auto wanted = read_wanted(request);
  auto opened = open_for(request, tx, wanted.user, "query:user_id");
  return show(list_of_channel(tx, opened, wanted.limit, wanted.next, services.cursors), true);
}

Response list_own(const Services& services, const Request& request, Tx& tx) {
  const auto wanted = read_wanted(request);
  return show(list_of_user(tx, Caller::of(request).acting_user(wanted.user, "query:user_id"), wanted.limit, wanted.next, services.cursors), false);
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  const char* const one = "/v1/channels/{type}/{id}/pending_messages/{pending_id}";
  route(Method::get, "/v1/channels/{type}/{id}/pending_messages", "list_channel_pending_messages", storage::Mode::read, list_channel);
  route(Method::get, "/v1/pending_messages", "list_pending_messages", storage::Mode::read, list_own);
  route(Method::post, (std::string(one) + "/approve").c_str(), "approve_message", storage::Mode::write, approve);
  route(Method::post, (std::string(one) + "/reject").c_str(), "reject_message", storage::Mode::write, reject);
}

}  // namespace chat::pending
