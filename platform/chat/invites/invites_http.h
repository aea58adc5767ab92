#pragma once
#include <functional>

#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

namespace chat::invites {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// Members that the application's plan allows in a channel.
  std::function<std::int64_t(const tenants::Caller&)> max_members;
};
void add_routes(http::Router& router, const Services& services);   // /v1/invites, /v1/channels/{type}/{id}/invites

}  // namespace chat::invites
