#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Who may do what in a channel: actions, and the roles that are sets of them. One table, one question.
namespace chat::channels {

/// Named `domain:function:action` on the wire (`own_capabilities`); one bit each.
enum class Action : std::uint32_t {
  read_channel = 1u << 0,
  update_channel = 1u << 1,
  freeze_channel = 1u << 2,
  delete_channel = 1u << 3,
  add_members = 1u << 4,
  remove_members = 1u << 5,
  update_members = 1u << 6,
  leave_channel = 1u << 7,
  send_message = 1u << 8,
  send_reply = 1u << 9,
  send_in_frozen = 1u << 10,
  update_own_message = 1u << 11,
  update_any_message = 1u << 12,
  delete_own_message = 1u << 13,
  delete_any_message = 1u << 14,
  mark_read = 1u << 15,
};

enum class Role { none, member, moderator, admin, owner };   // none: not a member; in an open channel it may still act
Role parse_role(std::string_view word);                      // unknown or empty: none
std::string_view word(Role role);

/// The actions of a role. `open`: the channel's type lets non-members in.
std::uint32_t actions_of(Role role, bool open);
inline bool allows(std::uint32_t actions, Action action) { return (actions & static_cast<std::uint32_t>(action)) != 0; }

std::string_view word(Action action);
std::vector<std::string_view> words_of(std::uint32_t actions);
inline constexpr std::uint32_t kAllActions = (1u << 16) - 1;

}  // namespace chat::channels
