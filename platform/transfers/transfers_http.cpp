#include "platform/transfers/transfers_http.h"

#include <charconv>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/operators/audit.h"
#include "platform/transfers/transfers.h"
#include "tenants/applications.h"

namespace chat::transfers {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::size_t kMaxBody = 1024 * 1024;         // of a part, with what JSON escapes

AppId app_part(const Request& request, Tx& tx) { return tenants::resolve_application(tx, request.part("app_id")); }

/// Of an application that need not be here.
AppId coming_app(const Request& request) { return request.id_part<AppId>("app_id", "application"); }

ImportId import_part(const Request& request) { return request.id_part<ImportId>("import_id", "import"); }

/// A number that can't be one is a part that is not there.
std::int64_t number_part(const Request& request) {
  const auto& text = request.part("part");
  std::int64_t part = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
  if (error != std::errc() || end != text.data() + text.size() || part < 1) throw not_found("part");
  return part;
}

void note(const Request& request, Tx& tx, AppId app, const char* action, const std::optional<std::string>& before,
          const std::optional<std::string>& after) {
  operators::audit(tx, operators::actor_of(request), action, operators::object_of("application", app.wire()), before, after);
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

Response begin_export(const Request& request, Tx& tx, const Clock& clock) {
  http::require_empty_body(request);
  const AppId app = app_part(request, tx);
  const auto task = start_export(tx, app, clock.now());
  json::Writer what;
  what.object().field("task_id", task.id.wire()).end();
  note(request, tx, app, "application.export", std::nullopt, what.take());
  return show_task(202, task);
}

Response export_status(const Request& request, Tx& tx, const Clock&) {
  http::Query(request).finish();
  app_part(request, tx);
  return show_task(200, tasks::get_task_of_type(tx, request.id_part<tasks::TaskId>("task_id", "task"), kExportApplication));
}

Response export_part(const Request& request, Tx& tx, const Clock&) {
  http::Query(request).finish();
  app_part(request, tx);
  Response response;
  response.body = tasks::get_part_of_type(tx, request.id_part<tasks::TaskId>("task_id", "task"), kExportApplication, number_part(request));
  response.content_type = "application/x-ndjson";
  return response;
}

Response begin(const Request& request, Tx& tx, const Clock& clock) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto header = body.find_object("header");
  if (!header) body.mistake("header", "Required: the file's first line.");
  body.finish();
  const AppId app = coming_app(request);
  const auto import = begin_import(tx, app, *header, clock.now());
  note(request, tx, app, "import.begin", std::nullopt, header->raw());
  return show_import(201, app, import);
}

Response add_lines(const Request& request, Tx& tx, const Clock& clock) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto lines = body.text("lines", {.min_bytes = 1, .max_bytes = kMaxPartBytes});
  body.finish();
  const AppId app = coming_app(request);
  return show_import(200, app, add_part(tx, app, import_part(request), number_part(request), lines, clock.now()));
}

Response apply(const Request& request, Tx& tx, const Clock& clock) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto rows = body.integer("rows", {1, INT64_MAX});
  body.finish();
  const AppId app = coming_app(request);
  const auto import = apply_import(tx, app, import_part(request), rows, clock.now());
  note(request, tx, app, "application.import", std::nullopt, import_json(app, import));
  return show_import(202, app, import);
}

Response status(const Request& request, Tx& tx, const Clock&) {
  http::Query(request).finish();
  const AppId app = coming_app(request);
  return show_import(200, app, get_import(tx, app, import_part(request)));
}

Response discard(const Request& request, Tx& tx, const Clock&) {
  const AppId app = coming_app(request);
  const auto before = import_json(app, get_import(tx, app, import_part(request)));
  discard_import(tx, app, import_part(request));
  note(request, tx, app, "import.discard", before, std::nullopt);
  return http::no_content();
}

}  // namespace

void add_routes(http::Router& router, const Clock& clock) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Request&, Tx&, const Clock&), std::size_t max_body = 64 * 1024) {
    router.add({.method = method, .pattern = std::string("/operator/v1/applications/{app_id}") + pattern, .operation = operation,
                .access = Access::operator_only, .mode = mode, .max_body_bytes = max_body,
                .handler = [&clock, act](const Request& request, Tx& tx) { return act(request, tx, clock); }});
  };
  constexpr auto kRead = storage::Mode::read;
  constexpr auto kWrite = storage::Mode::write;
  add(Method::post, "/exports", "export_application", kWrite, begin_export);
  add(Method::get, "/exports/{task_id}", "get_export", kRead, export_status);
  add(Method::get, "/exports/{task_id}/parts/{part}", "get_export_part", kRead, export_part);
  add(Method::post, "/imports", "begin_import", kWrite, begin);
  add(Method::put, "/imports/{import_id}/parts/{part}", "add_import_part", kWrite, add_lines, kMaxBody);
  add(Method::post, "/imports/{import_id}/apply", "apply_import", kWrite, apply);
  add(Method::get, "/imports/{import_id}", "get_import", kRead, status);
  add(Method::del, "/imports/{import_id}", "discard_import", kWrite, discard);
}

}  // namespace chat::transfers
