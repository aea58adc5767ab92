#include "platform/redis/options.h"

#include <charconv>

namespace chat::redis {
namespace {

template <class Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool strip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

constexpr int kMaxDatabase = 15;

}  // namespace

std::optional<Address> parse_url(std::string_view url) {
  Address address;
  std::string_view database;
  if (strip(url, "unix://")) {
    if (const auto query = url.find("?db="); query != std::string_view::npos) {
      database = url.substr(query + 4);
      url = url.substr(0, query);
      if (database.empty()) return std::nullopt;
    }
    if (!url.starts_with('/') || url.size() > 100) return std::nullopt;      // sun_path has 108
    address.path = url;
  } else if (strip(url, "redis://")) {
    if (const auto slash = url.find('/'); slash != std::string_view::npos) {
      database = url.substr(slash + 1);
      url = url.substr(0, slash);
    }
    std::string_view port;
    if (const auto colon = url.rfind(':'); colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos) {
      port = url.substr(colon + 1);
      url = url.substr(0, colon);
      if (port.empty()) return std::nullopt;
    }
    if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
    if (url.empty() || url.find_first_of("@/[]") != std::string_view::npos) return std::nullopt;
    if (!port.empty() && (!read(port, address.port) || address.port == 0)) return std::nullopt;
    address.host = url;
  } else {
    return std::nullopt;
  }
  if (!database.empty() && (!read(database, address.database) || address.database < 0 || address.database > kMaxDatabase)) return std::nullopt;
  return address;
}

}  // namespace chat::redis
