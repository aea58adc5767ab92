#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/webhooks/before.h"
#include "platform/webhooks/webhooks_http.h"

namespace chat::webhooks {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr const char* kObject = "before_message_send";
constexpr const char* kPath = "/v1/webhooks/before_message_send";

Response show(int status, const BeforeHook& hook, const std::string& secret = "") {
  json::Writer out;
  out.object().key("before_message_send").raw(before_hook_json(hook));
  if (!secret.empty()) out.field("secret", secret);
  out.end();
  return http::json(status, out.take());
}

Response put(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  BeforeHook hook;
  hook.url = body.text("url", {.min_bytes = 1, .max_bytes = kMaxUrlBytes});
  if (const auto refusal = services.client.refuses_url(hook.url); !hook.url.empty() && !refusal.empty()) body.mistake("url", refusal);
  hook.timeout_ms = body.find_integer("timeout_ms", {100, 5'000}).value_or(hook.timeout_ms);
  hook.on_failure = body.find_word("on_failure", {"allow", "reject", "hold"}).value_or(hook.on_failure);
  hook.channel_types = body.find_texts("channel_types", kMaxPatterns, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  const bool new_secret = body.find_boolean("new_secret").value_or(false);
  body.finish();
  lock_endpoints(tx);
  const auto before = find_before_hook(tx);
  const auto saved = save_before_hook(tx, services.keeper, hook, new_secret, services.clock.now());
  services.note(tx, request, "before_message_send.put", kObject, before ? std::optional<std::string>(before_hook_json(*before)) : std::nullopt,
                before_hook_json(saved.hook));
  return show(saved.created ? 201 : 200, saved.hook, saved.secret);
}

Response get(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(200, get_before_hook(tx));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  lock_endpoints(tx);
  const auto before = get_before_hook(tx);
  delete_before_hook(tx, services.keeper);
  services.note(tx, request, "before_message_send.delete", kObject, before_hook_json(before), std::nullopt);
  return http::no_content();
}

}  // namespace

void add_before_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* operation, Response (*act)(const Services&, const Request&, Tx&), storage::Mode mode) {
    router.add({.method = method, .pattern = kPath, .operation = operation, .access = http::Access::server, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::put, "put_before_message_send", put, storage::Mode::write);
  route(Method::get, "get_before_message_send", get, storage::Mode::read);
  route(Method::del, "delete_before_message_send", remove, storage::Mode::write);
}

}  // namespace chat::webhooks
