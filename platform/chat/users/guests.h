#pragma once
#include "platform/chat/users/users.h"

/// Guests: users who make themselves, with nothing but the application's public API key.
namespace chat::users {

struct GuestInput {
  std::string type = "guest";                  // guest | anonymous: may read open channels, and no more
  std::optional<std::string> name, image, custom;
};
struct Guest {
  User user;                                   // its user_id is "guest-" and 16 hex digits
  std::string token;                           // this user's; shown once
  Timestamp expires_at;
};

/// Units:   the token lives 30 days; the customer's backend may sign another one.
/// Errors:  forbidden (the application's setting `guests` is off); conflict (it has no live secret)
Guest create_guest(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const GuestInput& input, Timestamp now);

}  // namespace chat::users
