#pragma once
#include "platform/http/router.h"

namespace chat::tasks {

void add_routes(http::Router& router);         // /v1/tasks

}  // namespace chat::tasks
