#pragma once
#include "platform/bus/feed.h"
#include "platform/chat/reactions/counted.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::reactions {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  Counted& counted;
};
void add_routes(http::Router& router, const Services& services);   // …/messages/{message_id}/reactions

}  // namespace chat::reactions
