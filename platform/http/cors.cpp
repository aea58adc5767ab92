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

// A cache keeps one answer for all who ask: so where each origin has its own, every answer says so, and a star is on every answer.
OnRequest Cors::around(OnRequest serve) const {
  if (origins_.empty()) return serve;
  return [cors = *this, serve = std::move(serve)](Request request, Responder respond) {
    const auto given = request.header("origin");
    const bool is_any = cors.allows("*");
    const std::string allowed = is_any ? "*" : given && cors.allows(*given) ? std::string(*given) : "";
    const auto mark = [is_any, allowed](Response& response) {
      if (!is_any) response.with("Vary", "Origin");
      if (!allowed.empty()) response.with("Access-Control-Allow-Origin", allowed);
    };
    if (given && !allowed.empty() && asks_before(request)) {
      auto response = no_content();
      mark(response);
      response.with("Access-Control-Allow-Methods", kMethods).with("Access-Control-Allow-Headers", kAsked).with("Access-Control-Max-Age", kKeptSeconds);
      return respond(std::move(response));
    }
    serve(std::move(request), [mark, is_shown = !allowed.empty(), respond = std::move(respond)](Response response) {
      if (is_shown) response.with("Access-Control-Expose-Headers", kShown);
      mark(response);
      respond(std::move(response));
    });
  };
}

}  // namespace chat::http
