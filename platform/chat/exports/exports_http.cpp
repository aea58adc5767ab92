#include "platform/chat/exports/exports_http.h"

#include "platform/chat/exports/exports.h"

namespace chat::exports {

void add_routes(http::Router& router, const Clock& clock) {
  router.add({.method = http::Method::post, .pattern = "/v1/users/{user_id}/export", .operation = "export_user",
              .access = http::Access::server, .handler = [&clock](const http::Request& request, storage::Transaction& tx) {
                http::require_empty_body(request);
                const auto task = start_export(tx, request.part("user_id"), clock.now());
                json::Writer out;
                out.object().key("task").raw(tasks::task_json(task)).end();
                return http::json(202, out.take());
              }});
}

}  // namespace chat::exports
