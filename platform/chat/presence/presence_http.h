#pragma once
#include "platform/chat/presence/presence.h"
#include "platform/chat/presence/typing.h"
#include "platform/http/router.h"

namespace chat::presence {

struct Services {
  Typists& typists;
  ephemeral::Store& store;
  const storage::Cursors& cursors;
};
void add_routes(http::Router& router, const Services& services);   // …/typing, …/online, …/watchers, /v1/users/presence

}  // namespace chat::presence
