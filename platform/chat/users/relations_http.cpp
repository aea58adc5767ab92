#include "platform/chat/users/relations.h"

#include "platform/base/json.h"
#include "platform/chat/users/users_http.h"

namespace chat::users {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

std::string read_target(json::Fields& body) {
  auto target = body.text("target_id", {.min_bytes = 1});
  if (!target.empty() && !tenants::is_user_id(target)) body.mistake("target_id", "Must be 1-255 of A-Z a-z 0-9 _ - . @");
  return target;
}

Response show(const char* name, const std::string& json) {
  json::Writer out;
  out.object().key(name).raw(json).end();
  return http::json(200, out.take());
}

Response block(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto target = read_target(body);
  body.finish();
  return show("block", block_json(block_user(tx, services.bus, Caller::of(request), request.part("user_id"), target, services.clock.now())));
}

Response mute(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto target = read_target(body);
  const auto expires_at = body.find_time("expires_at");
  body.finish();
  return show("mute", mute_json(mute_user(tx, services.bus, Caller::of(request), request.part("user_id"), target, expires_at, services.clock.now())));
}

Response unblock(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  unblock_user(tx, services.bus, Caller::of(request), request.part("user_id"), request.part("target_id"), services.clock.now());
  return http::no_content();
}

Response unmute(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  unmute_user(tx, services.bus, Caller::of(request), request.part("user_id"), request.part("target_id"), services.clock.now());
  return http::no_content();
}

struct PageRequest {
  int limit;
  std::optional<std::string> next;
  explicit PageRequest(const Request& request) {
    http::Query query(request);
    limit = static_cast<int>(query.integer("limit", 25, 1, 100));
    next = query.find_text("next", 1024);
    query.finish();
  }
};

template <class T>
Response show_page(const char* name, const storage::Page<T>& page, std::string (*render)(const T&)) {
  json::Writer out;
  out.object().key(name).array();
  for (const auto& item : page.items) out.raw(render(item));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response blocks(const Services& services, const Request& request, Tx& tx) {
  const PageRequest wanted(request);
  return show_page<Block>("blocks", list_blocks(tx, Caller::of(request), request.part("user_id"), wanted.limit, wanted.next, services.cursors), block_json);
}

Response mutes(const Services& services, const Request& request, Tx& tx) {
  const PageRequest wanted(request);
  return show_page<Mute>("mutes", list_mutes(tx, Caller::of(request), request.part("user_id"), wanted.limit, wanted.next,
                                             services.cursors, services.clock.now()), mute_json);
}

}  // namespace

void add_relation_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/users/{user_id}") + pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::get, "/blocks", "list_blocks", blocks, storage::Mode::read);
  add(Method::post, "/blocks", "block_user", block);
  add(Method::del, "/blocks/{target_id}", "unblock_user", unblock);
  add(Method::get, "/mutes", "list_mutes", mutes, storage::Mode::read);
  add(Method::post, "/mutes", "mute_user", mute);
  add(Method::del, "/mutes/{target_id}", "unmute_user", unmute);
}

}  // namespace chat::users
