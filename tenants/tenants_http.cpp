#include "tenants/tenants_http.h"

#include "platform/base/json.h"
#include "tenants/applications.h"
#include "tenants/auth.h"

namespace chat::tenants {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;

Response show_app(const Request& request, storage::Transaction& tx) {
  const auto& caller = Caller::of(request);
  json::Writer out;
  out.object().key("application").raw(application_json(get_application(tx, caller.app()))).end();
  return http::json(200, out.take());
}

Response revoke_all(const Services& services, const Request& request, storage::Transaction& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto before = body.find_time("before");
  body.finish();
  revoke_application_tokens(tx, services.bus, Caller::of(request).app(), before.value_or(services.clock.now()));
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  router.add({.method = Method::get, .pattern = "/v1/app", .operation = "get_app", .access = Access::server,
              .mode = storage::Mode::read, .handler = show_app});
  router.add({.method = Method::post, .pattern = "/v1/app/revoke_tokens", .operation = "revoke_application_tokens",
              .access = Access::server,
              .handler = [services](const Request& request, storage::Transaction& tx) {
                return revoke_all(services, request, tx);
              }});
}

}  // namespace chat::tenants
