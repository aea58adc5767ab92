#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "platform/base/clock.h"
#include "platform/outbound/address.h"

/// Networks of addresses, tens of thousands of them, asked for one address. Private to the folder.
namespace chat::blocklists {

/// Without the bits of hosts: 10.1.2.3/8 is 10.0.0.0/8. Nothing: it is none.
std::optional<outbound::Network> network_of(std::string_view text);
std::string text_of(const outbound::Network& network);

class Networks {
 public:
  void add(const outbound::Network& network, std::optional<Timestamp> expires_at);
  /// Cost:    one look-up for each length of prefix that there is.
  [[nodiscard]] bool hold(const outbound::Address& address, Timestamp now) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Hash {
    std::size_t operator()(const std::array<std::uint8_t, 16>& bytes) const;
  };
  std::map<int, std::unordered_map<std::array<std::uint8_t, 16>, std::optional<Timestamp>, Hash>> by_length_;
};

}  // namespace chat::blocklists
