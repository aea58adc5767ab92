#pragma once
#include "platform/base/clock.h"
#include "platform/http/router.h"

namespace chat::commands {

struct Services {
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // /v1/commands

}  // namespace chat::commands
