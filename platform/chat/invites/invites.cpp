#include "platform/chat/invites/invites.h"

#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/invites/invites.sql.h"
#include "platform/chat/invites/invites_events.h"
#include "platform/chat/users/users.h"

namespace chat::invites {
namespace {

using channels::Channel;
using channels::Opened;

std::string_view word(State state) {
  return state == State::pending ? "pending" : state == State::accepted ? "accepted" : "rejected";
}

constexpr int kInvitee = 11, kChannel = 12;    // columns of the ids

Invite read_invite(const storage::Row& row) {
  Invite invite;
  invite.cid = row.text(0);
  invite.name = row.optional_text(1);
  invite.image = row.optional_text(2);
  invite.member_count = row.integer(3);
  invite.user_id = row.text(4);
  invite.invited_by = row.optional_text(5);
  invite.role = row.text(6);
  invite.text = row.optional_text(7);
  const auto state = row.text(8);
  invite.state = state == "pending" ? State::pending : state == "accepted" ? State::accepted : State::rejected;
  invite.created_at = row.time(9);
  invite.answered_at = row.optional_time(10);
  return invite;
}

std::unordered_map<std::string, Invite> get_invites(storage::Transaction& tx, const Channel& channel, const std::vector<std::string>& users) {
  text::ArrayLiteral wanted;
  for (const auto& user : users) wanted.add(user);
  std::unordered_map<std::string, Invite> invites;
  auto rows = tx.query(sql::get_invites, tx.app(), channel.id, wanted.take());
  for (auto row : rows) {
    auto invite = read_invite(row);
    invites.emplace(invite.user_id, std::move(invite));
  }
  return invites;
}

void tell(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, std::string_view type,
          const Invite& invite, Timestamp now) {
  json::Writer data;
  data.object().key("invite").raw(invite_json(invite)).end();
  channels::tell_user(tx, bus, channel, user_id, now, type, data.take());
}

/// `type`: invite.created, .accepted, .rejected, .revoked
void count_change(storage::Transaction& tx, std::string_view type) {
  tx.after_commit([change = std::string(type.substr(type.find('.') + 1))] {
    metrics::counter("chat_invites_changed_total", "Invitations made, accepted, rejected and taken back.", {{"change", change}}).add();
  });
}

void tell_both(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, std::string_view type, const Invite& invite, Timestamp now) {
  count_change(tx, type);
  tell(tx, bus, channel, invite.user_id, type, invite, now);
  if (invite.invited_by && *invite.invited_by != invite.user_id) tell(tx, bus, channel, *invite.invited_by, type, invite, now);
}

/// Nobody invites to a role above the own.
void check_roles(const Opened& opened, const std::vector<channels::MemberInput>& users) {
  channels::check_roles(users, opened.settings.grants);
  const auto own = opened.acting_user.empty() ? channels::Role::owner
                   : opened.membership        ? channels::rank_of(opened.membership->role)
                                              : channels::Role::none;
  for (const auto& user : users)
    if (channels::rank_of(user.role) > own) throw forbidden("Your role in this channel is below " + user.role + ".");
}

struct Candidate {
  UserId id;
  std::string standing;                        // free | pending | member | blocked | anonymous
};

std::unordered_map<std::string, Candidate> find_candidates(storage::Transaction& tx, const Opened& opened, const InviteInput& input) {
  text::ArrayLiteral wanted;
  for (const auto& user : input.users) wanted.add(user.user_id);
  std::unordered_map<std::string, Candidate> candidates;
  const auto user_ids = wanted.take();
  tx.query(sql::lock_invitees, tx.app(), user_ids, opened.acting_id);
  auto rows = tx.query(sql::find_invitees, tx.app(), opened.channel.id, user_ids, opened.acting_id);
  for (auto row : rows) candidates[std::string(row.text(0))] = {UserId{row.uuid(1)}, std::string(row.text(2))};
  return candidates;
}

/// How many more invitations there may be.
class Room {
 public:
  Room(storage::Transaction& tx, const Channel& channel, const std::unordered_map<std::string, Candidate>& candidates) {
    text::ArrayLiteral users;
    for (const auto& [user_id, candidate] : candidates) users.add(candidate.id.text());
    auto rows = tx.query(sql::count_pending, tx.app(), channel.id, users.take());
    for (auto row : rows)
      if (auto user = row.optional_uuid(0)) of_users_[*user] = row.integer(1);
      else of_channel_ = row.integer(1);
  }
  bool take(UserId user) {
    if (of_channel_ >= kMaxPending || of_users_[user.uuid] >= kMaxPending) return false;
    ++of_channel_;
    return true;
  }

 private:
  std::int64_t of_channel_ = 0;
  std::unordered_map<Uuid, std::int64_t> of_users_;
};

Status standing_of(const std::unordered_map<std::string, Candidate>& candidates, const std::string& user_id) {
  auto found = candidates.find(user_id);
  if (found == candidates.end()) return Status::no_such_user;
  const auto& standing = found->second.standing;
  if (standing == "member") return Status::member;
  if (standing == "blocked" || standing == "anonymous") return Status::blocked;
  return standing == "pending" ? Status::unchanged : Status::invited;
}

/// Under the head's lock.
struct Found {
  Channel channel;
  UserId user;
  std::optional<Invite> invite;
};
Found find_invite(storage::Transaction& tx, const std::string& type, const std::string& channel_id, const std::string& user_id) {
  auto channel = channels::lock_head(tx, type, channel_id);
  const auto users = users::find_candidates(tx, {user_id}, "", channel.team, channel.cross_team);
  if (users.empty()) throw not_found("invite");
  auto invites = get_invites(tx, channel, {user_id});
  auto invite = invites.find(user_id);
  return {std::move(channel), users.front().id, invite == invites.end() ? std::nullopt : std::optional<Invite>(invite->second)};
}

void answer(storage::Transaction& tx, const Found& found, Invite& invite, State state, Timestamp now) {
  tx.run(sql::answer_invite, tx.app(), found.channel.id, found.user, word(state), now);
  invite.state = state;
  invite.answered_at = now;
}

storage::Page<Invite> page_of(const storage::Rows& rows, int limit, int tie, const std::string& scope, const storage::Cursors& cursors) {
  storage::Page<Invite> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_invite(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {format_time(rows[limit - 1].time(9)), rows[limit - 1].uuid(tie).text()});
  return page;
}

struct Position {
  std::optional<std::string> time, id;
};
Position position_of(const std::optional<std::string>& cursor, const std::string& scope, const storage::Cursors& cursors) {
  if (!cursor) return {};
  const auto position = cursors.open(scope, *cursor, "query:next");
  return {position.at(0), position.at(1)};
}

}  // namespace

std::string invite_json(const Invite& invite) {
  json::Writer out;
  out.object().field("cid", invite.cid).optional_field("channel_name", invite.name).optional_field("channel_image", invite.image)
      .field("member_count", invite.member_count).field("user_id", invite.user_id).optional_field("invited_by", invite.invited_by)
      .field("role", invite.role).optional_field("text", invite.text).field("state", word(invite.state))
      .key("created_at").time(invite.created_at).optional_time("answered_at", invite.answered_at).end();
  return out.take();
}

std::vector<InviteResult> invite_users(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const InviteInput& input, Timestamp now) {
  opened.require(channels::Action::invite_members);
  check_roles(opened, input.users);
  const auto candidates = find_candidates(tx, opened, input);
  Room room(tx, opened.channel, candidates);
  text::ArrayLiteral ids, roles;
  std::vector<InviteResult> results;
  std::vector<std::string> shown;
  for (const auto& user : input.users) {
    auto status = standing_of(candidates, user.user_id);
    if (status == Status::invited && !room.take(candidates.at(user.user_id).id)) status = Status::limit_reached;
    if (status == Status::invited) {
      ids.add(candidates.at(user.user_id).id.text());
      roles.add(user.role);
    }
    if (status == Status::invited || status == Status::unchanged) shown.push_back(user.user_id);
    results.push_back({status, std::nullopt});
  }
  tx.run(sql::put_invites, tx.app(), opened.channel.id, ids.take(), roles.take(), opened.acting_id, input.text, now);
  const auto invites = get_invites(tx, opened.channel, shown);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& user_id = input.users[i].user_id;
    if (auto invite = invites.find(user_id); invite != invites.end()) results[i].invite = invite->second;
    if (results[i].status != Status::invited) continue;
    count_change(tx, kInviteCreated);
    tell(tx, bus, opened.channel, user_id, kInviteCreated, *results[i].invite, now);
  }
  return results;
}

Answered accept_invite(storage::Transaction& tx, bus::Bus& bus, const std::string& type, const std::string& channel_id,
                       const std::string& user_id, const channels::Caps& caps, Timestamp now) {
  auto found = find_invite(tx, type, channel_id, user_id);
  if (!found.invite || found.invite->state == State::rejected) throw not_found("invite");
  const bool is_member = tx.find(sql::find_member, tx.app(), found.channel.id, found.user).has_value();
  if (found.invite->state == State::accepted && !is_member) throw not_found("invite");
  if (tx.find(sql::find_ban, tx.app(), found.channel.id, found.user)) throw forbidden("This user is banned from this channel.");
  Answered answered{*found.invite, std::nullopt};
  answered.member = channels::admit_member(tx, bus, found.channel, user_id, found.user, answered.invite.role, caps, now).member;
  if (answered.invite.state == State::accepted) return answered;
  answer(tx, found, answered.invite, State::accepted, now);
  answered.invite = get_invites(tx, found.channel, {user_id}).at(user_id);
  tell_both(tx, bus, found.channel, kInviteAccepted, answered.invite, now);
  return answered;
}

Answered reject_invite(storage::Transaction& tx, bus::Bus& bus, const std::string& type, const std::string& channel_id,
                       const std::string& user_id, Timestamp now) {
  auto found = find_invite(tx, type, channel_id, user_id);
  if (!found.invite || found.invite->state == State::accepted) throw not_found("invite");
  Answered answered{*found.invite, std::nullopt};
  if (answered.invite.state == State::rejected) return answered;
  answer(tx, found, answered.invite, State::rejected, now);
  tell_both(tx, bus, found.channel, kInviteRejected, answered.invite, now);
  return answered;
}

void revoke_invite(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now) {
  opened.require(channels::Action::invite_members);
  const auto users = users::find_users(tx, {user_id});
  const auto invites = get_invites(tx, opened.channel, {user_id});
  auto invite = invites.find(user_id);
  if (users.empty() || invite == invites.end() || invite->second.state != State::pending) throw not_found("invite");
  tx.run(sql::delete_invite, tx.app(), opened.channel.id, users.front().id);
  tell_both(tx, bus, opened.channel, kInviteRevoked, invite->second, now);
}

storage::Page<Invite> list_invites(storage::Transaction& tx, const Opened& opened, State state, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  opened.require(channels::Action::invite_members);
  const std::string scope = tx.app().text() + "|invites|" + opened.channel.id.text() + "|" + std::string(word(state));
  const auto from = position_of(cursor, scope, cursors);
  return page_of(tx.query(sql::list_channel_invites, tx.app(), opened.channel.id, word(state), from.time, from.id, limit + 1), limit, kInvitee,
                 scope, cursors);
}

storage::Page<Invite> list_own_invites(storage::Transaction& tx, const std::string& user_id, State state, int limit,
                                       const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto users = users::find_users(tx, {user_id});
  if (users.empty()) throw not_found("user");
  const std::string scope = tx.app().text() + "|own_invites|" + user_id + "|" + std::string(word(state));
  const auto from = position_of(cursor, scope, cursors);
  return page_of(tx.query(sql::list_own_invites, tx.app(), users.front().id, word(state), from.time, from.id, limit + 1), limit, kChannel,
                 scope, cursors);
}

}  // namespace chat::invites
