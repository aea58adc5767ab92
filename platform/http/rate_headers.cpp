#include "platform/http/rate_headers.h"

namespace chat::http {
namespace {

/// A structured-field string: printable ASCII, `"` and `\` escaped (RFC 9651 3.3.3).
void append_name(std::string& out, const std::string& name) {
  out += '"';
  for (const char c : name) {
    if (c < 0x20 || c > 0x7e) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

std::string rate_limit_policy(const RateDecision& decision) {
  std::string out;
  for (const RatePolicy& policy : decision.policies) {
    if (!out.empty()) out += ", ";
    append_name(out, policy.name);
    out += ";q=" + std::to_string(policy.quota) + ";w=" + std::to_string(policy.window_s);
  }
  return out;
}

std::string rate_limit(const RateDecision& decision) {
  std::string out;
  if (decision.policies.empty()) return out;
  const RatePolicy& nearest = decision.policies.front();
  append_name(out, nearest.name);
  return out + ";r=" + std::to_string(nearest.remaining) + ";t=" + std::to_string(nearest.reset_s);
}

}  // namespace chat::http
