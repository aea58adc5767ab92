#include "platform/chat/invites/invites_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/invites/invites.h"
#include "platform/chat/users/users.h"
#include "tenants/tokens.h"

namespace chat::invites {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

channels::Opened lock_for(const Request& request, Tx& tx, const std::optional<std::string>& user, const char* pointer) {
  const auto& caller = Caller::of(request);
  return channels::lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, pointer));
}

std::vector<channels::MemberInput> read_users(json::Fields& body, const std::string& role) {
  std::vector<channels::MemberInput> users;
  std::set<std::string> seen;
  for (const auto& user_id : body.find_texts("users", users::kMaxBatch, {.min_bytes = 1}).value_or(std::vector<std::string>{})) {
    const auto at = "users/" + std::to_string(users.size());
    if (!tenants::is_user_id(user_id)) body.mistake_at(at, "Must be a user_id.");
    else if (!seen.insert(user_id).second) body.mistake_at(at, "Stands twice in this request.");
    users.push_back({user_id, role});
  }
  if (users.empty() && body.ok()) body.mistake("users", "Required: 1 to 100 users.");
  return users;
}

void write_result(json::Writer& out, const InviteResult& result) {
  auto refused = [&](Code code, const char* detail) {
    out.object().field("status", "refused").key("error").object().field("code", row_of(code).word).field("detail", detail).end().end();
  };
  switch (result.status) {
    case Status::invited: case Status::unchanged:
      out.object().field("status", result.status == Status::invited ? "invited" : "unchanged").key("invite").raw(invite_json(*result.invite)).end();
      return;
    case Status::member: return refused(Code::already_exists, "A member already.");
    case Status::no_such_user: return refused(Code::not_found, "No such user.");
    case Status::blocked: return refused(Code::forbidden, "This user can't be invited by you.");
    case Status::limit_reached: return refused(Code::limit_reached, "1,000 invitations wait for an answer, of the channel or of the user.");
  }
}

Response invite(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  InviteInput input;
  input.text = body.find_text("text", {.min_bytes = 1, .max_bytes = kMaxTextBytes});
  input.users = read_users(body, body.find_text("role", {.min_bytes = 1, .max_bytes = 32}).value_or("member"));
  auto user = body.find_text("user_id");
  body.finish();
  auto opened = lock_for(request, tx, user, "#/user_id");
  json::Writer out;
  out.object().key("results").array();
  for (const auto& result : invite_users(tx, services.bus, opened, input, services.clock.now())) write_result(out, result);
  out.end().end();
  return http::json(200, out.take());
}

std::string invited_user(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  return Caller::of(request).acting_user(user, "#/user_id");
}

Response show(const Answered& answered) {
  json::Writer out;
  out.object().key("invite").raw(invite_json(answered.invite));
  if (answered.member) out.key("member").raw(channels::member_json(*answered.member));
  out.end();
  return http::json(200, out.take());
}

Response accept(const Services& services, const Request& request, Tx& tx) {
  return show(accept_invite(tx, services.bus, request.part("type"), request.part("id"), invited_user(request),
                            services.caps(Caller::of(request)), services.clock.now()));
}

Response reject(const Services& services, const Request& request, Tx& tx) {
  return show(reject_invite(tx, services.bus, request.part("type"), request.part("id"), invited_user(request), services.clock.now()));
}

Response revoke(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  revoke_invite(tx, services.bus, lock_for(request, tx, user, "query:user_id"), request.part("user_id"), services.clock.now());
  return http::no_content();
}

struct Wanted {
  int limit;
  State state;
  std::optional<std::string> next, user;
};
Wanted read_wanted(const Request& request) {
  http::Query query(request);
  Wanted wanted{};
  wanted.limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  wanted.next = query.find_text("next", 1024);
  const auto state = query.find_word("state", {"pending", "accepted", "rejected"}).value_or("pending");
  wanted.state = state == "pending" ? State::pending : state == "accepted" ? State::accepted : State::rejected;
  wanted.user = query.find_text("user_id");
  query.finish();
  return wanted;
}

Response show(const storage::Page<Invite>& page) {
  json::Writer out;
  out.object().key("invites").array();
  for (const auto& one : page.items) out.raw(invite_json(one));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response list(const Services& services, const Request& request, Tx& tx) {
  const auto wanted = read_wanted(request);
  const auto& caller = Caller::of(request);
  const auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"),
                                             caller.acting_user_or_none(wanted.user, "query:user_id"));
  return show(list_invites(tx, opened, wanted.state, wanted.limit, wanted.next, services.cursors));
}

Response list_own(const Services& services, const Request& request, Tx& tx) {
  const auto wanted = read_wanted(request);
  const auto user = Caller::of(request).acting_user(wanted.user, "query:user_id");
  return show(list_own_invites(tx, user, wanted.state, wanted.limit, wanted.next, services.cursors));
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  constexpr auto kInvites = "/v1/channels/{type}/{id}/invites";
  route(Method::post, kInvites, "invite_users", storage::Mode::write, invite);
  route(Method::get, kInvites, "list_invites", storage::Mode::read, list);
  route(Method::del, "/v1/channels/{type}/{id}/invites/{user_id}", "revoke_invite", storage::Mode::write, revoke);
  route(Method::post, "/v1/channels/{type}/{id}/invite/accept", "accept_invite", storage::Mode::write, accept);
  route(Method::post, "/v1/channels/{type}/{id}/invite/reject", "reject_invite", storage::Mode::write, reject);
  route(Method::get, "/v1/invites", "list_own_invites", storage::Mode::read, list_own);
}

}  // namespace chat::invites
