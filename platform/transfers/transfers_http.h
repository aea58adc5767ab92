#pragma once
#include "platform/http/router.h"
#include "platform/transfers/transfers.h"

/// The operator's door to exports and imports. Looking needs a viewer; whatever makes, fetches or brings a file needs an owner and is
/// noted in the operators' audit.
namespace chat::transfers {

/// What the door works with; the clock outlives it.
struct Services {
  const Clock& clock;
  Rules rules;
};

/// Below /operator/v1/applications/{app_id}: /exports (begin, look, parts), /imports (begin, add a part, apply, look, discard).
void add_routes(http::Router& router, const Services& services);

}  // namespace chat::transfers
