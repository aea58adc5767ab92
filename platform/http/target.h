#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/clock.h"

namespace chat::http {

/// A request target taken apart.
struct Target {
  std::string path;                                         // raw, starts with '/', or "*"
  std::vector<std::pair<std::string, std::string>> query;   // decoded, in order, repeats kept
};

inline constexpr std::size_t kMaxQueryParameters = 256;

/// Shape:   origin form, absolute form (its authority is dropped) or `*`.
/// Errors:  malformed_request
Target parse_target(std::string_view text);

/// Shape:   `a=1&b=x%20y&a=2`; `+` is a space; a name without `=` has an empty value; empty pieces are skipped.
/// Errors:  malformed_request for a broken escape, a NUL, bytes that are no UTF-8, or too many parameters.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text);

/// True for [A-Za-z0-9_-]{1,64}: what a caller may give as X-Request-Id. Anything else could forge log lines.
bool is_request_id(std::string_view text);
std::string new_request_id(Timestamp now);                  // req_…

}  // namespace chat::http
