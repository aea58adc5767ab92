#include "platform/chat/channels/permissions.h"

#include <array>

namespace chat::channels {
namespace {

struct ActionRow {
  Action action;
  std::string_view word;
  Role from;                                   // this role and the stronger ones
};
constexpr std::array kActionRows{
    ActionRow{Action::read_channel, "chat:channel:read", Role::member},
    ActionRow{Action::update_channel, "chat:channel:update", Role::admin},
    ActionRow{Action::freeze_channel, "chat:channel:freeze", Role::moderator},
    ActionRow{Action::delete_channel, "chat:channel:delete", Role::owner},
    ActionRow{Action::add_members, "chat:member:add", Role::admin},
    ActionRow{Action::remove_members, "chat:member:remove", Role::moderator},
    ActionRow{Action::update_members, "chat:member:update", Role::admin},
    ActionRow{Action::leave_channel, "chat:member:leave", Role::member},
    ActionRow{Action::send_message, "chat:message:send", Role::member},
    ActionRow{Action::send_reply, "chat:message:reply", Role::member},
    ActionRow{Action::send_in_frozen, "chat:message:send_frozen", Role::moderator},
    ActionRow{Action::update_own_message, "chat:message:update_own", Role::member},
    ActionRow{Action::update_any_message, "chat:message:update_any", Role::admin},
    ActionRow{Action::delete_own_message, "chat:message:delete_own", Role::member},
    ActionRow{Action::delete_any_message, "chat:message:delete_any", Role::moderator},
    ActionRow{Action::mark_read, "chat:read:mark", Role::member},
    ActionRow{Action::list_receipts, "chat:receipt:list", Role::member},
};
// What anybody may do in an open channel without joining it.
static_assert(kActionRows.size() == static_cast<std::size_t>(Action::count), "every action has its row");
// What anybody may do in an open channel without joining it.
constexpr Actions kOpenActions = bit(Action::read_channel) | bit(Action::send_message) | bit(Action::send_reply) |
                                 bit(Action::update_own_message) | bit(Action::delete_own_message);
constexpr std::array<std::string_view, 5> kRoleWords{"", "member", "moderator", "admin", "owner"};

}  // namespace

Role parse_role(std::string_view text) {
  for (std::size_t i = 1; i < kRoleWords.size(); ++i)
    if (kRoleWords[i] == text) return static_cast<Role>(i);
  return Role::none;
}

std::string_view word(Role role) { return kRoleWords[static_cast<std::size_t>(role)]; }

Actions actions_of(Role role, bool open) {
  Actions actions = open ? kOpenActions : 0;
  for (const auto& row : kActionRows)
    if (role >= row.from) actions |= bit(row.action);
  return actions;
}

std::string_view word(Action action) {
  for (const auto& row : kActionRows)
    if (row.action == action) return row.word;
  return "";
}

std::vector<std::string_view> words_of(Actions actions) {
  std::vector<std::string_view> words;
  for (const auto& row : kActionRows)
    if (allows(actions, row.action)) words.push_back(row.word);
  return words;
}

}  // namespace chat::channels
