#pragma once
#include "billing/statements/statements.h"
#include "platform/http/router.h"

namespace chat::statements {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
};

void add_routes(http::Router& router, const Services& services);            // /v1/statements
void add_operator_routes(http::Router& router, const Services& services);   // …/statements, …/credits, /operator/v1/usage

}  // namespace chat::statements
