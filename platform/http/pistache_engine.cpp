#include "platform/base/error.h"
#include "platform/http/engines.h"

namespace chat::http {

std::unique_ptr<Server> make_pistache_server(const ServerOptions&, OnRequest, OnUpgrade) {
  throw Error(Code::unavailable, "The Pistache engine is not built in.");
}

}  // namespace chat::http
