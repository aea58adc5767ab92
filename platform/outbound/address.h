#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace chat::outbound {

/// An IP address in 16 bytes: IPv4 as ::ffff:a.b.c.d, so that each has one form only.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<Address> parse(std::string_view text);          // 192.0.2.1, 2001:db8::1; no names, no octal
  static std::optional<Address> of(const sockaddr& socket_address);    // nothing: neither IPv4 nor IPv6
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] std::string text() const;
};

/// A range of addresses, "10.0.0.0/8" or "fd00::/8"; without a slash one address.
struct Network {
  Address address;
  int bits = 128;

  static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] bool holds(const Address& one) const;
};

/// Which addresses a customer's URL may lead to. Judged on the address that is about to be connected, behind DNS: how the URL
/// spelled it does not matter, and a name that changes its mind gains nothing.
/// Source:  IANA's special-purpose registries for IPv4 and IPv6.
class Guard {
 public:
  /// `allowed` are ranges that the operator opens although they are not public.
  explicit Guard(std::vector<Network> allowed = {}) : allowed_(std::move(allowed)) {}

  /// Empty: go on. Otherwise what kind of address it is, for a log: "loopback", "private", …
  [[nodiscard]] std::string_view refuses(const Address& address) const;

 private:
  std::vector<Network> allowed_;
};

}  // namespace chat::outbound
