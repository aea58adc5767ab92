#include "platform/server/look_again.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/log.h"

namespace chat::server {
namespace {

using realtime::Close;

std::optional<Close> verdict_on(const tenants::Application& application, const realtime::Identity& identity, Timestamp now) {
  const auto signed_it = [&](const tenants::Secret& secret) {
    return secret.id.uuid == identity.signed_with && (!secret.expires_at || *secret.expires_at > now);
  };
  const bool is_user = !identity.user_id.empty();   // servers' tokens outlive a revocation of all
  if (is_user && application.revoked_before && identity.issued_at < *application.revoked_before) return Close::token_revoked;
  if (application.revoked_tokens.contains(identity.token_id) || std::ranges::none_of(application.secrets, signed_it)) return Close::token_revoked;
  const auto revoked = application.revocations.find(identity.user_id);
  if (revoked == application.revocations.end()) return std::nullopt;
  if (revoked->second.deactivated) return Close::user_deactivated;
  if (revoked->second.banned_until && *revoked->second.banned_until > now) return Close::user_banned;
  return identity.issued_at < revoked->second.before ? std::optional(Close::token_revoked) : std::nullopt;
}

void look_at(storage::Connection& connection, tenants::Directory& directory, realtime::Gateway& gateway, AppId app, Timestamp now, bool has_missed) {
  auto application = directory.find(app);
  if (!application) application = directory.load(connection, app);
  if (!application || application->is_gone()) return gateway.close_application(app, Close::unauthenticated);
  if (application->status == tenants::Status::suspended) return gateway.close_application(app, Close::application_suspended);
  if (has_missed && application->settings.teams) {   // who moved between teams meanwhile is not written anywhere: everybody comes anew
    gateway.regather_all(app);
    return gateway.close_application(app, Close::teams_changed);
  }
  gateway.close_those(app, [application, now](const realtime::Identity& identity) { return verdict_on(*application, identity, now); });
}

}  // namespace

void close_what_ended(storage::Connection& connection, tenants::Directory& directory, realtime::Gateway& gateway, Timestamp now, bool has_missed) {
  if (has_missed) directory.forget_all();
  for (const AppId app : gateway.connected_applications()) {
    try {
      look_at(connection, directory, gateway, app, now, has_missed);
    } catch (const Error& error) {
      if (error.code() == Code::unavailable) throw;
      log::warn("sockets.look_again_failed", {{"app_id", app.wire()}, {"detail", error.what()}});
    }
  }
}

}  // namespace chat::server
