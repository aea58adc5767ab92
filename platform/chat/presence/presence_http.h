#pragma once
#include "platform/chat/presence/typing.h"
#include "platform/http/router.h"

namespace chat::presence {

struct Services {
  Typists& typists;
};
void add_routes(http::Router& router, const Services& services);   // …/typing

}  // namespace chat::presence
