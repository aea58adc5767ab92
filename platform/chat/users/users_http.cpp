#include "platform/chat/users/users_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
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

void read_profile(json::Fields& fields, UserInput& input) {
  input.name = fields.find_text("name", {.min_bytes = 1, .max_bytes = 255});
  input.image = fields.find_text("image", {.min_bytes = 1, .max_bytes = 2048});
  input.role = fields.find_word("role", kRoles);
  input.custom = fields.find_raw_object("custom", kMaxCustomBytes);
}

Response show(int status, const User& user) {
  json::Writer out;
  out.object().key("user").raw(user_json(user)).end();
  return http::json(status, out.take());
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

Response upsert(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  auto inputs = read_upsert(document.root());
  auto results = upsert_users(tx, services.bus, Caller::of(request), inputs, services.clock.now());
  json::Writer out;
  out.object().key("results").array();
  for (const auto& result : results) {
    out.object().field("status", result.refused ? "refused" : result.created ? "created" : "updated");
    if (!result.refused) out.key("user").raw(user_json(result.user));
    else out.key("error").object().field("code", row_of(Code::conflict).word)
             .field("detail", "This user was deleted; its id can't come back.").end();
    out.end();
  }
  out.end().end();
  return http::json(200, out.take());
}

Response query(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto wanted = listing().read(body, services.cursors, tx.app().text() + "|users", 1);
  body.finish();
  auto page = query_users(tx, wanted, services.cursors);
  json::Writer out;
  out.object().key("users").array();
  for (const auto& user : page.items) out.raw(user_json(user));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

std::vector<std::string> read_unset(json::Fields& body) {
  auto names = body.find_texts("unset", 50, {.min_bytes = 1});
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    const auto& name = (*names)[i];
    if (name != "name" && name != "image" && name != "custom" && !name.starts_with("custom."))
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; name, image, custom and custom.<key> can.");
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
  return show(200, update_user(tx, services.bus, Caller::of(request), request.part("user_id"), change, services.clock.now()));
}

Response deactivate(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(200, set_deactivated(tx, services.bus, Caller::of(request), request.part("user_id"), true, services.clock.now()));
}

Response reactivate(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  return show(200, set_deactivated(tx, services.bus, Caller::of(request), request.part("user_id"), false, services.clock.now()));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query parameters(request);
  auto mode = parameters.find_word("mode", {"soft", "hard"});
  parameters.finish();
  delete_user(tx, services.bus, Caller::of(request), request.part("user_id"), mode == "hard", services.clock.now());
  return http::no_content();
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
  add(Method::get, "/{user_id}", "get_user", Access::user_or_server,
      [](const Services&, const Request& request, Tx& tx) { return show(200, get_user(tx, request.part("user_id"))); },
      storage::Mode::read);
  add(Method::patch, "/{user_id}", "update_user", Access::user_or_server, update);
  add(Method::post, "/{user_id}/deactivate", "deactivate_user", Access::server, deactivate);
  add(Method::post, "/{user_id}/reactivate", "reactivate_user", Access::server, reactivate);
  add(Method::del, "/{user_id}", "delete_user", Access::server, remove);
  add(Method::post, "/{user_id}/revoke_tokens", "revoke_user_tokens", Access::server, revoke);
}

}  // namespace chat::users
