#pragma once
#include <functional>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

namespace chat::invites {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  std::function<channels::Caps(const tenants::Caller&)> caps;
};
void add_routes(http::Router& router, const Services& services);   // /v1/invites, /v1/channels/{type}/{id}/invites

}  // namespace chat::invites
