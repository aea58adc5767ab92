#include "platform/chat/moderation/reviewer.h"

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/moderation/reviewer.sql.h"

namespace chat::moderation {
namespace {

using channels::Action;

bool may_review(std::string_view role, const channels::Grants& grants) {
  return channels::allows(channels::actions_of(role, false, grants), Action::review_flags);
}

bus::Event event_of(storage::Transaction& tx, std::string_view type, std::string data, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.created_at = now;
  event.data = std::move(data);
  return event;
}

}  // namespace

ReviewRoles review_roles(storage::Transaction& tx) {
  text::ArrayLiteral members, teams;
  for (const auto& type : channels::list_channel_types(tx)) {
    const auto& grants = type.settings.grants;
    for (auto role : {channels::Role::member, channels::Role::moderator, channels::Role::admin, channels::Role::owner})
      if (may_review(channels::word(role), grants)) members.add(type.type + "/" + std::string(channels::word(role)));
    for (const auto& [role, actions] : grants) {
      if (!channels::allows(actions, Action::review_flags) || role == channels::kAnyone || role.starts_with(channels::kOfUserType)) continue;
      if (!channels::is_built_in(role)) members.add(type.type + "/" + role);
      teams.add(type.type + "/" + role);
    }
  }
  return {members.take(), teams.take()};
}

std::optional<UserId> reviewer_id(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::find_reviewer, tx.app(), user_id);
  return rows ? std::optional(UserId{(*rows)[0].uuid(0)}) : std::nullopt;
}

Reviewer reviewer_named(storage::Transaction& tx, const std::string& user_id) {
  Reviewer reviewer;
  auto rows = tx.find(sql::find_reviewer, tx.app(), user_id);
  if (!rows) throw not_found("user");
  const auto row = (*rows)[0];
  if (row.boolean(2)) throw Error(Code::user_deactivated, "This user is deactivated.");
  if (row.boolean(3)) throw forbidden("Anonymous users only read.");
  reviewer.user_id = user_id;
  reviewer.id = UserId{row.uuid(0)};
  reviewer.whole = row.boolean(1);
  reviewer.is_admin = row.boolean(4);
  if (reviewer.whole) return reviewer;
  auto roles = review_roles(tx);
  reviewer.roles = std::move(roles.members);
  reviewer.team_roles = std::move(roles.teams);
  return reviewer;
}

Reviewer reviewer_of(storage::Transaction& tx, const tenants::Caller& caller, const std::string& acting_user) {
  INVARIANT(!acting_user.empty() || caller.is_server(), "only a server acts for nobody");
  if (!acting_user.empty()) return reviewer_named(tx, acting_user);
  return {};
}

void tell_moderators(storage::Transaction& tx, bus::Bus& bus, const Told& told, Timestamp now) {
  auto event = event_of(tx, told.type, told.data, now);
  event.reach = bus::Reach::application;
  event.cid = told.cid;
  if (told.channel) event.channel = *told.channel;
  bus::emit(tx, bus, event);
  if (!told.channel) return;
  auto rows = tx.query(sql::list_moderators, tx.app(), *told.channel, review_roles(tx).members, kMaxModerators);
  for (auto row : rows) {
    if (told.about && row.text(0) == *told.about) continue;
    event.id = EventId::make(now);
    event.reach = bus::Reach::devices;
    event.user_id = row.text(0);
    bus::emit(tx, bus, event);
  }
}

void tell_user(storage::Transaction& tx, bus::Bus& bus, const Recipient& to, std::string_view type, std::string data, Timestamp now) {
  auto event = event_of(tx, type, std::move(data), now);
  event.reach = to.servers ? bus::Reach::user : bus::Reach::devices;
  event.user_id = to.user_id;
  bus::emit(tx, bus, std::move(event));
}

channels::Opened open_for(storage::Transaction& tx, const Reviewer& reviewer, const std::string& cid, Action needed) {
  const auto colon = cid.find(':');
  const auto type = cid.substr(0, colon), id = cid.substr(colon + 1);
  channels::lock_head(tx, type, id);
  const bool as_itself = reviewer.id && !reviewer.whole;
  auto opened = channels::open_channel_as(tx, type, id, as_itself ? reviewer.user_id : "");
  if (as_itself) opened.require(needed);
  else if (reviewer.id) {
    opened.acting_user = reviewer.user_id;
    opened.acting_id = reviewer.id;
    opened.membership.emplace().role = channels::word(channels::Role::owner);   // nobody in the channel ranks above the application's
  }
  return opened;
}

std::string by_of(const Reviewer& reviewer) { return reviewer.id ? "moderator" : "server"; }

}  // namespace chat::moderation
