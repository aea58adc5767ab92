#include "platform/chat/sync/sync_http.h"

#include "platform/base/json.h"
#include "platform/chat/sync/sync.h"
#include "tenants/auth.h"

namespace chat::sync {
namespace {

http::Response answer(const Services& services, const http::Request& request, storage::Transaction& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto asked = realtime::read_sync_ask(body, kMaxKnown);
  const int limit = static_cast<int>(body.find_integer("limit", {1, kPage}).value_or(kPage));
  auto user = body.find_text("user_id");
  body.finish();
  const auto user_id = tenants::Caller::of(request).acting_user(user, "#/user_id");
  return http::json(200, synced_json(sync(tx, user_id, asked, limit, services.cursors)));
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/sync", .operation = "sync_channels", .mode = storage::Mode::write, .max_body_bytes = 128 * 1024,
              .handler = [services](const http::Request& request, storage::Transaction& tx) { return answer(services, request, tx); },
              .rate_class = "read"});
}

}  // namespace chat::sync
