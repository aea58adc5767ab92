#include "platform/server/look_again.h"

namespace chat::server {
namespace {

void close_users(const tenants::Application& application, realtime::Gateway& gateway, Timestamp now) {
  using realtime::Close;
  for (const auto& [user, revoked] : application.revocations) {
    if (revoked.deactivated) gateway.close_user(application.id, user, std::nullopt, Close::user_deactivated);
    else if (revoked.banned_until && *revoked.banned_until > now) gateway.close_user(application.id, user, std::nullopt, Close::user_banned);
    else gateway.close_user(application.id, user, revoked.before, Close::token_revoked);
  }
}

void close_tokens(const tenants::Application& application, realtime::Gateway& gateway) {
  std::vector<std::string> dead;
  for (const auto& [token_id, until] : application.revoked_tokens) dead.push_back(token_id);
  if (!dead.empty()) gateway.close_tokens(application.id, dead);
}

}  // namespace

void close_what_ended(storage::Connection& connection, tenants::Directory& directory, realtime::Gateway& gateway, Timestamp now) {
  using realtime::Close;
  directory.forget_all();
  for (const AppId app : gateway.connected_applications()) {
    const auto application = directory.load(connection, app);
    if (!application || application->is_gone()) {
      gateway.close_application(app, Close::unauthenticated);
    } else if (application->status == tenants::Status::suspended) {
      gateway.close_application(app, Close::application_suspended);
    } else {
      // Who moved between teams meanwhile is not written anywhere: everybody comes anew.
      if (application->settings.teams) {
        gateway.regather_all(app);
        gateway.close_application(app, Close::teams_changed);
      }
      if (application->revoked_before) gateway.close_application_tokens(app, *application->revoked_before);
      close_tokens(*application, gateway);
      close_users(*application, gateway, now);
    }
  }
}

}  // namespace chat::server
