#include "platform/chat/previews/urls.h"

#include <algorithm>
#include <cctype>

#include "platform/base/text.h"

namespace chat::previews {
namespace {

bool starts_url(std::string_view text) {
  const auto scheme = text::lower_ascii(text.substr(0, 8));
  return scheme.starts_with("http://") || scheme == "https://";
}

/// Of a URL inside a text: nothing that a URL can't hold, nor what quotes and markup put around one.
bool ends_url(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || std::string_view("<>\"`{}|\\^").find(c) != std::string_view::npos;
}

std::string_view without_tail(std::string_view url) {
  while (!url.empty()) {
    const char last = url.back();
    const bool is_punctuation = std::string_view(".,;:!?'*_~").find(last) != std::string_view::npos;
    const bool is_lone = (last == ')' && std::count(url.begin(), url.end(), ')') > std::count(url.begin(), url.end(), '(')) ||
                         (last == ']' && std::count(url.begin(), url.end(), ']') > std::count(url.begin(), url.end(), '['));
    if (!is_punctuation && !is_lone) break;
    url.remove_suffix(1);
  }
  return url;
}

}  // namespace

std::vector<std::string> find_urls(std::string_view text) {
  std::vector<std::string> urls;
  for (std::size_t at = 0; urls.size() < kMaxUrls && (at = text.find_first_of("hH", at)) != std::string_view::npos;) {
    if (!starts_url(text.substr(at)) || (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])))) {
      ++at;
      continue;
    }
    const auto rest = text.substr(at);
    const auto length = static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), ends_url) - rest.begin());
    const std::string url(without_tail(rest.substr(0, length)));
    const auto host = url.find("://") + 3;
    if (url.size() > host && url.size() <= kMaxUrlBytes && std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
    at += length;
  }
  return urls;
}

std::optional<std::string> resolve_location(const std::string& base, std::string_view location) {
  if (location.empty() || location.size() > kMaxUrlBytes || std::any_of(location.begin(), location.end(), ends_url)) return std::nullopt;
  if (starts_url(location)) return std::string(location);
  const auto host = base.find("://");
  if (host == std::string::npos) return std::nullopt;
  if (location.starts_with("//")) return base.substr(0, host + 1) + std::string(location);
  if (location[0] != '/') return std::nullopt;
  return base.substr(0, std::min(base.find_first_of("/?#", host + 3), base.size())) + std::string(location);
}

}  // namespace chat::previews
