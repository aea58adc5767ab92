#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/notifications/notifications_http.h"
#include "platform/chat/notifications/providers.h"
#include "tenants/auth.h"
#include "tenants/own_audit.h"

namespace chat::notifications {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::size_t kMaxAccountBytes = 16 * 1024;
constexpr std::size_t kMaxKeyBytes = 4 * 1024;

std::string object_of(const std::string& provider, const std::string& name) { return "push_provider:" + provider + ":" + name; }

/// As it is listed, without its keys.
std::optional<std::string> find_json(Tx& tx, const std::string& provider, const std::string& name) {
  for (const auto& one : list_providers(tx))
    if (one.provider == provider && one.name == name) return provider_json(one);
  return std::nullopt;
}

/// What the kind needs, as it is kept; members of other kinds are unknown fields.
std::string read_credentials(json::Fields& body, const std::string& provider) {
  json::Writer out;
  out.object();
  if (provider == "fcm") {
    auto account = body.find_raw_object("service_account", kMaxAccountBytes);
    if (!account && !body.has("service_account")) body.mistake("service_account", "Required: the document that Google gives for a service account.");
    out.field("service_account", account.value_or("{}"));
  } else if (provider == "apns") {
    out.field("private_key", body.text("private_key", {.min_bytes = 1, .max_bytes = kMaxKeyBytes}));
    for (const char* name : {"key_id", "team_id", "topic"}) out.field(name, body.text(name, {.min_bytes = 1}));
    out.key("sandbox").boolean(body.find_boolean("sandbox").value_or(false));
  } else {
    out.field("private_key", body.find_text("private_key", {.min_bytes = 1, .max_bytes = 64}).value_or(""));
    out.field("contact", body.text("contact", {.min_bytes = 1}));
  }
  out.end();
  return out.take();
}

Response save(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  ProviderInput input;
  input.provider = body.word("provider", {"fcm", "apns", "web"});
  input.name = read_name(body, "name");
  input.document = input.provider.empty() ? "{}" : read_credentials(body, input.provider);
  body.finish();
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto before = find_json(tx, input.provider, input.name);
  const auto saved = save_provider(tx, services.bus, services.senders, input, now);
  tenants::note_own(tx, request, "push_provider.save", object_of(input.provider, input.name), before, provider_json(saved.provider), now);
  json::Writer out;
  out.object().key("push_provider").raw(provider_json(saved.provider)).end();
  return http::json(saved.created ? 201 : 200, out.take());
}

Response list(const Services&, const Request&, Tx& tx) {
  json::Writer out;
  out.object().key("push_providers").array();
  for (const auto& provider : list_providers(tx)) out.raw(provider_json(provider));
  out.end().end();
  return http::json(200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  const auto &provider = request.part("provider"), &name = request.part("name");
  tenants::hold_setup(tx);
  const auto before = find_json(tx, provider, name);
  delete_provider(tx, services.bus, provider, name);
  tenants::note_own(tx, request, "push_provider.delete", object_of(provider, name), before, std::nullopt, services.clock.now());
  return http::no_content();
}

Response show_web_key(const Services&, const Request& request, Tx& tx) {
  http::Query query(request);
  auto name = query.find_text("name", 64).value_or("default");
  query.finish();
  json::Writer out;
  out.object().field("public_key", web_key(tx, name)).end();
  return http::json(200, out.take());
}

}  // namespace

std::string read_name(json::Fields& body, const char* member) {
  auto name = body.find_text(member, {.min_bytes = 1, .max_bytes = 64}).value_or("default");
  if (!std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }))
    body.mistake(member, "Must be 1-64 of a-z 0-9 _ -.");
  return name;
}

void add_provider_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, http::Access access, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = access, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  const auto server = http::Access::server;
  route(Method::post, "/v1/push/providers", "save_push_provider", server, storage::Mode::write, save);
  route(Method::get, "/v1/push/providers", "list_push_providers", server, storage::Mode::read, list);
  route(Method::del, "/v1/push/providers/{provider}/{name}", "delete_push_provider", server, storage::Mode::write, remove);
  route(Method::get, "/v1/push/web_key", "get_web_push_key", http::Access::user_or_server, storage::Mode::read, show_web_key);
}

}  // namespace chat::notifications
