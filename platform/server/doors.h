#pragma once
#include "platform/base/config.h"
#include "platform/http/server.h"

namespace chat::server {

/// A door's options from the keys below `name`.
http::ServerOptions door_options(const config::Settings& settings, const std::string& name);
bool has_role(const config::Settings& settings, std::string_view role);

}  // namespace chat::server
