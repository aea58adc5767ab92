#include "platform/chat/devices/devices_http.h"

#include <algorithm>

#include "platform/base/json.h"
#include "platform/chat/devices/devices.h"
#include "platform/push/web_push.h"
#include "tenants/auth.h"

namespace chat::devices {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

bool is_name(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

/// A browser's subscription, as it gives it; the others' token.
std::string read_token(json::Fields& body, const std::string& provider) {
  if (provider != "web") {
    if (body.has("subscription")) body.mistake("subscription", "Only browsers have one.");
    return body.text("token", {.min_bytes = 1, .max_bytes = kMaxTokenBytes});
  }
  if (body.has("token")) body.mistake("token", "A browser has a subscription instead.");
  auto subscription = body.find_raw_object("subscription", kMaxTokenBytes);
  if (!subscription) {
    if (!body.has("subscription")) body.mistake("subscription", "Required.");
    return {};
  }
  if (!push::parse_subscription(*subscription)) body.mistake("subscription", "Must be a PushSubscription with endpoint, keys.p256dh and keys.auth.");
  return *subscription;
}

Response add(const Clock& clock, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  DeviceInput input;
  input.device_id = body.text("device_id", {.min_bytes = 1});
  input.provider = body.word("provider", {"fcm", "apns", "web"});
  input.provider_name = body.find_text("provider_name", {.min_bytes = 1, .max_bytes = 64}).value_or("default");
  if (!is_name(input.provider_name)) body.mistake("provider_name", "Must be 1-64 of a-z 0-9 _ -.");
  input.platform = body.word("platform", {"android", "ios", "web"});
  input.token = read_token(body, input.provider);
  auto user = body.find_text("user_id");
  body.finish();
  const auto registered = register_device(tx, Caller::of(request).acting_user(user, "#/user_id"), input, clock.now());
  json::Writer out;
  out.object().key("device").raw(device_json(registered.device)).end();
  return http::json(registered.created ? 201 : 200, out.take());
}

std::string user_in_query(const Request& request) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  return Caller::of(request).acting_user(user, "query:user_id");
}

Response list(const Clock&, const Request& request, Tx& tx) {
  json::Writer out;
  out.object().key("devices").array();
  for (const auto& device : list_devices(tx, user_in_query(request))) out.raw(device_json(device));
  out.end().end();
  return http::json(200, out.take());
}

Response remove(const Clock&, const Request& request, Tx& tx) {
  delete_device(tx, user_in_query(request), request.part("device_id"));
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Clock& clock) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Clock&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [&clock, act](const Request& request, Tx& tx) { return act(clock, request, tx); }});
  };
  route(Method::post, "/v1/devices", "register_device", storage::Mode::write, add);
  route(Method::get, "/v1/devices", "list_devices", storage::Mode::read, list);
  route(Method::del, "/v1/devices/{device_id}", "delete_device", storage::Mode::write, remove);
}

}  // namespace chat::devices
