#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who may do what in a channel: actions, and the roles that are sets of them. One table, one question.
namespace chat::channels {

/// Named `domain:function:action` on the wire (`own_capabilities`); one bit each, by their order. New ones before `count`.
enum class Action : unsigned {
  read_channel,
  update_channel,
  freeze_channel,
  delete_channel,
  add_members,
  remove_members,
  update_members,
  leave_channel,
  update_own_membership,
  ban_members,
  see_shadowed,
  set_slow_mode,
  skip_slow_mode,
  send_message,
  send_reply,
  send_in_frozen,
  update_own_message,
  update_any_message,
  delete_own_message,
  delete_any_message,
  mark_read,
  list_receipts,
  add_reaction,
  pin_message,
  read_edits,
  mention_all,
  follow_thread,
  truncate_channel,
  join_channel,
  invite_members,
  transfer_ownership,
  create_poll,
  vote_in_poll,
  close_poll,
  send_typing,
  upload_files,
  approve_message,
  mention_roles,
  create_channel,
  flag_content,
  review_flags,
  decide_flags,
  count,
};

using Actions = std::uint64_t;                               // a set of them
constexpr Actions bit(Action action) { return Actions{1} << static_cast<unsigned>(action); }
constexpr bool allows(Actions actions, Action action) { return (actions & bit(action)) != 0; }
inline constexpr Actions kAllActions = bit(Action::count) - 1;
static_assert(static_cast<unsigned>(Action::count) < 64);
inline constexpr Actions kAnonymousActions = bit(Action::read_channel);   // of what the role allows
// What is left of a direct channel when one of its two users has blocked the other.
inline constexpr Actions kBlockedActions =
    bit(Action::read_channel) | bit(Action::leave_channel) | bit(Action::delete_own_message) | bit(Action::mark_read) |
    bit(Action::flag_content);

enum class Role { none, member, moderator, admin, owner };   // ranks; none: not a member
/// The rank of a member's role, by its word; a role of the customer's own ranks as member. Empty: none.
Role rank_of(std::string_view role);
bool is_built_in(std::string_view role);                     // one of the four
bool is_role_name(std::string_view text);                    // 1-32 of a-z 0-9 _ -, a letter first
std::string_view word(Role role);

/// What a channel type gives roles instead of the defaults: by role, also those of the customer's own, and `anyone` for users
/// of an open channel who are not members. A role that is not in it has the defaults, one of the customer's own a member's.
using Grants = std::map<std::string, Actions, std::less<>>;
inline constexpr std::string_view kAnyone = "anyone";
/// Who makes a channel has no role in it yet: there the type of the user decides. `user:regular`, `user:guest` and `user:anonymous` among the
/// grants hold create_channel or nothing; left out, regular users alone have it.
inline constexpr std::string_view kOfUserType = "user:";
bool may_create(std::string_view user_type, const Grants& grants);
bool is_role_of(std::string_view role, const Grants& grants);   // a member may have it

/// The actions of a member's role; of an empty one, what anybody may do in an open channel. `team_role`: the user's role in the
/// channel's team; where the grants name it, who is let in may do that, too.
Actions actions_of(std::string_view role, bool open, const Grants& grants, std::string_view team_role = {});

std::string_view word(Action action);
std::optional<Action> parse_action(std::string_view word);
std::vector<std::string_view> words_of(Actions actions);

}  // namespace chat::channels
