#include "tenants/operator_door.h"

#include "platform/operators/audit.h"
#include "tenants/applications.h"

namespace chat::tenants {

AppId app_part(const http::Request& request, storage::Transaction& tx) { return resolve_application(tx, request.part("app_id")); }

AppId hold_app_part(const http::Request& request, storage::Transaction& tx) {
  const AppId app = app_part(request, tx);
  hold_application(tx, app);
  return app;
}

void audit_application(const http::Request& request, storage::Transaction& tx, AppId app, const char* action,
                       const std::optional<std::string>& before, const std::optional<std::string>& after) {
  operators::audit(tx, operators::actor_of(request), action, operators::object_of("application", app.wire()), before, after);
}

}  // namespace chat::tenants
