#pragma once
#include "platform/http/router.h"

namespace chat::transfers {

void add_routes(http::Router& router, const Clock& clock);   // below /operator/v1/applications/{app_id}: exports, imports

}  // namespace chat::transfers
