#pragma once
#include <string_view>

/// What a user and the customer's backend are told. Data: {"user":{…}}.
namespace chat::users {

inline constexpr std::string_view kUserUpdated = "user.updated";
inline constexpr std::string_view kUserDeactivated = "user.deactivated";
inline constexpr std::string_view kUserReactivated = "user.reactivated";
inline constexpr std::string_view kUserDeleted = "user.deleted";   // data: {"user_id","hard"}


/// Bus control word: a user is in other teams. Its detail: the user id, then the cids that it hears now or no more, or `*`.
inline constexpr std::string_view kTeamsMoved = "teams.moved";

// To the one who blocks or mutes alone, on all its devices.
inline constexpr std::string_view kUserBlocked = "user.blocked";       // data: {"block":{…}}
inline constexpr std::string_view kUserUnblocked = "user.unblocked";   // data: {"target_id"}
inline constexpr std::string_view kUserMuted = "user.muted";           // data: {"mute":{…}}
inline constexpr std::string_view kUserUnmuted = "user.unmuted";       // data: {"target_id"}

}  // namespace chat::users
