#include "platform/base/error.h"
#include "platform/chat/messages/messages_http.h"

namespace chat::messages {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

MessageId message_of(const Request& request) { return request.id_part<MessageId>("message_id", "message"); }

channels::Opened lock_for(const Request& request, Tx& tx, const std::optional<std::string>& user, const char* pointer) {
  const auto& caller = Caller::of(request);
  return channels::lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, pointer));
}

channels::Opened open(const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  return channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
}

Response pin(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto expires_at = body.find_time("expires_at");
  const auto now = services.clock.now();
  if (expires_at && *expires_at <= now) body.mistake("expires_at", "Must be in the future.");
  auto user = body.find_text("user_id");
  body.finish();
  return http::json(200, message_data(pin_message(tx, services.bus, lock_for(request, tx, user, "#/user_id"), message_of(request),
                                                  expires_at, now)));
}

Response unpin(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  return http::json(200, message_data(unpin_message(tx, services.bus, lock_for(request, tx, user, "query:user_id"),
                                                    message_of(request), services.clock.now())));
}

Response list_pinned(const Services& services, const Request& request, Tx& tx) {
  auto opened = open(request, tx);
  auto messages = list_pins(tx, opened.channel);
  services.add_own(tx, opened, messages);
  json::Writer out;
  out.object().key("messages").array();
  for (const auto& message : messages) out.raw(message_json(message));
  out.end().end();
  return http::json(200, out.take());
}

Response list_edited(const Services&, const Request& request, Tx& tx) {
  auto opened = open(request, tx);
  json::Writer out;
  out.object().key("edits").array();
  for (const auto& edit : list_edits(tx, opened, message_of(request))) out.raw(edit_json(edit));
  out.end().end();
  return http::json(200, out.take());
}

Response undelete(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  return http::json(200, message_data(undelete_message(tx, services.bus, lock_for(request, tx, user, "#/user_id"), message_of(request),
                                                       services.clock.now())));
}

}  // namespace

void add_pin_and_edit_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/channels/{type}/{id}/") + pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::post, "messages/{message_id}/pin", "pin_message", pin);
  add(Method::del, "messages/{message_id}/pin", "unpin_message", unpin);
  add(Method::get, "pinned", "list_pinned_messages", list_pinned, storage::Mode::read);
  add(Method::get, "messages/{message_id}/edits", "list_edits", list_edited, storage::Mode::read);
  add(Method::post, "messages/{message_id}/undelete", "undelete_message", undelete);
}

}  // namespace chat::messages
