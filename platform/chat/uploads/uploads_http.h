#pragma once
#include <functional>

#include "billing/accounts.h"
#include "platform/chat/uploads/depot.h"
#include "platform/http/router.h"
#include "tenants/directory.h"
#include "tenants/said.h"

namespace chat::uploads {

struct Services {
  Depot& depot;
  billing::Accounts& accounts;
  tenants::Directory& directory;
  const Clock& clock;
  /// Runs a task on a database worker; false: too many wait.
  std::function<bool(storage::Pool::Task)> run;
  tenants::JudgeSaid judge_names;
};
void add_routes(http::Router& router, const Services& services);           // /v1/uploads, /v1/channels/{type}/{id}/uploads
void add_content_routes(http::Router& router, const Services& services);   // /v1/uploads/{upload_id}/content

/// Has the upload looked at and answers the request with it. Errors: unavailable (too many wait)
void submit_look(const Services& services, Depot::Look look, const http::Request& request, const http::Responder& respond);

}  // namespace chat::uploads
