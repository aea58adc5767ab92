#include "platform/chat/reactions/reactions_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/reactions/reactions.h"
#include "tenants/auth.h"

namespace chat::reactions {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr const char* kTypeRule = "Must be 1-64 bytes without spaces, control characters and '/'";

MessageId message_of(const Request& request) { return request.id_part<MessageId>("message_id", "message"); }

Response add(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto type = body.text("type", {.min_bytes = 1, .max_bytes = kMaxTypeBytes});
  if (!type.empty() && !is_reaction_type(type)) body.mistake("type", kTypeRule);
  auto score = body.find_integer("score", {1, kMaxScore}).value_or(1);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  auto outcome = add_reaction(tx, services.bus, services.counted, opened, message_of(request), type, score, services.clock.now());
  json::Writer out;
  out.object().key("reaction").raw(reaction_json(outcome.reaction)).key("message").raw(messages::message_json(outcome.message)).end();
  return http::json(outcome.created ? 201 : 200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "query:user_id"));
  auto message = remove_reaction(tx, services.bus, services.counted, opened, message_of(request), request.part("reaction"), services.clock.now());
  return http::json(200, messages::message_data(message));
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto type = query.find_text("type", kMaxTypeBytes);
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"),
                                       caller.acting_user_or_none(user, "query:user_id"));
  auto page = list_reactions(tx, opened, message_of(request), type, limit, next, services.cursors);
  json::Writer out;
  out.object().key("reactions").array();
  for (const auto& reaction : page.items) out.raw(reaction_json(reaction));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = std::string("/v1/channels/{type}/{id}/messages/{message_id}/reactions") + pattern,
                .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::post, "", "add_reaction", storage::Mode::write, add);
  route(Method::del, "/{reaction}", "remove_reaction", storage::Mode::write, remove);
  route(Method::get, "", "list_reactions", storage::Mode::read, list);
}

}  // namespace chat::reactions
