#include "platform/tasks/tasks_http.h"

#include "platform/base/json.h"
#include "platform/tasks/tasks.h"

namespace chat::tasks {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

TaskId id_of(const Request& request) { return request.id_part<TaskId>("task_id", "task"); }

Response show(const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("task").raw(task_json(get_task(tx, Caller::of(request), id_of(request)))).end();
  return http::json(200, out.take());
}

Response show_part(const Request& request, Tx& tx) {
  http::Query(request).finish();
  Response response;
  response.body = get_part(tx, Caller::of(request), id_of(request), number_part(request));
  response.content_type = "application/x-ndjson";
  return response;
}

}  // namespace

void add_routes(http::Router& router) {
  router.add({.method = Method::get, .pattern = "/v1/tasks/{task_id}", .operation = "get_task", .mode = storage::Mode::read, .handler = show});
  router.add({.method = Method::get, .pattern = "/v1/tasks/{task_id}/parts/{part}", .operation = "get_task_part",
              .mode = storage::Mode::read, .handler = show_part});
}

}  // namespace chat::tasks
