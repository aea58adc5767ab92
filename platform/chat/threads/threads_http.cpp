#include "platform/chat/threads/threads_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/threads/threads.h"
#include "tenants/auth.h"

namespace chat::threads {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

MessageId parent_of(const Request& request) { return request.id_part<MessageId>("message_id", "message"); }

channels::Opened open_for(const Request& request, Tx& tx, const std::string& user) {
  return channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), user);
}

std::optional<std::string> user_in_query(const Request& request) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  return user;
}

Response answer(const Thread& thread) {
  json::Writer out;
  out.object().key("thread").raw(thread_json(thread)).end();
  return http::json(200, out.take());
}

Response show(const Services&, const Request& request, Tx& tx) {
  const auto user = Caller::of(request).acting_user_or_none(user_in_query(request), "query:user_id");
  return answer(get_thread(tx, open_for(request, tx, user), parent_of(request)));
}

Response follow(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "#/user_id"));
  return answer(follow_thread(tx, services.bus, opened, parent_of(request), true, services.clock.now()));
}

Response unfollow(const Services& services, const Request& request, Tx& tx) {
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user_in_query(request), "query:user_id"));
  return answer(follow_thread(tx, services.bus, opened, parent_of(request), false, services.clock.now()));
}

Response mark(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto text = body.find_text("reply_id", {.min_bytes = 1, .max_bytes = 64});
  auto reply = text ? MessageId::parse(*text) : std::nullopt;
  if (text && !reply) body.mistake("reply_id", "Must be a message id: msg_…");
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "#/user_id"));
  return answer(read_thread(tx, services.bus, opened, parent_of(request), reply, services.clock.now()));
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  bool unread_only = query.boolean("unread", false);
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto acting = Caller::of(request).acting_user(user, "query:user_id");
  auto page = list_threads(tx, acting, unread_only, limit, next, services.cursors);
  json::Writer out;
  out.object().key("threads").array();
  for (const auto& item : page.items) out.raw(thread_json(item.thread, &item.parent));
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
  route(Method::get, "/v1/threads", "list_threads", storage::Mode::read, list);
  route(Method::get, "/v1/channels/{type}/{id}/messages/{message_id}/thread", "get_thread", storage::Mode::read, show);
  route(Method::post, "/v1/channels/{type}/{id}/messages/{message_id}/thread/follow", "follow_thread", storage::Mode::write, follow);
  route(Method::del, "/v1/channels/{type}/{id}/messages/{message_id}/thread/follow", "unfollow_thread", storage::Mode::write, unfollow);
  route(Method::post, "/v1/channels/{type}/{id}/messages/{message_id}/thread/read", "read_thread", storage::Mode::write, mark);
}

}  // namespace chat::threads
