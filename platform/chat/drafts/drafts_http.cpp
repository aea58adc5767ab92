#include "platform/chat/drafts/drafts_http.h"

#include "platform/base/error.h"
#include "platform/chat/drafts/drafts.h"
#include "tenants/auth.h"

namespace chat::drafts {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

channels::Opened open_for(const Request& request, Tx& tx, const std::string& user) {
  return channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), user);
}

Response answer(int status, const Draft& draft) {
  json::Writer out;
  out.object().key("draft").raw(draft_json(draft)).end();
  return http::json(status, out.take());
}

/// The thread that a draft says it belongs to: `parent_id` of its message, whose form is checked already.
std::optional<MessageId> parent_in(const std::string& message) {
  const auto document = json::Document::parse(message);
  const auto parent = document.root().find("parent_id");
  return parent && parent->kind() == json::Kind::text ? MessageId::parse(parent->text()) : std::nullopt;
}

Response save(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto message = services.read_message(body, "message", Caller::of(request).is_server());
  if (!message && !body.has("message")) body.mistake("message", "Required.");
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "#/user_id"));
  const auto saved = save_draft(tx, services.bus, opened, parent_in(*message), *message, services.clock.now());
  return answer(saved.created ? 201 : 200, saved.draft);
}

/// Where in the query a draft is named: whose, and in which thread.
struct Named {
  std::string user;
  std::optional<MessageId> parent;
};
Named named_in(const Request& request) {
  http::Query query(request);
  auto parent = query.find_text("parent_id", 64);
  auto user = query.find_text("user_id");
  query.finish();
  Named named{Caller::of(request).acting_user(user, "query:user_id"), std::nullopt};
  if (parent && !(named.parent = MessageId::parse(*parent))) throw not_found("draft");
  return named;
}

Response show(const Services&, const Request& request, Tx& tx) {
  const auto named = named_in(request);
  return answer(200, get_draft(tx, open_for(request, tx, named.user), named.parent));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  const auto named = named_in(request);
  delete_draft(tx, services.bus, open_for(request, tx, named.user), named.parent, services.clock.now());
  return http::no_content();
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  auto page = list_drafts(tx, Caller::of(request).acting_user(user, "query:user_id"), limit, next, services.cursors);
  json::Writer out;
  out.object().key("drafts").array();
  for (const auto& draft : page.items) out.raw(draft_json(draft));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::put, "/v1/channels/{type}/{id}/draft", "save_draft", storage::Mode::write, save);
  route(Method::get, "/v1/channels/{type}/{id}/draft", "get_draft", storage::Mode::read, show);
  route(Method::del, "/v1/channels/{type}/{id}/draft", "delete_draft", storage::Mode::write, remove);
  route(Method::get, "/v1/drafts", "list_drafts", storage::Mode::read, list);
}

}  // namespace chat::drafts
