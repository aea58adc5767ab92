#pragma once
#include <functional>

#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/chat/notifications/providers.h"
#include "platform/http/router.h"
#include "platform/storage/pool.h"

namespace chat::notifications {

struct Services {
  bus::Bus& bus;
  Senders& senders;
  const Clock& clock;
  std::function<bool(storage::Pool::Task)> run;   // on a database worker; false: too many wait
};
void add_routes(http::Router& router, const Services& services);             // all of the following
void add_provider_routes(http::Router& router, const Services& services);    // /v1/push/providers, /v1/push/web_key
void add_preference_routes(http::Router& router, const Services& services);  // /v1/push/preferences, …/push_preference
void add_template_routes(http::Router& router, const Services& services);    // /v1/push/templates
void add_check_route(http::Router& router, const Services& services);        // /v1/push/check

/// A provider's name, `default` when absent. Errors: gathered in `body`
std::string read_name(json::Fields& body, const char* member);

}  // namespace chat::notifications
