#include "platform/transfers/transfers_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/transfers/transfers.h"
#include "tenants/operator_door.h"

namespace chat::transfers {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::size_t kMaxBody = 1024 * 1024;         // of a part, with what JSON escapes

/// Of an application that need not be here.
AppId coming_app(const Request& request) { return request.id_part<AppId>("app_id", "application"); }

ImportId import_part(const Request& request) { return request.id_part<ImportId>("import_id", "import"); }

std::string task_said(tasks::TaskId id) {
  json::Writer out;
  out.object().field("task_id", id.wire()).end();
  return out.take();
}

Response show_task(int status, const tasks::Task& task) {
  json::Writer out;
  out.object().key("task").raw(task_json(task)).end();
  return http::json(status, out.take());
}

Response show_import(int status, AppId app, const Import& import) {
  json::Writer out;
  out.object().key("import").raw(import_json(app, import)).end();
  return http::json(status, out.take());
}

Response begin_export(const Services& services, const Request& request, Tx& tx) {
  http::require_empty_body(request);
  const AppId app = tenants::app_part(request, tx);
  const auto task = start_export(tx, app, services.clock.now());
  tenants::audit_application(request, tx, app, "application.export", std::nullopt, task_said(task.id));
  return show_task(202, task);
}

Response export_status(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  tenants::app_part(request, tx);
  return show_task(200, tasks::get_task_of_type(tx, request.id_part<tasks::TaskId>("task_id", "task"), kExportApplication));
}

/// Whoever takes the first part has the file: that is noted.
Response export_part(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const AppId app = tenants::app_part(request, tx);
  const auto id = request.id_part<tasks::TaskId>("task_id", "task");
  const auto part = tasks::number_part(request);
  Response response;
  response.body = tasks::get_part_of_type(tx, id, kExportApplication, part);
  response.content_type = "application/x-ndjson";
  if (part == 1) tenants::audit_application(request, tx, app, "application.export_download", std::nullopt, task_said(id));
  return response;
}

Response begin(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto header = body.find_object("header");
  if (!header) body.mistake("header", "Required: the file's first line.");
  body.finish();
  const AppId app = coming_app(request);
  const auto import = begin_import(tx, app, *header, services.clock.now());
  tenants::audit_application(request, tx, app, "import.begin", std::nullopt, header->raw());
  return show_import(201, app, import);
}

Response add_lines(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto lines = body.text("lines", {.min_bytes = 1, .max_bytes = kMaxPartBytes});
  body.finish();
  const AppId app = coming_app(request);
  const auto import = add_part(tx, app, import_part(request), tasks::number_part(request), lines, services.clock.now(), services.rules);
  return show_import(200, app, import);
}

Response apply(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto rows = body.integer("rows", {1, INT64_MAX});
  body.finish();
  const AppId app = coming_app(request);
  const auto import = apply_import(tx, app, import_part(request), rows, services.clock.now());
  tenants::audit_application(request, tx, app, "application.import", std::nullopt, import_json(app, import));
  return show_import(202, app, import);
}

Response status(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const AppId app = coming_app(request);
  return show_import(200, app, get_import(tx, app, import_part(request)));
}

Response discard(const Services& services, const Request& request, Tx& tx) {
  const AppId app = coming_app(request);
  const auto before = import_json(app, get_import(tx, app, import_part(request)));
  discard_import(tx, app, import_part(request), services.clock.now());
  tenants::audit_application(request, tx, app, "import.discard", before, std::nullopt);
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&), std::size_t max_body = 64 * 1024) {
    router.add({.method = method, .pattern = std::string("/operator/v1/applications/{app_id}") + pattern, .operation = operation,
                .access = Access::operator_only, .mode = mode, .max_body_bytes = max_body,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  constexpr auto kRead = storage::Mode::read;
  constexpr auto kWrite = storage::Mode::write;
  add(Method::post, "/exports", "export_application", kWrite, begin_export);
  add(Method::get, "/exports/{task_id}", "get_export", kRead, export_status);
  add(Method::get, "/exports/{task_id}/parts/{part}", "get_export_part", kWrite, export_part);
  add(Method::post, "/imports", "begin_import", kWrite, begin);
  add(Method::put, "/imports/{import_id}/parts/{part}", "add_import_part", kWrite, add_lines, kMaxBody);
  add(Method::post, "/imports/{import_id}/apply", "apply_import", kWrite, apply);
  add(Method::get, "/imports/{import_id}", "get_import", kRead, status);
  add(Method::del, "/imports/{import_id}", "discard_import", kWrite, discard);
}

}  // namespace chat::transfers
