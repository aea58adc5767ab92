#pragma once
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::operators {

void add_routes(http::Router& router, const storage::Cursors& cursors, const Clock& clock);   // /operator/v1/operators, /operator/v1/audit

}  // namespace chat::operators
