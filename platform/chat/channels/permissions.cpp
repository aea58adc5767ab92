#include "platform/chat/channels/permissions.h"

#include <algorithm>
#include <array>

namespace chat::channels {
namespace {

struct ActionRow {
  Action action;
  std::string_view word;
  Role from;                                   // this role and the stronger ones
};
constexpr Role kNobody = static_cast<Role>(5);   // no role in a channel has it
constexpr std::array kActionRows{
    ActionRow{Action::read_channel, "chat:channel:read", Role::member},
    ActionRow{Action::update_channel, "chat:channel:update", Role::admin},
    ActionRow{Action::freeze_channel, "chat:channel:freeze", Role::moderator},
    ActionRow{Action::delete_channel, "chat:channel:delete", Role::owner},
    ActionRow{Action::add_members, "chat:member:add", Role::admin},
    ActionRow{Action::remove_members, "chat:member:remove", Role::moderator},
    ActionRow{Action::update_members, "chat:member:update", Role::admin},
    ActionRow{Action::leave_channel, "chat:member:leave", Role::member},
    ActionRow{Action::update_own_membership, "chat:member:update_own", Role::member},
    ActionRow{Action::ban_members, "chat:member:ban", Role::moderator},
    ActionRow{Action::see_shadowed, "chat:message:see_shadowed", Role::moderator},
    ActionRow{Action::set_slow_mode, "chat:channel:slow_mode", Role::moderator},
    ActionRow{Action::skip_slow_mode, "chat:message:skip_slow_mode", Role::moderator},
    ActionRow{Action::send_message, "chat:message:send", Role::member},
    ActionRow{Action::send_reply, "chat:message:reply", Role::member},
    ActionRow{Action::send_in_frozen, "chat:message:send_frozen", Role::moderator},
    ActionRow{Action::update_own_message, "chat:message:update_own", Role::member},
    ActionRow{Action::update_any_message, "chat:message:update_any", Role::admin},
    ActionRow{Action::delete_own_message, "chat:message:delete_own", Role::member},
    ActionRow{Action::delete_any_message, "chat:message:delete_any", Role::moderator},
    ActionRow{Action::mark_read, "chat:read:mark", Role::member},
    ActionRow{Action::list_receipts, "chat:receipt:list", Role::member},
    ActionRow{Action::add_reaction, "chat:reaction:add", Role::member},
    ActionRow{Action::pin_message, "chat:message:pin", Role::member},
    ActionRow{Action::read_edits, "chat:message:read_edits", Role::moderator},
    ActionRow{Action::follow_thread, "chat:thread:follow", Role::member},
    ActionRow{Action::mention_all, "chat:message:mention_all", Role::moderator},
    ActionRow{Action::truncate_channel, "chat:channel:truncate", Role::admin},
    ActionRow{Action::join_channel, "chat:channel:join", Role::member},
    ActionRow{Action::invite_members, "chat:member:invite", Role::moderator},
    ActionRow{Action::transfer_ownership, "chat:channel:transfer", Role::owner},
    ActionRow{Action::create_poll, "chat:poll:create", Role::member},
    ActionRow{Action::vote_in_poll, "chat:poll:vote", Role::member},
    ActionRow{Action::close_poll, "chat:poll:close", Role::moderator},
    ActionRow{Action::send_typing, "chat:typing:send", Role::member},
    ActionRow{Action::upload_files, "chat:upload:create", Role::member},
    ActionRow{Action::approve_message, "chat:message:approve", Role::moderator},
    ActionRow{Action::mention_roles, "chat:message:mention_roles", Role::member},
    ActionRow{Action::create_channel, "chat:channel:create", kNobody},
    ActionRow{Action::flag_content, "chat:moderation:flag", Role::member},
    ActionRow{Action::review_flags, "chat:moderation:review", Role::moderator},
    ActionRow{Action::decide_flags, "chat:moderation:decide", Role::moderator},
};
static_assert(kActionRows.size() == static_cast<std::size_t>(Action::count), "every action has its row");
// What anybody may do in an open channel without joining it.
constexpr Actions kOpenActions = bit(Action::read_channel) | bit(Action::send_message) | bit(Action::send_reply) |
                                 bit(Action::update_own_message) | bit(Action::delete_own_message) |
                                 bit(Action::add_reaction) | bit(Action::follow_thread) | bit(Action::join_channel) |
                                 bit(Action::create_poll) | bit(Action::vote_in_poll) | bit(Action::send_typing) |
                                 bit(Action::mention_roles) | bit(Action::flag_content);
constexpr std::array<std::string_view, 5> kRoleWords{"", "member", "moderator", "admin", "owner"};

Actions defaults_of(Role role) {
  Actions actions = 0;
  for (const auto& row : kActionRows)
    if (role >= row.from) actions |= bit(row.action);
  return actions;
}

}  // namespace

bool is_built_in(std::string_view role) {
  return !role.empty() && std::find(kRoleWords.begin(), kRoleWords.end(), role) != kRoleWords.end();
}

Role rank_of(std::string_view role) {
  for (std::size_t i = 0; i < kRoleWords.size(); ++i)
    if (kRoleWords[i] == role) return static_cast<Role>(i);
  return Role::member;
}

bool is_role_name(std::string_view text) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' && std::all_of(text.begin(), text.end(), allowed);
}

std::string_view word(Role role) { return kRoleWords[static_cast<std::size_t>(role)]; }

bool is_role_of(std::string_view role, const Grants& grants) {
  return is_built_in(role) || (role != kAnyone && !role.starts_with(kOfUserType) && grants.contains(role));
}

bool may_create(std::string_view user_type, const Grants& grants) {
  const auto given = grants.find(std::string(kOfUserType) + std::string(user_type));
  return given == grants.end() ? user_type == "regular" : allows(given->second, Action::create_channel);
}

Actions actions_of(std::string_view role, bool open, const Grants& grants, std::string_view team_role) {
  if (role.empty() && !open) return 0;
  if (auto more = grants.find(team_role); !team_role.empty() && more != grants.end()) return actions_of(role, open, grants) | more->second;
  auto given = grants.find(role.empty() ? kAnyone : role);
  if (given == grants.end() && !role.empty() && !is_built_in(role)) given = grants.find(word(Role::member));
  if (given != grants.end()) return given->second;
  return role.empty() ? kOpenActions : defaults_of(rank_of(role));
}

std::string_view word(Action action) {
  for (const auto& row : kActionRows)
    if (row.action == action) return row.word;
  return "";
}

std::optional<Action> parse_action(std::string_view text) {
  for (const auto& row : kActionRows)
    if (row.word == text) return row.action;
  return std::nullopt;
}

std::vector<std::string_view> words_of(Actions actions) {
  std::vector<std::string_view> words;
  for (const auto& row : kActionRows)
    if (allows(actions, row.action)) words.push_back(row.word);
  return words;
}

}  // namespace chat::channels
