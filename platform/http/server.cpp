#include "platform/http/server.h"

#include "platform/base/error.h"
#include "platform/http/engines.h"

namespace chat::http {

std::string place_of(const ServerOptions& options) {
  const bool is_v6 = options.address.find(':') != std::string::npos;
  return (is_v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(options.port);
}

std::unique_ptr<Server> make_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade) {
  INVARIANT(options.engine == "beast" || options.engine == "pistache", "configuration checks the engine's name");
  INVARIANT(options.threads > 0, "an engine has at least one thread");
  auto make = options.engine == "beast" ? make_beast_server : make_pistache_server;
  return make(options, std::move(on_request), std::move(on_upgrade));
}

}  // namespace chat::http
