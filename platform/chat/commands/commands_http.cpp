#include "platform/chat/commands/commands_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/commands/commands.h"
#include "tenants/auth.h"

namespace chat::commands {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

Response put(const Services& services, const Request& request, Tx& tx) {
  Command command;
  command.name = request.part("name");
  if (!is_command_name(command.name)) throw invalid_field("path:name", "Must be 1-32 of a-z 0-9 _ -, a letter first.");
  auto document = http::body_of(request);
  json::Fields body(document.root());
  command.description = body.text("description", {.min_bytes = 1, .max_bytes = kMaxDescriptionBytes});
  command.args = body.find_text("args", {.max_bytes = kMaxArgsBytes}).value_or("");
  command.visible = body.find_boolean("visible").value_or(true);
  body.finish();
  const auto put = put_command(tx, command, services.clock.now());
  json::Writer out;
  out.object().key("command").raw(command_json(put.command)).end();
  return http::json(put.created ? 201 : 200, out.take());
}

Response remove(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  delete_command(tx, request.part("name"));
  return http::no_content();
}

Response list(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("commands").array();
  for (const auto& command : list_commands(tx)) out.raw(command_json(command));
  out.end().end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, http::Access access, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = access, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::put, "/v1/commands/{name}", "put_command", http::Access::server, storage::Mode::write, put);
  route(Method::del, "/v1/commands/{name}", "delete_command", http::Access::server, storage::Mode::write, remove);
  route(Method::get, "/v1/commands", "list_commands", http::Access::user_or_server, storage::Mode::read, list);
}

}  // namespace chat::commands
