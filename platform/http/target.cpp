#include "platform/http/target.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/id.h"
#include "platform/base/text.h"

namespace chat::http {
namespace {

Error malformed_query() { return Error(Code::malformed_request, "The query is not a valid URL query."); }

std::string decode(std::string_view raw) {
  if (raw.find_first_of("%+") == std::string_view::npos && text::is_utf8(raw)) return std::string(raw);
  std::string spaced(raw);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  std::string decoded;
  if (!text::percent_decode(spaced, decoded) || decoded.find('\0') != std::string::npos || !text::is_utf8(decoded))
    throw malformed_query();
  return decoded;
}

/// What follows the authority of an absolute form, or the text itself.
std::string_view without_authority(std::string_view target) {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const auto slash = target.find_first_of("/?", scheme + 3);
  return slash == std::string_view::npos ? std::string_view{} : target.substr(slash);
}

}  // namespace

Target parse_target(std::string_view text) {
  if (text == "*") return {"*", {}};
  const bool absolute = !text.starts_with('/');
  const std::string_view rest = without_authority(text);
  const auto mark = rest.find('?');
  std::string path(rest.substr(0, mark));
  if (absolute && rest.size() != text.size() && path.empty()) path = "/";
  if (!path.starts_with('/') || path.find('#') != std::string::npos)
    throw Error(Code::malformed_request, "The request target is not a path.");
  Target target{std::move(path), {}};
  if (mark != std::string_view::npos) target.query = parse_query(rest.substr(mark + 1));
  return target;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (piece.empty()) continue;
    if (query.size() == kMaxQueryParameters) throw malformed_query();
    const auto equals = piece.find('=');
    query.emplace_back(decode(piece.substr(0, equals)),
                       equals == std::string_view::npos ? std::string() : decode(piece.substr(equals + 1)));
  }
  return query;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string new_request_id(Timestamp now) { return typeid_text("req", new_uuid7(now)); }

}  // namespace chat::http
