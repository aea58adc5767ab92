#include "platform/base/json.h"
#include "platform/chat/moderation/moderation_http.h"
#include "platform/chat/moderation/settings.h"
#include "tenants/own_audit.h"

namespace chat::moderation {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

Response show(const Settings& settings) {
  json::Writer out;
  out.object().key("settings").raw(settings_json(settings)).end();
  return http::json(200, out.take());
}

Response show_settings(const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(get_settings(tx));
}

Response list_reasons(const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("reasons").array();
  for (const auto& one : get_settings(tx).reasons) out.text(one.reason);
  out.end().end();
  return http::json(200, out.take());
}

Response change_settings(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  tenants::hold_setup(tx);                     // what is not given stays as it is now
  auto settings = get_settings(tx);
  const std::string before = settings_json(settings);
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    read_settings(fields, settings);
    fields.check_unknown();
    body.absorb(fields);
  }
  unset_settings(body, body.find_texts("unset", 10, {.min_bytes = 1}).value_or(std::vector<std::string>{}), settings);
  body.finish();
  const auto now = services.clock.now();
  put_settings(tx, settings, now);
  tenants::note_own_change(tx, request, "moderation_settings.update", "moderation", before, settings_json(settings), now);
  return show(settings);
}

}  // namespace

void add_settings_routes(http::Router& router, const Services& services) {
  router.add({.method = Method::get, .pattern = "/v1/moderation/settings", .operation = "get_moderation_settings", .access = Access::server,
              .mode = storage::Mode::read, .handler = show_settings});
  router.add({.method = Method::patch, .pattern = "/v1/moderation/settings", .operation = "update_moderation_settings", .access = Access::server,
              .handler = [services](const Request& request, Tx& tx) { return change_settings(services, request, tx); }});
  router.add({.method = Method::get, .pattern = "/v1/moderation/reasons", .operation = "list_moderation_reasons", .mode = storage::Mode::read,
              .handler = list_reasons});
}

}  // namespace chat::moderation
