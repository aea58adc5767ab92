#include "platform/chat/channels/members.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/members.sql.h"
#include "platform/chat/channels/ownership.h"
#include "platform/chat/channels/read_row.h"
#include "platform/chat/users/users.h"

namespace chat::channels {
namespace {

std::unordered_map<std::string, Member> read_members(storage::Transaction& tx, const Channel& channel, std::string ids) {
  std::unordered_map<std::string, Member> members;
  auto rows = tx.query(sql::get_members, tx.app(), channel.id, ids);
  for (auto row : rows) {
    auto member = *read_member(row, 0);
    members[member.user_id] = member;
  }
  return members;
}

Role own_role(const Opened& opened) {
  if (opened.acting_user.empty()) return Role::owner;
  return opened.membership ? rank_of(opened.membership->role) : Role::none;
}

void count_in(storage::Transaction& tx, const Channel& channel, std::size_t more, std::int64_t max_members, const char* pointer) {
  if (tx.query(sql::change_member_count, tx.app(), channel.id, more)[0].integer(0) <= max_members) return;
  throw Error(Code::limit_reached, "The plan allows " + std::to_string(max_members) + " members in a channel.",
              {{pointer, "Too many members."}, {"limit:channel_members", "Reached."}});
}

bool is_last_owner(storage::Transaction& tx, const Channel& channel, const Member& member) {
  return member.role == word(Role::owner) && tx.query(sql::count_owners, tx.app(), channel.id)[0].integer(0) == 1;
}

/// Inserts those who are not members yet and says who they were.
std::unordered_set<std::string> insert(storage::Transaction& tx, const Channel& channel,
                                       const std::vector<users::FoundUser>& found, const std::vector<MemberInput>& inputs,
                                       const Caps& caps, Timestamp now) {
  text::ArrayLiteral ids, roles;
  std::unordered_map<Uuid, std::string> names;
  for (const auto& user : found) {
    auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.user_id == user.user_id; });
    ids.add(user.id.text());
    roles.add(input->role);
    names[user.id.uuid] = user.user_id;
  }
  std::unordered_set<std::string> added;
  const auto wanted = ids.take();
  hold_memberships(tx, wanted, caps);
  auto rows = tx.query(sql::insert_members, tx.app(), channel.id, wanted, roles.take(), now);
  check_memberships(tx, wanted, caps);
  for (auto row : rows) added.insert(names.at(row.uuid(0)));
  return added;
}

}  // namespace

// Two channels at once: whoever is let into both is counted by the one after the other.
void hold_memberships(storage::Transaction& tx, const std::string& users, const Caps& caps) {
  if (caps.memberships != Caps::kNoCap) tx.query(sql::hold_users, tx.app(), users);
}

void check_memberships(storage::Transaction& tx, const std::string& users, const Caps& caps) {
  if (caps.memberships == Caps::kNoCap) return;
  if (auto full = tx.find(sql::find_beyond_memberships, tx.app(), users, caps.memberships))
    throw Error(Code::limit_reached, "The plan allows " + std::to_string(caps.memberships) + " channels to a user; this would be one more of " +
                                         std::string((*full)[0].text(0)) + ".",
                {{"limit:user_memberships", "Too many channels of one user."}});
}

void check_rank(const Opened& opened, Role theirs) {
  if (own_role(opened) < theirs) throw forbidden("Your role in this channel is below " + std::string(word(theirs)) + ".");
}

std::string member_data(const Member& member) {
  json::Writer out;
  out.object().key("member").raw(member_json(member)).end();
  return out.take();
}

void check_custom_size(std::int64_t bytes, const char* pointer) {
  if (bytes > static_cast<std::int64_t>(users::kMaxCustomBytes) + 1024)
    throw invalid_field(pointer, "The member's custom data would exceed 5 KiB.");
}

void check_roles(const std::vector<MemberInput>& members, const Grants& grants) {
  std::vector<FieldError> mistakes;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (!is_role_of(members[i].role, grants))
      mistakes.push_back({"#/members/" + std::to_string(i) + "/role", "This channel's type has no role " + members[i].role + "."});
  if (!mistakes.empty()) throw Error(Code::invalid_field, "The channel's type does not know some roles.", std::move(mistakes));
}

std::vector<AddResult> add_members(storage::Transaction& tx, bus::Bus& bus, const Opened& opened,
                                   const std::vector<MemberInput>& inputs, const Caps& caps, Timestamp now) {
  opened.require(Action::add_members);
  check_roles(inputs, opened.settings.grants);
  std::vector<std::string> wanted;
  for (const auto& input : inputs) {
    check_rank(opened, rank_of(input.role));
    wanted.push_back(input.user_id);
  }
  const auto found = users::find_candidates(tx, wanted, opened.acting_user, opened.channel.team, opened.channel.cross_team);
  const auto added = insert(tx, opened.channel, found, inputs, caps, now);
  if (!added.empty()) count_in(tx, opened.channel, added.size(), caps.members, "#/members");
  text::ArrayLiteral ids;
  for (const auto& user : found) ids.add(user.id.text());
  const auto members = read_members(tx, opened.channel, ids.take());
  std::vector<AddResult> results;
  std::vector<Draft> drafts;
  for (const auto& input : inputs) {
    auto member = members.find(input.user_id);
    if (member == members.end()) {
      results.push_back({AddResult::Status::no_such_user, std::nullopt});
      continue;
    }
    const bool is_new = added.contains(input.user_id);
    results.push_back({is_new ? AddResult::Status::added : AddResult::Status::unchanged, member->second});
    if (is_new) drafts.push_back({.type = kMemberAdded, .data = member_data(member->second), .joined = {input.user_id}});
  }
  tell(tx, bus, opened.channel, now, std::move(drafts));
  return results;
}

Admitted admit_member(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, UserId id,
                      const std::string& role, const Caps& caps, Timestamp now) {
  const auto added = insert(tx, channel, {{user_id, id, ""}}, {{user_id, role}}, caps, now);
  if (!added.empty()) count_in(tx, channel, 1, caps.members, "path:id");
  Admitted admitted{!added.empty(), get_member(tx, channel, user_id)};
  if (admitted.is_new) tell(tx, bus, channel, now, {{.type = kMemberAdded, .data = member_data(admitted.member), .joined = {user_id}}});
  return admitted;
}

Admitted join_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const Caps& caps, Timestamp now) {
  if (opened.membership) return {false, *opened.membership};
  opened.require(Action::join_channel);
  return admit_member(tx, bus, opened.channel, opened.acting_user, *opened.acting_id, std::string(word(Role::member)), caps, now);
}

Member get_member(storage::Transaction& tx, const Channel& channel, const std::string& user_id) {
  auto rows = tx.find(sql::get_member, tx.app(), channel.id, user_id);
  if (!rows) throw not_found("member");
  return *read_member((*rows)[0], 0);
}

Member update_member(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id,
                     const MemberChange& change, Timestamp now) {
  opened.require(Action::update_members);
  Member member = get_member(tx, opened.channel, user_id);
  check_rank(opened, rank_of(member.role));
  if (change.role) check_rank(opened, rank_of(*change.role));
  if (change.role && !is_role_of(*change.role, opened.settings.grants))
    throw invalid_field("#/role", "This channel's type has no role " + *change.role + ".");
  const auto role = change.role.value_or(member.role);
  if (member.role == role && !change.custom) return member;
  if (member.role != role && !opened.acting_user.empty() && is_last_owner(tx, opened.channel, member))
    throw Error(Code::conflict, "This is the channel's last owner: transfer the ownership instead.", {{"#/role", "The last owner."}});
  auto rows = tx.query(sql::update_member, tx.app(), opened.channel.id, member.id, role, change.custom, now);
  check_custom_size(rows[0].integer(0), "#/custom");
  member = get_member(tx, opened.channel, user_id);
  tell(tx, bus, opened.channel, now, {{.type = kMemberUpdated, .data = member_data(member)}});
  return member;
}

void remove_member(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now) {
  const bool leaves = !opened.acting_user.empty() && opened.acting_user == user_id;
  opened.require(leaves ? Action::leave_channel : Action::remove_members);
  const Member member = get_member(tx, opened.channel, user_id);
  if (!leaves) check_rank(opened, rank_of(member.role));
  tx.run(sql::delete_member, tx.app(), opened.channel.id, member.id);
  tx.query(sql::change_member_count, tx.app(), opened.channel.id, -1);
  tell(tx, bus, opened.channel, now, {{.type = kMemberRemoved, .data = member_data(member), .left = {user_id}}});
  if (member.role == word(Role::owner)) pass_on(tx, bus, opened.channel, "", now);
}

storage::Page<Member> list_members(storage::Transaction& tx, const Opened& opened, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|members|" + opened.channel.id.text();
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  storage::Page<Member> page;
  auto rows = tx.query(sql::list_members, tx.app(), opened.channel.id, after, limit + 1, opened.acting_user.empty());
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(*read_member(rows[i], 0));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

}  // namespace chat::channels
