#pragma once
#include <string_view>

/// What the two of an invitation are told, on all their devices: {"invite":{…}}. Not numbered, and nobody else hears of it.
namespace chat::invites {

inline constexpr std::string_view kInviteCreated = "invite.created";     // to the invited
inline constexpr std::string_view kInviteAccepted = "invite.accepted";   // to both, as the next two
inline constexpr std::string_view kInviteRejected = "invite.rejected";
inline constexpr std::string_view kInviteRevoked = "invite.revoked";

}  // namespace chat::invites
