#include "platform/server/doors.h"

#include <algorithm>

namespace chat::server {

http::ServerOptions door_options(const config::Settings& settings, const std::string& name) {
  http::ServerOptions options;
  options.engine = settings.text(name + ".engine");
  options.address = settings.text(name + ".address");
  options.port = static_cast<std::uint16_t>(settings.integer(name + ".port"));
  options.threads = static_cast<int>(settings.integer(name + ".threads"));
  options.max_connections = static_cast<std::size_t>(settings.integer(name + ".max_connections"));
  return options;
}

bool has_role(const config::Settings& settings, std::string_view role) {
  const auto roles = settings.list("node.roles");
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace chat::server
