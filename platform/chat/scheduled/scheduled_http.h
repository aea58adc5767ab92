#pragma once
#include <functional>

#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

namespace chat::scheduled {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// Checks the member `name` of a body as POST …/messages would; gives it back minified, nullopt when it is absent.
  std::function<std::optional<std::string>(json::Fields& body, const char* name, bool by_server)> read_message;
  /// Does the plan of the caller's application have what such a message needs? Errors: limit_reached
  std::function<void(const tenants::Caller& caller, const std::string& message)> check_message;
};
void add_routes(http::Router& router, const Services& services);   // …/scheduled_messages, /v1/scheduled_messages

}  // namespace chat::scheduled
