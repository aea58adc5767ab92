#pragma once
#include <memory>

#include "platform/http/server.h"

namespace chat::http {

std::unique_ptr<Server> make_beast_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade);
std::unique_ptr<Server> make_pistache_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade);

/// "127.0.0.1:8080", "[::1]:8080": for messages.
std::string place_of(const ServerOptions& options);

}  // namespace chat::http
