#pragma once
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::bookmarks {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // /v1/bookmarks, …/messages/{message_id}/bookmark

}  // namespace chat::bookmarks
