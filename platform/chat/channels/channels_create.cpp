#include <algorithm>
#include <map>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/channels/channels.sql.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/read_row.h"
#include "platform/chat/users/users.h"

namespace chat::channels {
namespace {

/// The members to be, by user id, with the creator as owner.
std::map<std::string, std::string> first_members(const ChannelInput& input) {
  std::map<std::string, std::string> members;
  for (const auto& member : input.members) members[member.user_id] = member.role;
  if (!input.created_by.empty()) members[input.created_by] = word(Role::owner);
  return members;
}

struct Resolved {
  std::vector<users::FoundUser> users;
  std::optional<UserId> creator;
};

Resolved resolve_users(storage::Transaction& tx, const tenants::Caller& caller, const ChannelInput& input,
                       const std::map<std::string, std::string>& members, const std::optional<std::string>& team, const Grants& grants) {
  std::vector<std::string> wanted;
  for (const auto& [user_id, role] : members) wanted.push_back(user_id);
  Resolved resolved{users::find_candidates(tx, wanted, input.created_by, team, input.cross_team), std::nullopt};
  std::vector<FieldError> missing;
  for (const auto& user_id : wanted) {
    auto found = std::find_if(resolved.users.begin(), resolved.users.end(),
                              [&](const auto& user) { return user.user_id == user_id; });
    if (found == resolved.users.end())
      missing.push_back({user_id == input.created_by ? "#/created_by" : "#/members", "No such user: " + user_id + "."});
    else if (user_id == input.created_by) resolved.creator = found->id;
    if (found != resolved.users.end() && user_id == input.created_by && !caller.is_server() && !may_create(found->type, grants))
      throw forbidden("This needs chat:channel:create, which this type of channel does not give to " + found->type + " users.");
  }
  if (!missing.empty())
    throw Error(Code::not_found, team ? "Some users do not exist, or are not in this team." : "Some users do not exist; create them with POST /v1/users.",
                std::move(missing));
  return resolved;
}

void check_not_blocked(storage::Transaction& tx, UserId one, UserId other) {
  tx.query(sql::lock_pair, tx.app(), one, other);
  if (tx.find(sql::one_blocks_the_other, tx.app(), one, other)) throw forbidden("One of these two users has blocked the other.");
}

/// Of a user with its own token. The user is held: two channels at once are counted one after the other.
void check_pace(storage::Transaction& tx, const tenants::Caller& caller, const std::optional<UserId>& creator, const Caps& caps, Timestamp now) {
  if (caller.is_server() || !creator || caps.created_a_day == Caps::kNoCap) return;
  tx.query(sql::hold_creator, tx.app(), *creator);
  if (tx.query(sql::count_created, tx.app(), *creator, now - std::chrono::hours(24), caps.created_a_day)[0].integer(0) >= caps.created_a_day)
    throw Error(Code::limit_reached, "The plan allows a user to create " + std::to_string(caps.created_a_day) + " channels in 24 hours.",
                {{"limit:user_channels_created", "Too many new channels of one user."}});
}

std::string new_epoch() { return crypto::hex(crypto::random_bytes(4)); }

void insert_members(storage::Transaction& tx, const Channel& channel, const std::vector<users::FoundUser>& found,
                    const std::map<std::string, std::string>& members, const Caps& caps, Timestamp now) {
  text::ArrayLiteral ids, roles;
  for (const auto& user : found) {
    ids.add(user.id.text());
    roles.add(members.at(user.user_id));
  }
  const auto wanted = ids.take();
  hold_memberships(tx, wanted, caps);
  tx.run(sql::insert_first_members, tx.app(), channel.id, wanted, roles.take(), now);
  check_memberships(tx, wanted, caps);
}

}  // namespace

std::string distinct_id(std::vector<std::string> user_ids, const std::optional<std::string>& team) {
  std::sort(user_ids.begin(), user_ids.end());
  std::string joined;
  for (const auto& user_id : user_ids) joined += user_id + "\n";
  if (team) joined += "\n" + *team;
  return "!" + crypto::hex(crypto::sha256(joined)).substr(0, 40);
}

std::optional<std::string> team_for(storage::Transaction& tx, const tenants::Caller& caller, const ChannelInput& input) {
  if (input.cross_team && !input.created_by.empty()) throw forbidden("Only a server acting for nobody opens a channel to all teams.");
  const auto no_such = [&] { return Error(Code::not_found, "No such team: " + *input.team + ".", {{"#/team", "No such team."}}); };
  if (input.team && !tx.find(sql::hold_team, tx.app(), *input.team)) throw no_such();
  if (input.created_by.empty() || !caller.application().settings.separates_channels()) return input.team;
  std::vector<std::string> own;
  auto rows = tx.query(sql::teams_of, tx.app(), input.created_by);
  for (auto row : rows) own.emplace_back(row.text(0));
  if (input.team) {
    if (std::find(own.begin(), own.end(), *input.team) == own.end()) throw no_such();
    return input.team;
  }
  if (own.size() > 1) throw invalid_field("#/team", "Required: which of the creator's teams?");
  return own.empty() ? std::nullopt : std::optional(own.front());
}

Created get_or_create_channel(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                              const std::string& type, const std::string& channel_id, const ChannelInput& input,
                              const Caps& caps, Timestamp now, bool distinct) {
  const auto settings = get_channel_type(tx, type).settings;
  try {
    if (auto opened = try_open(tx, type, channel_id, input.created_by)) return {false, std::move(opened->channel)};
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    throw forbidden("This channel exists and you are not a member of it.");
  }
  const auto members = first_members(input);
  check_roles(input.members, settings.grants);
  if (static_cast<std::int64_t>(members.size()) > caps.members)
    throw Error(Code::limit_reached, "The plan allows " + std::to_string(caps.members) + " members in a channel.",
                {{"#/members", "Too many members."}, {"limit:channel_members", "Reached."}});
  const auto team = team_for(tx, caller, input);
  const auto resolved = resolve_users(tx, caller, input, members, team, settings.grants);
  if (distinct && resolved.users.size() == 2) check_not_blocked(tx, resolved.users[0].id, resolved.users[1].id);
  check_pace(tx, caller, resolved.creator, caps, now);
  const ChannelId id = ChannelId::make(now);
  if (!tx.find(sql::insert_channel, tx.app(), id, type, channel_id, input.name, input.image, input.description, input.custom,
               distinct, resolved.creator, now, settings.slow_mode, settings.cooldown, team, input.cross_team))
    return get_or_create_channel(tx, bus, caller, type, channel_id, input, caps, now, distinct);   // made meanwhile
  tx.run(sql::insert_head, tx.app(), id, new_epoch(), resolved.users.size());
  Created made{true, read_channel(tx.query(sql::get_channel, tx.app(), id)[0])};
  if (!resolved.users.empty()) insert_members(tx, made.channel, resolved.users, members, caps, now);
  made.channel.last_seq = 1;
  json::Writer data;
  data.object().key("channel").raw(channel_json(made.channel)).end();
  Draft created{.type = kChannelCreated, .data = data.take()};
  for (const auto& user : resolved.users) created.joined.push_back(user.user_id);
  tell(tx, bus, made.channel, now, {std::move(created)});
  return made;
}

}  // namespace chat::channels
