#pragma once
#include "platform/bus/feed.h"
#include "platform/http/router.h"

namespace chat::reads {

struct Services {
  bus::Bus& bus;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // …/read, /v1/unread

}  // namespace chat::reads
