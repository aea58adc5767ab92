#pragma once
#include <string>
#include <vector>

#include "platform/http/server.h"
#include "platform/outbound/address.h"

/// Whose address audits name when proxies stand before a door.
namespace chat::server {

/// Those of a setting; its words were checked.
std::vector<outbound::Network> networks_of(const std::vector<std::string>& texts);

/// The last address in X-Forwarded-For that is no trusted proxy's: each of them adds whom it heard at the end, and what stands before a
/// stranger's word is the stranger's. The peer's own when it is none of them, or says nothing that can be read.
std::string client_address(const http::Request& request, const std::vector<outbound::Network>& proxies);

/// The handler, told the client's address as `remote`.
http::OnRequest behind_proxies(std::vector<outbound::Network> proxies, http::OnRequest handle);

}  // namespace chat::server
