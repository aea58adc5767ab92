#pragma once
#include "platform/chat/users/users.h"
#include "platform/storage/pool.h"

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

/// The job: hard deletes, of active applications, guests who made themselves and were away for the setting `guest_days`; what they wrote
/// stays. What makes their tokens dead goes when the last of those has expired. Returns how many were deleted.
/// Thread:  any node; two at once delete nobody twice.
/// Event:   user.deleted
int expire_guests(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::users
