#include "platform/server/client_address.h"

#include <algorithm>

namespace chat::server {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

/// The address of 192.0.2.1:5678, [2001:db8::1] or [2001:db8::1]:5678: some proxies write the port, too.
std::string without_port(const std::string& hop) {
  const bool in_brackets = hop.starts_with('[');
  const auto colon = in_brackets ? hop.find(':', hop.find(']')) : hop.find(':');
  const bool is_address = !in_brackets && hop.find(':', colon + 1) != std::string::npos;   // of version 6, bare
  if (is_address) return hop;
  const auto address = hop.substr(0, colon);
  if (colon != std::string::npos && (colon + 1 == hop.size() || hop.find_first_not_of("0123456789", colon + 1) != std::string::npos)) return hop;
  return in_brackets && address.ends_with(']') ? address.substr(1, address.size() - 2) : address;
}

/// All X-Forwarded-For of a request as one list.
std::vector<std::string> forwarded_for(const http::Request& request) {
  std::vector<std::string> hops;
  for (const auto& [name, value] : request.headers) {
    if (name != "x-forwarded-for") continue;
    for (std::size_t at = 0; at <= value.size();) {
      const auto end = std::min(value.find(',', at), value.size());
      hops.push_back(trimmed(std::string_view(value).substr(at, end - at)));
      at = end + 1;
    }
  }
  return hops;
}

}  // namespace

std::vector<outbound::Network> networks_of(const std::vector<std::string>& texts) {
  std::vector<outbound::Network> networks;
  for (const auto& text : texts)
    if (const auto network = outbound::Network::parse(text)) networks.push_back(*network);
  return networks;
}

std::string client_address(const http::Request& request, const std::vector<outbound::Network>& proxies) {
  const auto is_proxy = [&](const outbound::Address& one) {
    return std::any_of(proxies.begin(), proxies.end(), [&](const outbound::Network& network) { return network.holds(one); });
  };
  auto known = request.remote;
  const auto hops = forwarded_for(request);
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    const auto from = outbound::Address::parse(known);
    if (!from || !is_proxy(*from)) break;
    const auto said = outbound::Address::parse(without_port(*hop));
    if (!said) break;
    known = said->text();
  }
  return known;
}

http::OnRequest behind_proxies(std::vector<outbound::Network> proxies, http::OnRequest handle) {
  if (proxies.empty()) return handle;
  return [proxies = std::move(proxies), handle = std::move(handle)](http::Request request, http::Responder respond) {
    request.remote = client_address(request, proxies);
    handle(std::move(request), std::move(respond));
  };
}

}  // namespace chat::server
