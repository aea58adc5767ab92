#include "platform/chat/channels/explain.h"

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels.sql.h"
#include "platform/chat/channels/overrides.h"
#include "platform/chat/channels/read_row.h"
#include "tenants/applications.h"

namespace chat::channels {
namespace {

struct Asked {
  Action action{};
  bool deactivated = false, reached = false, blocked = false, open = false, frozen = false;
  std::optional<bool> shadow;                  // of a ban; none: not banned
  std::string user_type;
  TypeSettings settings;
  std::optional<std::string> role, team_role;
};

std::string name(Action action) { return std::string(word(action)); }

Asked read(const storage::Row& row, const std::string& user_id, Action action) {
  Asked asked;
  asked.action = action;
  const auto channel = read_channel(row);
  asked.settings = parse_type_settings(std::string(row.text(kChannelColumns)));
  apply_overrides(asked.settings, channel.overrides);
  asked.open = asked.settings.open;
  asked.frozen = channel.frozen;
  if (row.is_null(kChannelColumns + 1)) throw Error(Code::not_found, "No such user: " + user_id + ".", {{"query:user_id", "No such user."}});
  asked.deactivated = row.boolean(kChannelColumns + 2);
  asked.reached = row.boolean(row.column("reached"));
  asked.blocked = row.boolean(row.column("blocked"));
  asked.user_type = row.text(row.column("user_type"));
  if (const auto member = read_member(row, kChannelColumns + 3)) asked.role = member->role;
  asked.team_role = row.optional_text(row.column("team_role"));
  const int ban = kChannelColumns + 3 + kMemberColumns;
  if (!row.is_null(ban)) asked.shadow = row.boolean(ban);
  return asked;
}

Explanation no(std::string_view rule, std::string detail) { return {false, rule, std::move(detail), {}, {}}; }

std::optional<Explanation> find_outside(const Asked& asked) {
  if (asked.deactivated) return no("user_deactivated", "The user is deactivated.");
  if (!asked.reached) return no("team", "The channel is of another team than the user's; for it there is no such channel.");
  if (!asked.role && !asked.open) return no("not_a_member", "The user is no member, and channels of this type are closed to others.");
  if (asked.user_type == "anonymous" && !allows(kAnonymousActions, asked.action)) return no("anonymous_user", "Anonymous users only read.");
  if (asked.blocked && !allows(kBlockedActions, asked.action)) return no("direct_channel_blocked", "One of the two users of this channel has blocked the other.");
  if (asked.shadow && !*asked.shadow) return no("banned", "The user is banned from this channel, or from the application.");
  return std::nullopt;
}

/// Where the actions of the role come from, and whether this one is among them.
Explanation of_role(const Asked& asked) {
  const auto& grants = asked.settings.grants;
  const auto role = asked.role.value_or("");
  const std::string named = role.empty() ? std::string(kAnyone) : role;
  const bool allowed = allows(actions_of(role, asked.open, grants), asked.action);
  const std::string does = allowed ? " have " : " do not have ";
  const bool own = !role.empty() && !is_built_in(role);
  if (grants.contains(named)) return {allowed, "type_grants", "The channel's type grants " + named + " a list of actions; they" + does + name(asked.action) + ".", {}, {}};
  if (own && grants.contains(word(Role::member)))
    return {allowed, "type_grants_of_member",
            "The type does not name " + named + ", so that it has what the type grants member; those" + does + name(asked.action) + ".", {}, {}};
  return {allowed, role.empty() ? "default_of_anyone" : "default_of_role",
          "The type does not name " + named + "; by default it " + (own ? "is as good as member, and " : "") + (allowed ? "has " : "does not have ") +
              name(asked.action) + ".", {}, {}};
}

/// Switches and states that a role does not overrule.
std::optional<Explanation> find_state(const Asked& asked, Actions actions) {
  struct Switch { Action action; bool TypeSettings::* flag; const char* setting; };
  static constexpr Switch kSwitches[] = {
      {Action::send_reply, &TypeSettings::replies, "replies"},     {Action::add_reaction, &TypeSettings::reactions, "reactions"},
      {Action::upload_files, &TypeSettings::uploads, "uploads"},   {Action::create_poll, &TypeSettings::polls, "polls"},
      {Action::send_typing, &TypeSettings::typing_events, "typing_events"}};
  for (const auto& one : kSwitches)
    if (asked.action == one.action && !(asked.settings.*one.flag))
      return no("setting_off", std::string("The setting ") + one.setting + " is off, of the channel or of its type.");
  const bool sends = asked.action == Action::send_message || asked.action == Action::send_reply;
  if (asked.frozen && sends && !allows(actions, Action::send_in_frozen))
    return no("channel_frozen", "The channel is frozen, and the role does not have " + name(Action::send_in_frozen) + ".");
  return std::nullopt;
}

Explanation of_creation(const Asked& asked) {
  const std::string named = std::string(kOfUserType) + asked.user_type;
  const bool allowed = may_create(asked.user_type, asked.settings.grants), given = asked.settings.grants.contains(named);
  return {allowed, given ? "type_grants" : "default_of_user_type",
          (given ? "The channel's type says what " + named + " may" : "The type does not name " + named + "; by default regular users alone create channels") +
              ": this one " + (allowed ? "may." : "may not."), {}, {}};
}

Explanation decide(const Asked& asked) {
  if (asked.action == Action::create_channel) return asked.deactivated ? no("user_deactivated", "The user is deactivated.") : of_creation(asked);
  if (auto refused = find_outside(asked)) return *refused;
  const auto& grants = asked.settings.grants;
  const auto actions = actions_of(asked.role.value_or(""), asked.open, grants, asked.team_role.value_or(""));
  auto answer = of_role(asked);
  if (!answer.allowed && allows(actions, asked.action))
    answer = {true, "team_role", "The type grants the user's role in the channel's team, " + *asked.team_role + ", " + name(asked.action) + ".", {}, {}};
  if (!allows(actions, Action::read_channel)) return no("may_not_read", "The role does not have " + name(Action::read_channel) + ": for this user there is no such channel.");
  if (answer.allowed)
    if (auto refused = find_state(asked, actions)) return *refused;
  return answer;
}

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

Response show(const Request& request, Tx& tx) {
  http::Query query(request);
  const auto user = query.find_text("user_id");
  const auto action_word = query.find_text("action");
  query.finish();
  const auto action = parse_action(action_word.value_or(""));
  if (!user) throw invalid_field("query:user_id", "Required: whom is it about?");
  if (!action) throw invalid_field("query:action", "Required: one of the actions, as own_capabilities names them.");
  const auto found = explain(tx, request.part("type"), request.part("id"), *user, *action);
  json::Writer out;
  out.object().key("explanation").object()
      .field("cid", request.part("type") + ":" + request.part("id"))
      .field("user_id", *user)
      .field("action", word(*action))
      .key("allowed").boolean(found.allowed)
      .field("rule", found.rule)
      .field("detail", found.detail)
      .optional_field("role", found.role)
      .optional_field("team_role", found.team_role)
      .end().end();
  return http::json(200, out.take());
}

}  // namespace

Explanation explain(storage::Transaction& tx, const std::string& type, const std::string& channel_id, const std::string& user_id, Action action) {
  text::ArrayLiteral types, ids;
  types.add(type);
  ids.add(channel_id);
  const auto rows = tx.query(sql::open_channels, tx.app(), types.take(), ids.take(), user_id);
  if (rows.empty()) throw not_found("channel");
  const auto asked = read(rows[0], user_id, action);
  auto answer = decide(asked);
  answer.role = asked.role;
  answer.team_role = asked.team_role;
  return answer;
}

void add_explain_routes(http::Router& router) {
  router.add({.method = Method::get, .pattern = "/v1/channels/{type}/{id}/explain", .operation = "explain_permission", .access = Access::server,
              .mode = storage::Mode::read, .handler = show});
}

void add_operator_explain_routes(http::Router& router) {
  router.add({.method = Method::get, .pattern = "/operator/v1/applications/{app_id}/channels/{type}/{id}/explain",
              .operation = "explain_application_permission", .access = Access::operator_only, .mode = storage::Mode::read,
              .handler = [](const Request& request, Tx& tx) {
                tenants::resolve_application(tx, request.part("app_id"));
                return show(request, tx);
              }});
}

}  // namespace chat::channels
