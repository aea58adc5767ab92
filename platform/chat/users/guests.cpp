#include "platform/chat/users/guests.h"

#include "platform/base/crypto.h"

namespace chat::users {
namespace {

constexpr auto kTokenLife = std::chrono::hours(30 * 24);

const tenants::Secret& live_secret(const tenants::Application& application, Timestamp now) {
  for (const auto& secret : application.secrets)
    if (!secret.expires_at || *secret.expires_at > now) return secret;
  throw Error(Code::conflict, "This application has no live secret; its operator can make one.");
}

}  // namespace

Guest create_guest(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const GuestInput& input, Timestamp now) {
  const auto& application = caller.application();
  if (!application.settings.guests) throw forbidden("This application takes no guests: its setting `guests` is off.");
  const auto issued_at = std::chrono::floor<std::chrono::seconds>(now);
  const auto& secret = live_secret(application, now);
  UserInput wanted;
  wanted.user_id = "guest-" + crypto::hex(crypto::random_bytes(8));
  wanted.name = input.name;
  wanted.image = input.image;
  wanted.custom = input.custom;
  wanted.type = input.type;
  Guest guest;
  guest.user = upsert_users(tx, bus, caller, {wanted}, now).front().user;
  guest.expires_at = issued_at + kTokenLife;
  tenants::Claims claims;
  claims.user_id = wanted.user_id;
  claims.issued_at = issued_at;
  claims.expires_at = guest.expires_at;
  claims.guest = true;
  guest.token = tenants::sign_token(claims, secret.value);
  return guest;
}

}  // namespace chat::users
