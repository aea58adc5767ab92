#pragma once
#include <functional>
#include <string>

#include "platform/http/router.h"

namespace chat::server {

/// Calls back once, from any thread: empty when this node is ready, else why not.
using AskReady = std::function<void(std::function<void(std::string)>)>;

/// /livez, /readyz, /metrics and /operator/v1/status. The first three need no token and no database:
/// a database that stumbles must not restart the nodes, nor blind the one who looks.
void add_operations_routes(http::Router& router, std::function<std::string(std::int64_t schema)> status_json,
                           AskReady ask_ready);
void add_contract_route(http::Router& router);          // /v1/openapi.json

}  // namespace chat::server
