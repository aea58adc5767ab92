#pragma once
#include "platform/http/router.h"

namespace chat::exports {

void add_routes(http::Router& router, const Clock& clock);   // /v1/users/{user_id}/export

}  // namespace chat::exports
