#pragma once
#include <cstdint>
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
  send_message,
  send_reply,
  send_in_frozen,
  update_own_message,
  update_any_message,
  delete_own_message,
  delete_any_message,
  mark_read,
  list_receipts,
  count,
};

using Actions = std::uint64_t;                               // a set of them
constexpr Actions bit(Action action) { return Actions{1} << static_cast<unsigned>(action); }
constexpr bool allows(Actions actions, Action action) { return (actions & bit(action)) != 0; }
inline constexpr Actions kAllActions = bit(Action::count) - 1;
static_assert(static_cast<unsigned>(Action::count) < 64);

enum class Role { none, member, moderator, admin, owner };   // none: not a member; in an open channel it may still act
Role parse_role(std::string_view word);                      // unknown or empty: none
std::string_view word(Role role);

/// The actions of a role. `open`: the channel's type lets non-members in.
Actions actions_of(Role role, bool open);

std::string_view word(Action action);
std::vector<std::string_view> words_of(Actions actions);

}  // namespace chat::channels
