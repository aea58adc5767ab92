#include "platform/chat/bookmarks/bookmarks_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/bookmarks/bookmarks.h"
#include "tenants/auth.h"

namespace chat::bookmarks {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

MessageId message_of(const Request& request) { return request.id_part<MessageId>("message_id", "message"); }

channels::Opened open_for(const Request& request, Tx& tx, const std::string& user) {
  return channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), user);
}

Response save(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto note = body.find_text("note", {.min_bytes = 1, .max_bytes = kMaxNoteBytes});
  auto remind_at = body.find_time("remind_at");
  const auto now = services.clock.now();
  if (remind_at && *remind_at <= now) body.mistake("remind_at", "Must be in the future.");
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "#/user_id"));
  auto saved = save_bookmark(tx, services.bus, opened, message_of(request), note, remind_at, now);
  json::Writer out;
  out.object().key("bookmark").raw(bookmark_json(saved.bookmark)).end();
  return http::json(saved.created ? 201 : 200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "query:user_id"));
  delete_bookmark(tx, services.bus, opened, message_of(request), services.clock.now());
  return http::no_content();
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  auto page = list_bookmarks(tx, Caller::of(request).acting_user(user, "query:user_id"), limit, next, services.cursors);
  json::Writer out;
  out.object().key("bookmarks").array();
  for (const auto& item : page.items) out.raw(bookmark_json(item.bookmark, &item.message));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::post, "/v1/channels/{type}/{id}/messages/{message_id}/bookmark", "save_bookmark", storage::Mode::write, save);
  route(Method::del, "/v1/channels/{type}/{id}/messages/{message_id}/bookmark", "delete_bookmark", storage::Mode::write, remove);
  route(Method::get, "/v1/bookmarks", "list_bookmarks", storage::Mode::read, list);
}

}  // namespace chat::bookmarks
