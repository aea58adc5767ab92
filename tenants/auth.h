#pragma once
#include <memory>
#include <optional>
#include <string>

#include "platform/http/gate.h"
#include "tenants/directory.h"
#include "tenants/tokens.h"

namespace chat::tenants {

/// Proof of who calls: only Auth makes one, from a valid token of a living application.
/// Feature functions that take a Caller need no further check that there is one.
class Caller final : public http::Principal {
 public:
  [[nodiscard]] const Application& application() const { return *application_; }
  [[nodiscard]] const std::shared_ptr<const Application>& shared_application() const { return application_; }
  [[nodiscard]] AppId app() const { return application_->id; }
  [[nodiscard]] bool is_server() const { return claims_.server; }
  /// Showed an API key and no token: nobody yet. Only routes with Access::api_key see one.
  [[nodiscard]] bool is_visitor() const { return !claims_.server && claims_.user_id.empty(); }
  [[nodiscard]] const std::string& user_id() const { return claims_.user_id; }   // empty for a server
  [[nodiscard]] const Claims& claims() const { return claims_; }

  /// Whom the call is for. A server must name a user; a user may name only itself.
  /// Errors:  invalid_field at `pointer`; forbidden
  [[nodiscard]] std::string acting_user(const std::optional<std::string>& named, const std::string& pointer) const;
  /// The same where a server may also act for nobody: empty then.
  [[nodiscard]] std::string acting_user_or_none(const std::optional<std::string>& named, const std::string& pointer) const;

  /// Of an authenticated request. INVARIANT: its route demanded one.
  static const Caller& of(const http::Request& request);

 private:
  friend class Auth;
  Caller(std::shared_ptr<const Application> application, Claims claims)
      : application_(std::move(application)), claims_(std::move(claims)) {}
  std::shared_ptr<const Application> application_;
  Claims claims_;
};

/// Turns credentials into a Caller.
///
/// Errors:  unauthenticated; token_expired; token_revoked; application_suspended; user_deactivated; forbidden (banned)
///          A deleted application, an unknown key and another tenant's token answer alike: unauthenticated.
/// Thread:  any; from memory unless it throws http::NeedsDatabase.
class Auth {
 public:
  Auth(Directory& directory, const Clock& clock) : directory_(directory), clock_(clock) {}
  std::shared_ptr<const Caller> authenticate(const std::string& api_key, const std::string& token);
  std::shared_ptr<const Caller> authenticate_cold(const std::string& api_key, const std::string& token,
                                                  storage::Connection& connection);
  /// The same for who shows an API key alone.
  std::shared_ptr<const Caller> recognise(const std::string& api_key);
  std::shared_ptr<const Caller> recognise_cold(const std::string& api_key, storage::Connection& connection);
 private:
  static std::shared_ptr<const Caller> visitor(std::shared_ptr<const Application> application);
  std::shared_ptr<const Caller> check(std::shared_ptr<const Application> application, const std::string& token);
  Directory& directory_;
  const Clock& clock_;
};

/// The two headers of a request. Errors: unauthenticated, saying which header is missing.
struct Credentials {
  std::string api_key;
  std::string token;
};
Credentials credentials_of(const http::Request& request);
std::string api_key_of(const http::Request& request);
std::string bearer_of(const http::Request& request);

}  // namespace chat::tenants
