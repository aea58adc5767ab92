#pragma once
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/said.h"

namespace chat::users {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  tenants::Names names;                        // judges them
};
void add_routes(http::Router& router, const Services& services);   // /v1/users, /v1/guests
void add_relation_routes(http::Router& router, const Services& services);   // /v1/users/{user_id}/blocks and /mutes

}  // namespace chat::users
