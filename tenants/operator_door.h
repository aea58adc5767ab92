#pragma once
#include <optional>
#include <string>

#include "platform/http/request.h"
#include "platform/storage/transaction.h"
#include "tenants/application.h"

/// What every operator's route below /operator/v1/applications/{app_id} does, whatever folder it belongs to.
namespace chat::tenants {

/// The {app_id} of the path: an app_id, an API key or the exact name. The transaction acts for it from here on when it is an id.
/// Errors:  not_found; conflict (several applications have this name)
AppId app_part(const http::Request& request, storage::Transaction& tx);
/// The same, held against other changes of it until the commit, so that `before` is what the change finds. Errors: not_found
AppId hold_app_part(const http::Request& request, storage::Transaction& tx);
/// Notes a change of the application in the operators' audit: in its transaction, last.
void audit_application(const http::Request& request, storage::Transaction& tx, AppId app, const char* action,
                       const std::optional<std::string>& before, const std::optional<std::string>& after);

}  // namespace chat::tenants
