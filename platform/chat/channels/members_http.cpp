#include "platform/base/error.h"
#include "platform/chat/channels/channels_http.h"
#include "platform/chat/channels/member_query.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/users/users.h"

namespace chat::channels {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

Opened lock_for(const Request& request, Tx& tx, const std::optional<std::string>& user, const char* pointer) {
  const auto& caller = Caller::of(request);
  return lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, pointer));
}

Response show(const storage::Page<Member>& page) {
  json::Writer out;
  out.object().key("members").array();
  for (const auto& member : page.items) out.raw(member_json(member));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
  return show(list_members(tx, opened, limit, next, services.cursors));
}

Response query(const Services& services, const Request& request, Tx& tx) {
  const auto& caller = Caller::of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  auto typed = body.find_text("query", {.min_bytes = 1, .max_bytes = 255});
  if (!body.ok()) body.finish();
  const auto opened = open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "#/user_id"));
  const auto wanted = member_listing(opened.may(Action::ban_members))
                          .read(body, services.cursors, tx.app().text() + "|members|" + opened.channel.id.text() + "|" + typed.value_or(""), 4);
  body.finish();
  return show(query_members(tx, opened, typed, wanted, services.cursors));
}

void write_result(json::Writer& out, const AddResult& result) {
  using Status = AddResult::Status;
  out.object().field("status", result.status == Status::added ? "added" : result.status == Status::unchanged ? "unchanged" : "refused");
  if (result.member) out.key("member").raw(member_json(*result.member));
  else out.key("error").object().field("code", row_of(Code::not_found).word).field("detail", "No such user.").end();
  out.end();
}

Response add(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto members = read_members(body, 1);
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = lock_for(request, tx, user, "#/user_id");
  auto results = add_members(tx, services.bus, opened, members, services.caps(Caller::of(request)), services.clock.now());
  json::Writer out;
  out.object().key("results").array();
  for (const auto& result : results) write_result(out, result);
  out.end().end();
  return http::json(200, out.take());
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  MemberChange change;
  change.role = body.find_text("role", {.min_bytes = 1, .max_bytes = 32});
  change.custom = body.find_raw_object("custom", users::kMaxCustomBytes);
  if (!change.role && !change.custom && body.ok()) body.mistake("role", "Needs a role or custom data.");
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = lock_for(request, tx, user, "#/user_id");
  auto member = update_member(tx, services.bus, opened, request.part("user_id"), change, services.clock.now());
  json::Writer out;
  out.object().key("member").raw(member_json(member)).end();
  return http::json(200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  auto opened = lock_for(request, tx, user, "query:user_id");
  remove_member(tx, services.bus, opened, request.part("user_id"), services.clock.now());
  return http::no_content();
}

}  // namespace

void add_member_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation,
                   Response (*act)(const Services&, const Request&, Tx&), storage::Mode mode = storage::Mode::write,
                   const char* rate_class = "") {
    router.add({.method = method, .pattern = std::string("/v1/channels/{type}/{id}/members") + pattern, .operation = operation,
                .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .rate_class = rate_class});
  };
  route(Method::get, "", "list_members", list, storage::Mode::read);
  route(Method::post, "", "add_members", add);
  route(Method::post, "/query", "query_members", query, storage::Mode::write, "read");
  route(Method::patch, "/{user_id}", "update_member", update);
  route(Method::del, "/{user_id}", "remove_member", remove);
}

}  // namespace chat::channels
