#include "platform/chat/users/users_http.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/users/guests.h"
#include "platform/chat/users/users.h"
#include "tenants/applications.h"

namespace chat::users {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

const std::vector<std::string> kRoles{"user", "moderator", "admin"};
const std::vector<std::string> kTypes{"regular", "guest", "anonymous"};
constexpr std::array kUnsettable{"name", "image", "username", "email", "bio", "custom"};

/// No spaces and nothing that can't be seen; two names are the same when they differ in case alone.
bool is_username(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  return is_username(text) && at != 0 && at != std::string_view::npos && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos;
}

/// As the roles of channels are written (channels/permissions.h).
bool is_role_in_team(std::string_view text) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' && std::all_of(text.begin(), text.end(), allowed);
}

/// {"teams":["red","blue"],"teams_role":{"red":"lead"}} as it is kept: {"red":"lead","blue":null}.
void read_teams(json::Fields& fields, UserInput& input) {
  auto names = fields.find_texts("teams", kMaxTeams, {.min_bytes = 1});
  auto roles = fields.find_object("teams_role");
  if (roles && !names) fields.mistake("teams_role", "Needs `teams`, which it is about.");
  if (!names) return;
  const std::set<std::string> teams(names->begin(), names->end());
  for (std::size_t i = 0; i < names->size(); ++i)
    if (!tenants::is_user_id((*names)[i])) fields.mistake_at("teams/" + std::to_string(i), "Must be 1-255 of A-Z a-z 0-9 _ - . @");
  if (teams.size() < names->size()) fields.mistake("teams", "A team stands twice.");
  std::map<std::string, std::string> role_in;
  if (roles) {
    for (const auto& [team, role] : roles->members()) {
      const std::string at = "teams_role/" + std::string(team);
      if (!teams.contains(std::string(team))) fields.mistake_at(at, "Not one of `teams`.");
      else if (role.kind() != json::Kind::text || !is_role_in_team(role.text())) fields.mistake_at(at, "A role is 1-32 of a-z 0-9 _ -, a letter first.");
      else role_in[std::string(team)] = role.text();
    }
  }
  json::Writer out;
  out.object();
  for (const auto& team : teams) {
    out.key(team);
    if (role_in.contains(team)) out.text(role_in[team]);
    else out.null();
  }
  input.teams = out.end().take();
}

void read_profile(json::Fields& fields, UserInput& input) {
  read_teams(fields, input);
  input.username = fields.find_text("username", {.min_bytes = 1, .max_bytes = 64});
  if (input.username && !is_username(*input.username)) fields.mistake("username", "Must hold no spaces and no control characters.");
  input.email = fields.find_text("email", {.min_bytes = 3, .max_bytes = 254});
  if (input.email && !is_email(*input.email)) fields.mistake("email", "Must be an address: name@host.");
  input.bio = fields.find_text("bio", {.min_bytes = 1, .max_bytes = 2048});
  input.type = fields.find_word("type", kTypes);
  input.invisible = fields.find_boolean("invisible");
  input.name = fields.find_text("name", {.min_bytes = 1, .max_bytes = 255});
  input.image = fields.find_text("image", {.min_bytes = 1, .max_bytes = 2048});
  input.role = fields.find_word("role", kRoles);
  input.custom = fields.find_raw_object("custom", kMaxCustomBytes);
}

bool sees_whole(const Caller& caller, const User& user) { return caller.is_server() || caller.user_id() == user.user_id; }

Response show(const Request& request, const User& user) {
  json::Writer out;
  out.object().key("user").raw(user_json(user, sees_whole(Caller::of(request), user))).end();
  return http::json(200, out.take());
}

std::vector<UserInput> read_upsert(const json::Value& root) {
  json::Fields body(root);
  auto items = body.find_array("users", kMaxBatch, 1);
  if (!items && body.ok()) body.mistake("users", "Required: 1 to 100 users.");
  std::vector<UserInput> inputs;
  std::set<std::string> seen;
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    json::Fields item((*items)[i], "#/users/" + std::to_string(i));
    UserInput input;
    input.user_id = item.text("user_id", {.min_bytes = 1});
    read_profile(item, input);
    if (!input.user_id.empty() && !tenants::is_user_id(input.user_id))
      item.mistake("user_id", "Must be 1-255 of A-Z a-z 0-9 _ - . @");
    if (!seen.insert(input.user_id).second) item.mistake("user_id", "Stands twice in this request.");
    item.check_unknown();
    body.absorb(item);
    inputs.push_back(std::move(input));
  }
  body.finish();
  return inputs;
}

void write_refusal(json::Writer& out, const Error& refusal) {
  out.key("error").object().field("code", row_of(refusal.code()).word).field("detail", refusal.what());
  if (!refusal.fields().empty()) {
    out.key("errors").array();
    for (const auto& field : refusal.fields()) out.object().field("pointer", field.pointer).field("detail", field.detail).end();
    out.end();
  }
  out.end();
}

tenants::Said said_of(UserInput& input, const std::string& at) {
  tenants::Said said;
  said.add(at + "name", input.name);
  said.add(at + "username", input.username);
  said.add(at + "bio", input.bio);
  return said;
}

/// Each on its own: one that is refused keeps nothing but its id and why. Gives what was found in each.
std::vector<std::string> judge_all(const Services& services, const Caller& caller, std::vector<UserInput>& inputs) {
  std::vector<std::string> findings(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    try {
      findings[i] = services.names.judge(caller, said_of(inputs[i], "#/users/" + std::to_string(i) + "/"));
    } catch (const Error& error) {
      if (error.code() != Code::forbidden) throw;
      UserInput refused;
      refused.user_id = inputs[i].user_id;
      refused.refusal = error;
      inputs[i] = std::move(refused);
    }
  }
  return findings;
}

Response upsert(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  auto inputs = read_upsert(document.root());
  const auto findings = judge_all(services, Caller::of(request), inputs);
  auto results = upsert_users(tx, services.bus, Caller::of(request), inputs, services.clock.now());
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!results[i].refusal && !findings[i].empty()) services.names.flag(tx, "", inputs[i].user_id, findings[i]);
  json::Writer out;
  out.object().key("results").array();
  for (const auto& result : results) {
    out.object().field("status", result.refusal ? "refused" : result.created ? "created" : "updated");
    if (!result.refusal) out.key("user").raw(user_json(result.user, true));
    else write_refusal(out, *result.refusal);
    out.end();
  }
  out.end().end();
  return http::json(200, out.take());
}

Response query(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto& caller = Caller::of(request);
  auto wanted = listing(caller.is_server()).read(body, services.cursors, tx.app().text() + "|users", 2);
  body.finish();
  auto page = query_users(tx, caller, wanted, services.cursors);
  json::Writer out;
  out.object().key("users").array();
  for (const auto& user : page.items) out.raw(user_json(user, sees_whole(caller, user)));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response search(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto typed = body.text("q", {.min_bytes = 1});
  if (!typed.empty() && text::trim(typed).empty()) body.mistake("q", "Must hold more than spaces.");
  const auto limit = static_cast<int>(body.find_integer("limit", {1, 100}).value_or(25));
  const auto next = body.find_text("next", {.min_bytes = 1, .max_bytes = 4096});
  const auto named = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto viewer = caller.acting_user_or_none(named, "#/user_id");
  const auto page = search_users(tx, viewer, typed, limit, next, services.cursors);
  json::Writer out;
  out.object().key("users").array();
  for (const auto& user : page.items) out.raw(user_json(user, sees_whole(caller, user)));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

std::vector<std::string> read_unset(json::Fields& body) {
  auto names = body.find_texts("unset", 50, {.min_bytes = 1});
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    const auto& name = (*names)[i];
    if (std::find(kUnsettable.begin(), kUnsettable.end(), name) == kUnsettable.end() && !name.starts_with("custom."))
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; name, image, username, email, bio, custom and custom.<key> can.");
  }
  return names.value_or(std::vector<std::string>{});
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  UserChange change;
  auto set = body.find_object("set");
  change.unset = read_unset(body);
  if (set) {
    json::Fields fields(*set, "#/set");
    read_profile(fields, change.set);
    fields.check_unknown();
    body.absorb(fields);
  }
  body.finish();
  const auto& user_id = request.part("user_id");
  const auto findings = services.names.judge(Caller::of(request), said_of(change.set, "#/set/"));
  const auto user = update_user(tx, services.bus, Caller::of(request), user_id, change, services.clock.now());
  if (!findings.empty()) services.names.flag(tx, "", user_id, findings);
  return show(request, user);
}

Response deactivate(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const bool hide = body.find_boolean("hide_messages").value_or(false);
  body.finish();
  return show(request, deactivate_user(tx, services.bus, Caller::of(request), request.part("user_id"), hide, services.clock.now()));
}

Response reactivate(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(request, reactivate_user(tx, services.bus, Caller::of(request), request.part("user_id"), services.clock.now()));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query parameters(request);
  Deletion how;
  how.hard = parameters.find_word("mode", {"soft", "hard"}) == "hard";
  const auto messages = parameters.find_word("messages", {"keep", "hide", "erase"}).value_or(how.hard ? "erase" : "keep");
  how.new_owner = parameters.find_text("new_owner");
  parameters.finish();
  how.messages = messages == "keep" ? MessagesFate::keep : messages == "hide" ? MessagesFate::hide : MessagesFate::erase;
  delete_user(tx, services.bus, request.part("user_id"), how, services.clock.now());
  return http::no_content();
}

Response make_guest(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  GuestInput input;
  input.type = body.find_word("type", {"guest", "anonymous"}).value_or("guest");
  input.name = body.find_text("name", {.min_bytes = 1, .max_bytes = 255});
  input.image = body.find_text("image", {.min_bytes = 1, .max_bytes = 2048});
  input.custom = body.find_raw_object("custom", kMaxCustomBytes);
  body.finish();
  tenants::Said said;
  said.add("#/name", input.name);
  const auto findings = services.names.judge(Caller::of(request), said);
  const auto guest = create_guest(tx, services.bus, Caller::of(request), input, services.clock.now());
  if (!findings.empty()) services.names.flag(tx, "", guest.user.user_id, findings);
  json::Writer out;
  out.object().key("user").raw(user_json(guest.user, true)).field("token", guest.token).key("expires_at").time(guest.expires_at).end();
  return http::json(201, out.take());
}

Response revoke(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto before = body.find_time("before");
  body.finish();
  const auto& user_id = request.part("user_id");
  get_user(tx, user_id);
  tenants::revoke_user_tokens(tx, services.bus, Caller::of(request).app(), user_id, before.value_or(services.clock.now()));
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Access access,
                 Response (*act)(const Services&, const Request&, Tx&), storage::Mode mode = storage::Mode::write,
                 std::size_t max_body_bytes = 64 * 1024, const char* rate_class = "") {
    router.add({.method = method, .pattern = std::string("/v1/users") + pattern, .operation = operation, .access = access,
                .mode = mode, .max_body_bytes = max_body_bytes,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .rate_class = rate_class});
  };
  add(Method::post, "", "upsert_users", Access::server, upsert, storage::Mode::write, 1024 * 1024);
  add(Method::post, "/query", "query_users", Access::user_or_server, query, storage::Mode::write, 64 * 1024, "read");
  add(Method::post, "/search", "search_users", Access::user_or_server, search, storage::Mode::write, 64 * 1024, "read");
  add(Method::get, "/{user_id}", "get_user", Access::user_or_server,
      [](const Services&, const Request& request, Tx& tx) { return show(request, see_user(tx, Caller::of(request), request.part("user_id"))); },
      storage::Mode::read);
  add(Method::patch, "/{user_id}", "update_user", Access::user_or_server, update);
  add(Method::post, "/{user_id}/deactivate", "deactivate_user", Access::server, deactivate);
  add(Method::post, "/{user_id}/reactivate", "reactivate_user", Access::server, reactivate);
  add(Method::del, "/{user_id}", "delete_user", Access::server, remove);
  add(Method::post, "/{user_id}/revoke_tokens", "revoke_user_tokens", Access::server, revoke);
  router.add({.method = Method::post, .pattern = "/v1/guests", .operation = "create_guest", .access = Access::api_key,
              .max_body_bytes = 16 * 1024,
              .handler = [services](const Request& request, Tx& tx) { return make_guest(services, request, tx); },
              .answers_secret = true});
}

}  // namespace chat::users
