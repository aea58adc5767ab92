#include "platform/server/operations_http.h"

#include "platform/base/error.h"
#include "platform/base/metrics.h"
#include "platform/http/openapi.h"
#include "platform/server/operations.sql.h"

namespace chat::server {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Responder;
using http::Response;

void add_quick(http::Router& router, const char* pattern, const char* operation, Access access,
               std::function<Response(const Request&)> answer) {
  router.add({.method = Method::get, .pattern = pattern, .operation = operation, .access = access,
              .async = [answer = std::move(answer)](std::shared_ptr<Request> request, Responder respond) {
                respond(answer(*request));
              }});
}

Response plain(int status, std::string text) { return {.status = status, .body = std::move(text), .content_type = "text/plain; charset=utf-8"}; }

}  // namespace

void add_operations_routes(http::Router& router, std::function<std::string(std::int64_t schema)> status_json,
                           AskReady ask_ready) {
  add_quick(router, "/livez", "get_livez", Access::any, [](const Request&) { return plain(200, "ok\n"); });
  router.add({.method = Method::get, .pattern = "/readyz", .operation = "get_readyz", .access = Access::any,
              .async = [ask_ready](std::shared_ptr<Request> request, Responder respond) {
                ask_ready([request, respond](const std::string& why) {
                  respond(why.empty() ? plain(200, "ok\n")
                                      : http::problem(Error(Code::unavailable, why).with_retry_after(std::chrono::seconds(1)), request->request_id));
                });
              }});
  add_quick(router, "/metrics", "get_metrics", Access::any, [](const Request&) {
    return Response{.status = 200, .body = metrics::expose(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  });
  router.add({.method = Method::get, .pattern = "/operator/v1/status", .operation = "get_status",
              .access = Access::operator_only, .mode = storage::Mode::read,
              .handler = [status_json](const Request& request, storage::Transaction& tx) {
                http::Query(request).finish();
                return http::json(200, status_json(tx.query(sql::schema_number)[0].integer(0)));
              }});
}

void add_contract_route(http::Router& router) {
  add_quick(router, "/v1/openapi.json", "get_openapi", Access::any,
            [](const Request&) { return http::json(200, std::string(embedded::openapi_json)); });
}

}  // namespace chat::server
