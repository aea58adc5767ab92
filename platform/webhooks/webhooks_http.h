#pragma once
#include <functional>
#include <optional>
#include <string>

#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "platform/webhooks/endpoints.h"

namespace chat::webhooks {

/// Writes into the application's own audit who changed what.
using Note = std::function<void(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
                                const std::optional<std::string>& before, const std::optional<std::string>& after)>;

struct Services {
  Keeper keeper;
  const outbound::Client& client;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// A frame as an event of this type could be; none: there is no such event.
  std::function<std::optional<std::string>(const std::string& type)> example;
  Note note;
};
void add_endpoint_routes(http::Router& router, const Services& services);   // /v1/webhooks/endpoints
void add_before_routes(http::Router& router, const Services& services);     // /v1/webhooks/before_message_send
void add_delivery_routes(http::Router& router, const Services& services);   // …/deliveries, …/replay, …/test, /v1/webhooks/logs

}  // namespace chat::webhooks
