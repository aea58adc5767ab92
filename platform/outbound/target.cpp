#include "platform/outbound/target.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace chat::outbound {
namespace {

constexpr std::size_t kMaxUrlBytes = 2048;
constexpr int kFirstFreePort = 1024;

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  const std::string copy(text);
  curl_free(text);
  return copy;
}

bool is_plain(const std::string& url) {
  return std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Target read_target(const std::string& url, bool allows_http) {
  if (url.size() > kMaxUrlBytes) return {"The URL is longer than 2,048 bytes.", {}};
  if (!is_plain(url)) return {"The URL has characters that must be percent-encoded.", {}};
  const std::unique_ptr<CURLU, CloseUrl> parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {"This is not a URL like https://example.com/hook.", {}};
  const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "https" && !(allows_http && scheme == "http"))
    return {allows_http ? "The URL must begin with https:// or http://." : "The URL must begin with https://.", {}};
  if (!part(parsed.get(), CURLUPART_USER).empty() || !part(parsed.get(), CURLUPART_PASSWORD).empty())
    return {"The URL must hold no user name and no password; use a header.", {}};
  const std::string port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  int number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  if (number != 80 && number != 443 && number < kFirstFreePort) return {"The port must be 80, 443 or from 1024 on.", {}};
  std::string host = part(parsed.get(), CURLUPART_HOST);
  std::ranges::transform(host, host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return {{}, scheme + "://" + host + ":" + port};
}

}  // namespace chat::outbound
