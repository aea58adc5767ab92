#pragma once
#include <functional>

#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

namespace chat::teams {

struct Services {
  const storage::Cursors& cursors;
  const Clock& clock;
  std::function<std::int64_t(const tenants::Caller&)> max_teams;   // that the application's plan allows
};
void add_routes(http::Router& router, const Services& services);   // /v1/teams

}  // namespace chat::teams
