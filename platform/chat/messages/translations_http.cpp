#include "platform/base/error.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/translations.h"

namespace chat::messages {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

std::string language_of(const Request& request) {
  auto language = parse_language(request.part("language"));
  if (!language) throw invalid_field("path:language", "Must be a language tag: de, pt-BR, zh-Hant.");
  return *language;
}

channels::Opened lock_for(const Request& request, Tx& tx) {
  return channels::lock_channel(tx, Caller::of(request), request.part("type"), request.part("id"), "");
}

Response put(const Services& services, const Request& request, Tx& tx) {
  auto id = request.id_part<MessageId>("message_id", "message");
  const auto language = language_of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto text = body.text("text", {.min_bytes = 1, .max_bytes = kMaxTextBytes});
  body.finish();
  auto opened = lock_for(request, tx);
  if (static_cast<std::int64_t>(text.size()) > opened.settings.max_message_bytes)
    throw Error(Code::too_large, "The text is longer than this channel's type allows.", {{"#/text", "Too long."}});
  return http::json(200, message_data(put_translation(tx, services.bus, opened, id, language, text, services.clock.now())));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  auto id = request.id_part<MessageId>("message_id", "message");
  http::Query(request).finish();
  const auto language = language_of(request);
  return http::json(200, message_data(delete_translation(tx, services.bus, lock_for(request, tx), id, language, services.clock.now())));
}

}  // namespace

void add_translation_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = "/v1/channels/{type}/{id}/messages/{message_id}/translations/{language}",
                .operation = operation, .access = http::Access::server, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::put, "put_translation", put);
  add(Method::del, "delete_translation", remove);
}

}  // namespace chat::messages
