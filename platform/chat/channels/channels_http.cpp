#include "platform/chat/channels/channels_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/overrides.h"
#include "platform/chat/users/users.h"
#include "tenants/tokens.h"

namespace chat::channels {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr int kInlineMembers = 100;

void write_membership(json::Writer& out, Actions actions, const std::optional<Member>& membership) {
  if (membership) out.key("membership").raw(member_json(*membership, true));
  out.key("own_capabilities").array();
  for (auto capability : words_of(actions)) out.text(capability);
  out.end();
}

Response show_state(int status, const Services& services, const Request& request, Tx& tx, const std::string& type,
                    const std::string& id, const std::string& acting_user, bool with_watchers = false) {
  auto opened = open_channel(tx, Caller::of(request), type, id, acting_user);
  json::Writer out;
  out.object().key("channel").raw(channel_json(opened.channel));
  write_membership(out, opened.actions, opened.membership);
  out.key("members").array();
  for (const auto& member : list_members(tx, opened, kInlineMembers, std::nullopt, services.cursors).items)
    out.raw(member_json(member));
  out.end();
  if (with_watchers) out.field("watcher_count", services.count_watchers(tx.app(), opened.channel.cid()));
  return http::json(status, out.end().take());
}

void read_about(json::Fields& fields, std::optional<std::string>& name, std::optional<std::string>& image,
                std::optional<std::string>& description, std::optional<std::string>& custom) {
  name = fields.find_text("name", {.min_bytes = 1, .max_bytes = 255});
  image = fields.find_text("image", {.min_bytes = 1, .max_bytes = 2048});
  description = fields.find_text("description", {.min_bytes = 1, .max_bytes = 2048});
  custom = fields.find_raw_object("custom", users::kMaxCustomBytes);
}

/// Gives what was found. Errors: as tenants::JudgeSaid
std::string judge_about(const Services& services, const Request& request, const std::string& cid, const std::string& at, std::optional<std::string>& name,
                 std::optional<std::string>& description) {
  tenants::Said said{request.part("type"), cid, {}, false};
  said.add(at + "name", name);
  said.add(at + "description", description);
  return services.names.judge(Caller::of(request), said);
}

ChannelInput read_input(const Request& request, json::Fields& body, std::size_t min_members) {
  ChannelInput input;
  read_about(body, input.name, input.image, input.description, input.custom);
  input.members = read_members(body, min_members);
  auto created_by = body.find_text("created_by");
  input.team = body.find_text("team", {.min_bytes = 1});
  input.cross_team = body.find_boolean("cross_team").value_or(false);
  body.finish();
  input.created_by = Caller::of(request).acting_user_or_none(created_by, "#/created_by");
  return input;
}

Response get_or_create(const Services& services, const Request& request, Tx& tx) {
  const auto& type = request.part("type");
  const auto& id = request.part("id");
  if (!is_channel_id(id) || id.starts_with('!')) throw invalid_field("path:id", "Must be 1-128 of A-Z a-z 0-9 _ -");
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto input = read_input(request, body, 0);
  const auto findings = judge_about(services, request, type + ":" + id, "#/", input.name, input.description);
  const auto& caller = Caller::of(request);
  auto made = get_or_create_channel(tx, services.bus, caller, type, id, input, services.caps(caller), services.clock.now());
  if (made.created && !findings.empty()) services.names.flag(tx, type + ":" + id, "", findings);
  return show_state(made.created ? 201 : 200, services, request, tx, type, id, input.created_by);
}

Response get_or_create_distinct(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto input = read_input(request, body, 1);
  const auto findings = judge_about(services, request, "", "#/", input.name, input.description);
  std::set<std::string> set;
  for (const auto& member : input.members) set.insert(member.user_id);
  if (!input.created_by.empty()) set.insert(input.created_by);
  if (set.size() < 2) throw invalid_field("#/members", "A distinct channel needs at least 2 members.");
  const auto& caller = Caller::of(request);
  input.team = team_for(tx, caller, input);
  const auto id = distinct_id({set.begin(), set.end()}, input.team);
  auto made = get_or_create_channel(tx, services.bus, caller, request.part("type"), id, input, services.caps(caller),
                                    services.clock.now(), true);
  if (made.created && !findings.empty()) services.names.flag(tx, request.part("type") + ":" + id, "", findings);
  return show_state(made.created ? 201 : 200, services, request, tx, request.part("type"), id, input.created_by);
}

std::string acting_user_in_query(const Request& request) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  return Caller::of(request).acting_user_or_none(user, "query:user_id");
}

Response show(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  const bool with_watchers = query.boolean("watchers", false);
  query.finish();
  const auto acting_user = Caller::of(request).acting_user_or_none(user, "query:user_id");
  return show_state(200, services, request, tx, request.part("type"), request.part("id"), acting_user, with_watchers);
}

std::vector<std::string> read_unset(json::Fields& body) {
  auto names = body.find_texts("unset", 50, {.min_bytes = 1});
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    const auto& name = (*names)[i];
    if (name != "name" && name != "image" && name != "description" && name != "team" && name != "custom" && !name.starts_with("custom.") &&
        name != "settings" && !(name.starts_with("settings.") && is_override(name.substr(9))))
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; name, image, description, team, custom, settings and single ones of these two can.");
  }
  return names.value_or(std::vector<std::string>{});
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  ChannelChange change;
  auto set = body.find_object("set");
  change.unset = read_unset(body);
  if (set) {
    json::Fields fields(*set, "#/set");
    read_about(fields, change.name, change.image, change.description, change.custom);
    change.frozen = fields.find_boolean("frozen");
    change.slow_mode = fields.find_integer("slow_mode", kPace);
    change.cooldown = fields.find_integer("cooldown", kPace);
    change.team = fields.find_text("team", {.min_bytes = 1});
    change.cross_team = fields.find_boolean("cross_team");
    change.overrides = find_overrides(fields, "settings");
    fields.check_unknown();
    body.absorb(fields);
  }
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "#/user_id"));
  const auto findings = judge_about(services, request, opened.channel.cid(), "#/set/", change.name, change.description);
  json::Writer out;
  out.object().key("channel").raw(channel_json(update_channel(tx, services.bus, opened, change, services.clock.now()))).end();
  if (!findings.empty()) services.names.flag(tx, opened.channel.cid(), "", findings);
  return http::json(200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  auto opened = lock_channel(tx, Caller::of(request), request.part("type"), request.part("id"), acting_user_in_query(request));
  delete_channel(tx, services.bus, opened, services.clock.now());
  return http::no_content();
}

Response query(const Services& services, const Request& request, Tx& tx) {
  const auto& caller = Caller::of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  auto acting_user = body.ok() ? caller.acting_user_or_none(user, "#/user_id") : "";
  auto wanted = listing().read(body, services.cursors, tx.app().text() + "|channels|" + acting_user, 4);
  const auto filter = body.find_object("filter");
  body.finish();
  auto page = query_channels(tx, acting_user, caller.is_server(), filter && filter->find("hidden"), wanted, services.cursors);
  json::Writer out;
  out.object().key("channels").array();
  for (const auto& listed : page.items) {
    out.object().key("channel").raw(channel_json(listed.channel));
    write_membership(out, listed.actions, listed.membership);
    out.end();
  }
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

std::vector<MemberInput> read_members(json::Fields& body, std::size_t min_items) {
  std::vector<MemberInput> members;
  std::set<std::string> seen;
  auto items = body.find_array("members", users::kMaxBatch, min_items);
  if (!items && min_items > 0 && body.ok()) body.mistake("members", "Required: 1 to 100 members.");
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    const auto& item = (*items)[i];
    const auto at = "members/" + std::to_string(i);
    MemberInput member;
    if (item.kind() == json::Kind::text) {
      member.user_id = item.text();
    } else if (item.kind() == json::Kind::object) {
      json::Fields fields(item, "#/" + at);
      member.user_id = fields.text("user_id", {.min_bytes = 1});
      member.role = fields.find_text("role", {.min_bytes = 1, .max_bytes = 32}).value_or("member");
      fields.check_unknown();
      body.absorb(fields);
    }
    if (!tenants::is_user_id(member.user_id)) body.mistake_at(at, "Must be a user_id or {\"user_id\",\"role\"}.");
    else if (!seen.insert(member.user_id).second) body.mistake_at(at, "Stands twice in this request.");
    members.push_back(std::move(member));
  }
  return members;
}

void add_channel_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write, const char* rate_class = "") {
    router.add({.method = method, .pattern = std::string("/v1/channels/") + pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .rate_class = rate_class});
  };
  add(Method::post, "query", "query_channels", query, storage::Mode::write, "read");
  add(Method::post, "{type}", "get_or_create_distinct_channel", get_or_create_distinct);
  add(Method::post, "{type}/{id}", "get_or_create_channel", get_or_create);
  add(Method::get, "{type}/{id}", "get_channel", show, storage::Mode::read);
  add(Method::patch, "{type}/{id}", "update_channel", update);
  add(Method::del, "{type}/{id}", "delete_channel", remove);
}

}  // namespace chat::channels
