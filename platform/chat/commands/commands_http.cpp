#include "platform/chat/commands/commands_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/commands/commands.h"
#include "tenants/auth.h"
#include "tenants/own_audit.h"

namespace chat::commands {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

std::string object_of(const std::string& name) { return "command:" + name; }

std::optional<std::string> find_json(Tx& tx, const std::string& name) {
  for (const auto& command : list_commands(tx))
    if (command.name == name) return command_json(command);
  return std::nullopt;
}

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
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto before = find_json(tx, command.name);
  const auto put = put_command(tx, command, now);
  tenants::note_own_change(tx, request, "command.put", object_of(command.name), before, command_json(put.command), now);
  json::Writer out;
  out.object().key("command").raw(command_json(put.command)).end();
  return http::json(put.created ? 201 : 200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto& name = request.part("name");
  tenants::hold_setup(tx);
  const auto before = find_json(tx, name);
  delete_command(tx, name);
  tenants::note_own(tx, request, "command.delete", object_of(name), before, std::nullopt, services.clock.now());
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
