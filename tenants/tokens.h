#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenants/application.h"

namespace chat::tenants {

/// What a token says. Minted offline by the customer's backend with one of its secrets.
struct Claims {
  bool server = false;                       // {"server":true}: the customer's backend
  std::string user_id;                       // {"user_id":"alice"}: an end user; exactly one of the two
  Timestamp issued_at;                       // `iat`, required
  std::optional<Timestamp> expires_at;       // `exp`
  SecretId signed_with = {};                 // the secret that it was found to be signed with
  std::shared_ptr<SecretUse> use = {};       // of that one
  std::string token_id = {};                 // `jti`; empty: none, and it can't be revoked alone
  bool guest = false;                        // {"guest":true}: of a guest or an anonymous user, whose limits are their own
};

/// Checks a compact JWS (RFC 7515) signed with HS256 by any of the secrets and reads its claims.
///
/// Shape:   at most 4 KiB, exactly two dots, canonical unpadded base64url. `alg` must say HS256 and nothing in the token
///          chooses a key or an algorithm; `crit` is refused; unknown claims are ignored.
/// Units:   iat, exp, nbf in whole seconds; 60 s of leeway for clocks that differ.
/// Errors:  unauthenticated (with what is wrong, never which secret); token_expired
/// Cost:    one HMAC per secret; no locks.
/// Source:  RFC 7519, RFC 8725
Claims verify_token(std::string_view token, const std::vector<Secret>& secrets, Timestamp now);

/// The other direction, for `chatctl token create` and the demo.
std::string sign_token(const Claims& claims, std::string_view secret);

/// Shape of a user_id: 1-255 of A-Z a-z 0-9 _ - . @
bool is_user_id(std::string_view text);

}  // namespace chat::tenants
