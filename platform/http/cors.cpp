#include "platform/http/cors.h"

#include <algorithm>

namespace chat::http {
namespace {

constexpr const char* kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr const char* kAsked = "Authorization, Content-Type, Idempotency-Key, Range, X-API-Key, X-Request-Id";
constexpr const char* kShown =
    "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
constexpr const char* kKeptSeconds = "7200";         // no browser keeps it longer

bool asks_before(const Request& request) {
  return request.method == Method::options && request.header("access-control-request-method").has_value();
}

Response allowed(Response response, const std::string& origin) {
  response.with("Access-Control-Allow-Origin", origin).with("Vary", "Origin");
  return response;
}

}  // namespace

bool Cors::is_origin(std::string_view text) {
  if (text == "*") return true;
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || (text.substr(0, scheme) != "https" && text.substr(0, scheme) != "http")) return false;
  const auto host = text.substr(scheme + 3);
  auto fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']'; };
  return !host.empty() && std::ranges::all_of(host, fine);
}

bool Cors::allows(std::string_view origin) const {
  return std::ranges::any_of(origins_, [&](const auto& one) { return one == "*" || one == origin; });
}

OnRequest Cors::around(OnRequest serve) const {
  if (origins_.empty()) return serve;
  return [cors = *this, serve = std::move(serve)](Request request, Responder respond) {
    const auto given = request.header("origin");
    if (!given || !cors.allows(*given)) return serve(std::move(request), std::move(respond));
    const std::string origin(*given);
    if (asks_before(request)) {
      auto response = allowed(no_content(), origin);
      response.with("Access-Control-Allow-Methods", kMethods).with("Access-Control-Allow-Headers", kAsked).with("Access-Control-Max-Age", kKeptSeconds);
      return respond(std::move(response));
    }
    serve(std::move(request), [origin, respond = std::move(respond)](Response response) {
      respond(allowed(std::move(response.with("Access-Control-Expose-Headers", kShown)), origin));
    });
  };
}

}  // namespace chat::http
