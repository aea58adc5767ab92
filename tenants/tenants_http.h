#pragma once
#include <functional>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::tenants {

/// What the doors of this folder work with; all of it outlives them.
struct Services {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  const storage::Cursors& cursors;
  const Clock& clock;
  std::function<bool(std::string_view)> is_meter;   // of billing, which stands above this folder
};

void add_routes(http::Router& router, const Services& services);            // /v1/app
void add_operator_routes(http::Router& router, const Services& services);   // /operator/v1/applications

}  // namespace chat::tenants
