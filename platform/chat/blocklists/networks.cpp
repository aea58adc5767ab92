#include "platform/chat/blocklists/networks.h"

#include <string_view>

namespace chat::blocklists {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes masked(Bytes bytes, int bits) {
  for (int i = 0; i < 16; ++i) {
    const int kept = bits - i * 8;
    if (kept >= 8) continue;
    bytes[static_cast<std::size_t>(i)] = kept <= 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)] & (0xFF00U >> kept));
  }
  return bytes;
}

}  // namespace

std::optional<outbound::Network> network_of(std::string_view text) {
  auto network = outbound::Network::parse(text);
  if (network) network->address.bytes = masked(network->address.bytes, network->bits);
  return network;
}

std::string text_of(const outbound::Network& network) {
  if (network.bits == 128) return network.address.text();
  const bool v4 = network.bits >= 96 && network.address.is_v4();
  return network.address.text() + "/" + std::to_string(v4 ? network.bits - 96 : network.bits);
}

std::size_t Networks::Hash::operator()(const Bytes& bytes) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void Networks::add(const outbound::Network& network, std::optional<Timestamp> expires_at) { by_length_[network.bits][network.address.bytes] = expires_at; }

bool Networks::hold(const outbound::Address& address, Timestamp now) const {
  for (const auto& [bits, networks] : by_length_) {
    const auto found = networks.find(masked(address.bytes, bits));
    if (found != networks.end() && (!found->second || *found->second > now)) return true;
  }
  return false;
}

std::size_t Networks::bytes() const {
  std::size_t sum = 0;
  for (const auto& [bits, networks] : by_length_) sum += networks.size() * 64;
  return sum;
}

}  // namespace chat::blocklists
