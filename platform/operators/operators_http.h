#pragma once
#include "platform/http/router.h"
#include "platform/storage/page.h"

/// The operator's door to the operators themselves, which is an owner's, and to what all of them changed, which any of them may read.
namespace chat::operators {

/// /operator/v1/operators (create, list, revoke), /operator/v1/audit (list, verify). Both arguments outlive the routes.
void add_routes(http::Router& router, const storage::Cursors& cursors, const Clock& clock);

}  // namespace chat::operators
