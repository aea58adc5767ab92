#pragma once
#include <string>

namespace chat::outbound {

/// Where a URL leads, before anything is resolved.
struct Target {
  std::string refusal;       // not empty: a sentence why it can't be called
  std::string host;          // scheme://name:port, for connections that may be shared
};
Target read_target(const std::string& url, bool allows_http);

}  // namespace chat::outbound
