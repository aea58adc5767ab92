#include "platform/chat/teams/teams_http.h"

#include "platform/base/json.h"
#include "platform/chat/teams/teams.h"
#include "tenants/own_audit.h"
#include "tenants/tokens.h"

namespace chat::teams {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr json::Text kName{.min_bytes = 1, .max_bytes = 255};

std::string object_of(const std::string& team_id) { return "team:" + team_id; }

Response show(int status, const Team& team) {
  json::Writer out;
  out.object().key("team").raw(team_json(team)).end();
  return http::json(status, out.take());
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto team_id = body.text("team_id", {.min_bytes = 1});
  if (!team_id.empty() && !tenants::is_user_id(team_id)) body.mistake("team_id", "Must be 1-255 of A-Z a-z 0-9 _ - . @");
  const auto name = body.find_text("name", kName);
  const auto custom = body.find_raw_object("custom", kMaxCustomBytes);
  body.finish();
  const auto now = services.clock.now();
  const auto team = create_team(tx, team_id, name, custom, services.max_teams(tenants::Caller::of(request)), now);
  tenants::note_own(tx, request, "team.create", object_of(team_id), std::nullopt, team_json(team), now);
  return show(201, team);
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  query.finish();
  const auto page = list_teams(tx, limit, next, services.cursors);
  json::Writer out;
  out.object().key("teams").array();
  for (const auto& team : page.items) out.raw(team_json(team));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response get(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(200, get_team(tx, request.part("team_id")));
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  TeamChange change;
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    change.name = fields.find_text("name", kName);
    change.custom = fields.find_raw_object("custom", kMaxCustomBytes);
    fields.check_unknown();
    body.absorb(fields);
  }
  change.unset = body.find_texts("unset", 50, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < change.unset.size(); ++i)
    if (const auto& name = change.unset[i]; name != "name" && name != "custom" && !name.starts_with("custom."))
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; name, custom and custom.<key> can.");
  body.finish();
  const auto& team_id = request.part("team_id");
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto before = team_json(get_team(tx, team_id));
  const auto team = update_team(tx, team_id, change, now);
  tenants::note_own_change(tx, request, "team.update", object_of(team_id), before, team_json(team), now);
  return show(200, team);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto& team_id = request.part("team_id");
  tenants::hold_setup(tx);
  const auto before = team_json(get_team(tx, team_id));
  delete_team(tx, team_id);
  tenants::note_own(tx, request, "team.delete", object_of(team_id), before, std::nullopt, services.clock.now());
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/teams") + pattern, .operation = operation, .access = Access::server,
                .mode = mode, .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::post, "", "create_team", create);
  add(Method::get, "", "list_teams", list, storage::Mode::read);
  add(Method::get, "/{team_id}", "get_team", get, storage::Mode::read);
  add(Method::patch, "/{team_id}", "update_team", update);
  add(Method::del, "/{team_id}", "delete_team", remove);
}

}  // namespace chat::teams
