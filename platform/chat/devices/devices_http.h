#pragma once
#include "platform/http/router.h"

namespace chat::devices {

void add_routes(http::Router& router, const Clock& clock);   // /v1/devices

}  // namespace chat::devices
