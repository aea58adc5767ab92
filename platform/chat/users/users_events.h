#pragma once
#include <string_view>

/// What a user and the customer's backend are told. Data: {"user":{…}}.
namespace chat::users {

inline constexpr std::string_view kUserUpdated = "user.updated";
inline constexpr std::string_view kUserDeactivated = "user.deactivated";
inline constexpr std::string_view kUserReactivated = "user.reactivated";
inline constexpr std::string_view kUserDeleted = "user.deleted";   // data: {"user_id","hard"}

}  // namespace chat::users
