#pragma once
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::pending {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // …/pending_messages, /v1/pending_messages

}  // namespace chat::pending
