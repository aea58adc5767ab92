#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/webhooks/endpoint_form.h"
#include "platform/webhooks/webhooks_http.h"

namespace chat::webhooks {
namespace {

using http::Method;
using http::Request;
using http::Response;
using webhook::Scheme;
using Tx = storage::Transaction;

constexpr std::int64_t kDayS = 86'400;

EndpointId endpoint_of(const Request& request) { return request.id_part<EndpointId>("endpoint_id", "webhook endpoint"); }

Response show(int status, const Endpoint& endpoint, const std::string& secret = "") {
  json::Writer out;
  out.object().key("webhook_endpoint").raw(endpoint_json(endpoint));
  if (!secret.empty()) out.field("secret", secret);
  out.end();
  return http::json(status, out.take());
}

std::optional<Scheme> find_scheme(json::Fields& body) {
  const auto word = body.find_word("signature", {"v1", "v1a"});
  return word ? std::optional<Scheme>(*word == "v1" ? Scheme::v1 : Scheme::v1a) : std::nullopt;
}

std::string object_of(const Endpoint& endpoint) { return "webhook_endpoint:" + endpoint.id.wire(); }

void note(const Services& services, Tx& tx, const Request& request, const char* verb, const std::optional<Endpoint>& before,
          const std::optional<Endpoint>& after) {
  const auto json_of = [](const std::optional<Endpoint>& one) { return one ? std::optional<std::string>(endpoint_json(*one)) : std::nullopt; };
  services.note(tx, request, std::string("webhook_endpoint.") + verb, object_of(after ? *after : *before), json_of(before), json_of(after));
}

/// As it is, and held until the commit.
Endpoint hold(const Services& services, const Request& request, Tx& tx) {
  lock_endpoints(tx);
  return get_endpoint(tx, services.keeper, endpoint_of(request));
}

/// Events that there will never be are mistakes.
void check_events(json::Fields& body, const Services& services, const EndpointSettings& settings) {
  for (std::size_t i = 0; i < settings.events.size(); ++i) {
    const auto& pattern = settings.events[i];
    if (is_event_pattern(pattern) && !pattern.ends_with('*') && !services.example(pattern))
      body.mistake_at("events/" + std::to_string(i), "No such event.");
  }
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  EndpointSettings settings;
  read_settings(body, services.client, settings);
  check_events(body, services, settings);
  const auto scheme = find_scheme(body).value_or(Scheme::v1);
  body.finish();
  const auto made = create_endpoint(tx, services.keeper, settings, scheme, services.clock.now());
  note(services, tx, request, "create", std::nullopt, made.endpoint);
  return show(201, made.endpoint, made.secret);
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("webhook_endpoints").array();
  for (const auto& endpoint : list_endpoints(tx, services.keeper)) out.raw(endpoint_json(endpoint));
  out.end().end();
  return http::json(200, out.take());
}

Response get(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(200, get_endpoint(tx, services.keeper, endpoint_of(request)));
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  const auto current = hold(services, request, tx);
  json::Fields body(document.root());
  auto settings = current.settings;
  if (const auto given = body.find_object("set")) {
    json::Fields set(*given, body.pointer("set"));
    read_settings(set, services.client, settings);
    if (set.has("events")) check_events(set, services, settings);
    set.check_unknown();
    body.absorb(set);
  } else {
    body.mistake("set", "Required: what to change.");
  }
  body.finish();
  const auto updated = update_endpoint(tx, services.keeper, current.id, settings, services.clock.now());
  note(services, tx, request, "update", current, updated);
  return show(200, updated);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto current = hold(services, request, tx);
  delete_endpoint(tx, services.keeper, current.id, services.clock.now());
  note(services, tx, request, "delete", current, std::nullopt);
  return http::no_content();
}

Response change_state(const Services& services, const Request& request, Tx& tx, const char* verb, const char* state) {
  http::require_empty_body(request);
  const auto current = hold(services, request, tx);
  const auto changed = set_state(tx, services.keeper, current.id, state, services.clock.now());
  if (changed.state != current.state) note(services, tx, request, verb, current, changed);
  return show(200, changed);
}
Response pause(const Services& services, const Request& request, Tx& tx) { return change_state(services, request, tx, "pause", "paused"); }
Response resume(const Services& services, const Request& request, Tx& tx) { return change_state(services, request, tx, "resume", "active"); }
Response disable(const Services& services, const Request& request, Tx& tx) { return change_state(services, request, tx, "disable", "disabled"); }

Response rotate(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto overlap = body.find_integer("overlap_s", {0, 7 * kDayS}).value_or(kDayS);
  const auto scheme = find_scheme(body);
  body.finish();
  const auto current = hold(services, request, tx);
  const auto made = rotate_key(tx, services.keeper, current.id, scheme, std::chrono::seconds(overlap), services.clock.now());
  note(services, tx, request, "rotate", current, made.endpoint);
  return show(200, made.endpoint, made.secret);
}

}  // namespace

void add_endpoint_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* below, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                   storage::Mode mode = storage::Mode::write, bool answers_secret = false) {
    router.add({.method = method, .pattern = std::string("/v1/webhooks/endpoints") + below, .operation = operation, .access = http::Access::server,
                .mode = mode, .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .answers_secret = answers_secret});
  };
  route(Method::post, "", "create_webhook_endpoint", create, storage::Mode::write, true);
  route(Method::get, "", "list_webhook_endpoints", list, storage::Mode::read);
  route(Method::get, "/{endpoint_id}", "get_webhook_endpoint", get, storage::Mode::read);
  route(Method::patch, "/{endpoint_id}", "update_webhook_endpoint", update);
  route(Method::del, "/{endpoint_id}", "delete_webhook_endpoint", remove);
  route(Method::post, "/{endpoint_id}/pause", "pause_webhook_endpoint", pause);
  route(Method::post, "/{endpoint_id}/resume", "resume_webhook_endpoint", resume);
  route(Method::post, "/{endpoint_id}/disable", "disable_webhook_endpoint", disable);
  route(Method::post, "/{endpoint_id}/rotate", "rotate_webhook_key", rotate, storage::Mode::write, true);
}

}  // namespace chat::webhooks
