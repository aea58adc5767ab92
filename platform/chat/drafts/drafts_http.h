#pragma once
#include <functional>

#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::drafts {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// Checks the member `name` of a body as POST …/messages would; gives it back minified, nullopt when it is absent.
  std::function<std::optional<std::string>(json::Fields& body, const char* name, bool by_server)> read_message;
};
void add_routes(http::Router& router, const Services& services);   // …/draft, /v1/drafts

}  // namespace chat::drafts
