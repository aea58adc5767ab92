#include "platform/chat/users/guests.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/chat/users/guests.sql.h"

namespace chat::users {
namespace {

constexpr auto kTokenLife = std::chrono::hours(30 * 24);
constexpr int kGuestsAtOnce = 500;
constexpr int kOfOneApplication = 100;
constexpr int kMaxPages = 20;                  // one run ends; the rest waits for the next

struct Expired {
  AppId app;
  std::string user_id;
};

std::vector<Expired> find_expired(storage::Connection& connection, Timestamp now) {
  std::vector<Expired> expired;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    expired.clear();
    auto rows = tx.query(sql::find_expired_guests, now, kOfOneApplication, kGuestsAtOnce);
    for (auto row : rows) expired.push_back({AppId{row.uuid(0)}, std::string(row.text(1))});
  });
  return expired;
}

/// False: it came back meanwhile, another node was first, or too many users of the application stand deactivated.
bool expire(storage::Connection& connection, bus::Bus& bus, const Expired& guest, Timestamp now) {
  bool deleted = false;
  try {
    connection.transact(guest.app, storage::Mode::write, [&](storage::Transaction& tx) {
      deleted = tx.find(sql::hold_expired_guest, guest.app, guest.user_id, now).has_value();
      if (deleted) delete_user(tx, bus, guest.user_id, {.hard = true, .messages = MessagesFate::keep, .new_owner = std::nullopt}, now);
    });
  } catch (const Error& error) {
    if (error.code() != Code::not_found && error.code() != Code::limit_reached) throw;
    log::warn("guests.not_expired", {{"app_id", guest.app.wire()}, {"detail", error.what()}});
    return false;
  }
  return deleted;
}

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
  tx.after_commit([kind = input.type] { metrics::counter("chat_guests_made_total", "Guests and anonymous users made.", {{"kind", kind}}).add(); });
  return guest;
}

int expire_guests(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  static auto& expired = metrics::counter("chat_guests_expired_total", "Guests deleted because they were away too long.");
  int count = 0;
  for (int page = 0; page < kMaxPages; ++page) {
    int of_page = 0;
    for (const auto& guest : find_expired(connection, now)) of_page += expire(connection, bus, guest, now) ? 1 : 0;
    count += of_page;
    if (of_page == 0) break;
  }
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    tx.query(sql::forget_guest_revocations, now - kTokenLife - tenants::kTokenLeeway, kGuestsAtOnce);
  });
  expired.add(count);
  return count;
}

}  // namespace chat::users
