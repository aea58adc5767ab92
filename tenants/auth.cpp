#include "tenants/auth.h"

#include "platform/base/error.h"

namespace chat::tenants {
namespace {

AppId app_of(const std::string& api_key) {
  auto app = app_of_api_key(api_key);
  if (!app) throw Error(Code::unauthenticated, "X-API-Key is not an API key; it begins with key_.");
  return *app;
}

/// Written once a second at most: many threads read it.
void note_use(SecretUse& use, Timestamp now) {
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  if (now_ms - use.seen_ms.load(std::memory_order_relaxed) >= 1000) use.seen_ms.store(now_ms, std::memory_order_relaxed);
}

}  // namespace

std::string Caller::acting_user_or_none(const std::optional<std::string>& named, const std::string& pointer) const {
  if (named && !is_user_id(*named)) throw invalid_field(pointer, "Must be 1-255 of A-Z a-z 0-9 _ - . @");
  if (is_server()) return named.value_or("");
  if (named && *named != user_id()) throw forbidden("A user's token may act for that user only.");
  return user_id();
}

std::string Caller::acting_user(const std::optional<std::string>& named, const std::string& pointer) const {
  std::string user = acting_user_or_none(named, pointer);
  if (user.empty()) throw invalid_field(pointer, "Required with a server token: whom is this for?");
  return user;
}

const Caller& Caller::of(const http::Request& request) {
  auto* caller = dynamic_cast<const Caller*>(request.principal.get());
  INVARIANT(caller != nullptr, "the route's access demands an application's caller");
  return *caller;
}

std::shared_ptr<const Caller> Auth::authenticate(const std::string& api_key, const std::string& token) {
  auto application = directory_.find(app_of(api_key));
  if (!application) throw http::NeedsDatabase{};
  return check(std::move(application), token);
}

std::shared_ptr<const Caller> Auth::authenticate_cold(const std::string& api_key, const std::string& token,
                                                      storage::Connection& connection) {
  auto application = directory_.load(connection, app_of(api_key));
  if (!application) throw Error(Code::unauthenticated, "No application has this API key.");
  return check(std::move(application), token);
}

std::shared_ptr<const Caller> Auth::recognise(const std::string& api_key) {
  auto application = directory_.find(app_of(api_key));
  if (!application) throw http::NeedsDatabase{};
  return visitor(std::move(application));
}

std::shared_ptr<const Caller> Auth::recognise_cold(const std::string& api_key, storage::Connection& connection) {
  auto application = directory_.load(connection, app_of(api_key));
  if (!application) throw Error(Code::unauthenticated, "No application has this API key.");
  return visitor(std::move(application));
}

std::shared_ptr<const Caller> Auth::visitor(std::shared_ptr<const Application> application) {
  if (application->is_gone()) throw Error(Code::unauthenticated, "No application has this API key.");
  if (application->status == Status::suspended)
    throw Error(Code::application_suspended, "This application is suspended; its operator knows why.");
  return std::shared_ptr<const Caller>(new Caller(std::move(application), {}));
}

std::shared_ptr<const Caller> Auth::check(std::shared_ptr<const Application> application, const std::string& token) {
  if (application->is_gone()) throw Error(Code::unauthenticated, "No application has this API key.");
  const auto now = clock_.now();
  Claims claims = verify_token(token, application->secrets, now);
  if (claims.use) note_use(*claims.use, now);
  if (application->status == Status::suspended)
    throw Error(Code::application_suspended, "This application is suspended; its operator knows why.");
  if (!claims.token_id.empty() && application->revoked_tokens.contains(claims.token_id))
    throw Error(Code::token_revoked, "This token was revoked; ask your backend for a new one.");
  if (!claims.server) {
    if (application->revoked_before && claims.issued_at < *application->revoked_before)
      throw Error(Code::token_revoked, "All tokens issued before " + format_time(*application->revoked_before) +
                                           " were revoked; ask your backend for a new one.");
    auto revoked = application->revocations.find(claims.user_id);
    if (revoked != application->revocations.end()) {
      if (revoked->second.deactivated) throw Error(Code::user_deactivated, "This user is deactivated.");
      if (revoked->second.banned_until && *revoked->second.banned_until > clock_.now())
        throw forbidden("This user is banned from the application.");
      if (claims.issued_at < revoked->second.before)
        throw Error(Code::token_revoked, "This token was revoked; ask your backend for a new one.");
    }
  }
  return std::shared_ptr<const Caller>(new Caller(std::move(application), std::move(claims)));
}

std::string bearer_of(const http::Request& request) {
  auto header = request.header("authorization");
  if (!header) throw Error(Code::unauthenticated, "The Authorization header is missing: Bearer <token>.");
  constexpr std::string_view kScheme = "bearer ";
  std::string scheme(header->substr(0, kScheme.size()));
  for (auto& c : scheme) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (scheme != kScheme) throw Error(Code::unauthenticated, "The Authorization header must be: Bearer <token>.");
  return std::string(header->substr(kScheme.size()));
}

std::string api_key_of(const http::Request& request) {
  auto api_key = request.header("x-api-key");
  if (!api_key) throw Error(Code::unauthenticated, "The X-API-Key header is missing.");
  return std::string(*api_key);
}

Credentials credentials_of(const http::Request& request) { return {api_key_of(request), bearer_of(request)}; }

}  // namespace chat::tenants
