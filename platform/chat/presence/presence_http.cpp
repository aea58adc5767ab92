#include "platform/chat/presence/presence_http.h"

#include "platform/base/json.h"
#include "tenants/auth.h"

namespace chat::presence {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

Response type(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  realtime::Typing typing;
  typing.cid = request.part("type") + ":" + request.part("id");
  typing.stops = !body.find_boolean("typing").value_or(true);
  typing.parent_id = body.find_text("parent_id", {.min_bytes = 1, .max_bytes = 64}).value_or("");
  auto user = body.find_text("user_id");
  body.finish();
  const auto user_id = Caller::of(request).acting_user(user, "#/user_id");
  if (services.typists.due(tx.app(), user_id, typing)) services.typists.start(tx, user_id, typing);
  return http::no_content();
}

Response show_users(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user_ids = body.find_texts("user_ids", kMaxUsers, {.min_bytes = 1});
  if (body.ok() && (!user_ids || user_ids->empty())) body.mistake("user_ids", "Required: 1 to 100 users.");
  auto user = body.find_text("user_id");
  body.finish();
  const auto viewer = Caller::of(request).acting_user_or_none(user, "#/user_id");
  json::Writer out;
  out.object().key("users").array();
  for (const auto& standing : find_standings(tx, services.store, viewer, *user_ids)) out.raw(standing_json(standing));
  return http::json(200, out.end().end().take());
}

struct Asked {
  int limit = 0;
  std::optional<std::string> next;
  channels::Opened opened;
};
Asked read_list(const Request& request, Tx& tx) {
  http::Query query(request);
  Asked asked;
  asked.limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  asked.next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  asked.opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
  return asked;
}

Response show_online(const Services& services, const Request& request, Tx& tx) {
  const auto asked = read_list(request, tx);
  const auto present = list_online(tx, services.store, asked.opened, asked.limit, asked.next, services.cursors);
  json::Writer out;
  out.object().field("online_count", present.count).key("complete").boolean(present.complete).key("users").array();
  for (const auto& standing : present.users) out.raw(standing_json(standing));
  return http::json(200, out.end().optional_field("next", present.next).end().take());
}

Response show_watchers(const Services& services, const Request& request, Tx& tx) {
  const auto asked = read_list(request, tx);
  const auto watching = list_watchers(tx, services.store, asked.opened, asked.limit, asked.next, services.cursors);
  json::Writer out;
  out.object().field("watcher_count", watching.count).key("watchers").array();
  for (const auto& user_id : watching.users) out.object().field("user_id", user_id).end();
  return http::json(200, out.end().optional_field("next", watching.next).end().take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&), const char* rate_class = "") {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .rate_class = rate_class});
  };
  add(Method::post, "/v1/channels/{type}/{id}/typing", "tell_typing", storage::Mode::write, type);
  add(Method::get, "/v1/channels/{type}/{id}/online", "list_online", storage::Mode::read, show_online);
  add(Method::get, "/v1/channels/{type}/{id}/watchers", "list_watchers", storage::Mode::read, show_watchers);
  add(Method::post, "/v1/users/presence", "show_presence", storage::Mode::write, show_users, "read");
}

}  // namespace chat::presence
