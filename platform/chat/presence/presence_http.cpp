#include "platform/chat/presence/presence_http.h"

#include "platform/base/json.h"
#include "tenants/auth.h"

namespace chat::presence {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

Response type(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  realtime::Typing typing;
  typing.cid = request.part("type") + ":" + request.part("id");
  typing.stops = !body.find_boolean("typing").value_or(true);
  typing.parent_id = body.find_text("parent_id", {.min_bytes = 1, .max_bytes = 64}).value_or("");
  auto user = body.find_text("user_id");
  body.finish();
  const auto user_id = Caller::of(request).acting_user(user, "#/user_id");
  if (services.typists.due(tx.app(), user_id, typing)) services.typists.start(tx, user_id, typing);
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::post, "/v1/channels/{type}/{id}/typing", "tell_typing", storage::Mode::write, type);
}

}  // namespace chat::presence
