#include "platform/outbound/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace chat::outbound {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

Address from_v4(const void* four) {
  Address address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  std::memcpy(address.bytes.data() + kMapped.size(), four, 4);
  return address;
}

struct Special {
  const char* network;
  std::string_view kind;
};
// What is not for strangers' URLs. Order: the first that holds the address names it.
constexpr Special kSpecial[] = {
    {"0.0.0.0/8", "unspecified"},       {"10.0.0.0/8", "private"},          {"100.64.0.0/10", "private"},
    {"127.0.0.0/8", "loopback"},        {"169.254.0.0/16", "link-local"},   {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved"},       {"192.0.2.0/24", "documentation"},  {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "private"},      {"198.18.0.0/15", "benchmarking"},  {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"}, {"224.0.0.0/4", "multicast"},      {"240.0.0.0/4", "reserved"},
    {"::1/128", "loopback"},            {"64:ff9b:1::/48", "translated"},   {"100::/64", "discard"},
    {"2001::/23", "reserved"},          {"2001:db8::/32", "documentation"}, {"2002::/16", "translated"},
    {"3fff::/20", "documentation"},     {"5f00::/16", "reserved"},          {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},        {"fec0::/10", "private"},           {"ff00::/8", "multicast"},
};

struct Range {
  Network network;
  std::string_view kind;
};
const std::vector<Range>& special_ranges() {
  static const std::vector<Range> ranges = [] {
    std::vector<Range> all;
    for (const Special& one : kSpecial) all.push_back({*Network::parse(one.network), one.kind});
    return all;
  }();
  return ranges;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> raw{};
  if (::inet_pton(AF_INET, copy.c_str(), raw.data()) == 1) return from_v4(raw.data());
  if (::inet_pton(AF_INET6, copy.c_str(), raw.data()) == 1) return Address{raw};
  return std::nullopt;
}

std::optional<Address> Address::of(const sockaddr& socket_address) {
  if (socket_address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &socket_address, sizeof v4);
    return from_v4(&v4.sin_addr);
  }
  if (socket_address.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &socket_address, sizeof v6);
  Address address;
  std::memcpy(address.bytes.data(), &v6.sin6_addr, address.bytes.size());
  return address;
}

bool Address::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (is_v4()) ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), out.data(), out.size());
  else ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return out.data();
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Network{*address, 128};
  const std::string_view digits = text.substr(slash + 1);
  int bits = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool is_v4 = text.find(':') == std::string_view::npos;
  if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > (is_v4 ? 32 : 128)) return std::nullopt;
  return Network{*address, is_v4 ? bits + 96 : bits};
}

bool Network::holds(const Address& one) const {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(one.bytes.begin(), one.bytes.begin() + whole, address.bytes.begin())) return false;
  const int rest = bits % 8;
  return rest == 0 || ((one.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

std::string_view Guard::refuses(const Address& address) const {
  for (const Network& network : allowed_) {
    if (network.holds(address)) return {};
  }
  // An IPv6-only host reaches the IPv4 world through this prefix: the address inside is the one that counts.
  if (std::equal(kNat64.begin(), kNat64.end(), address.bytes.begin())) return refuses(from_v4(address.bytes.data() + kNat64.size()));
  for (const Range& range : special_ranges()) {
    if (range.network.holds(address)) return range.kind;
  }
  if (!address.is_v4() && address.bytes[0] == 0) return "reserved";   // ::/8: unspecified, IPv4-compatible, others
  return {};
}

}  // namespace chat::outbound
