#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/channels/channel_types.h"
#include "platform/chat/channels/channels_http.h"
#include "tenants/own_audit.h"

namespace chat::channels {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

std::string object_of(const std::string& type) { return "channel_type:" + type; }

Response show(int status, const ChannelType& type) {
  json::Writer out;
  out.object().key("channel_type").raw(channel_type_json(type)).end();
  return http::json(status, out.take());
}

Response list(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("channel_types").array();
  for (const auto& type : list_channel_types(tx)) out.raw(channel_type_json(type));
  out.end().end();
  return http::json(200, out.take());
}

void read_settings(json::Fields& body, TypeSettings& settings) {
  auto given = body.find_object("settings");
  if (!given) return;
  json::Fields fields(*given, "#/settings");
  read_type_settings(fields, settings);
  fields.check_unknown();
  body.absorb(fields);
}

/// Errors:  invalid_field
void check_block_lists(const Services& services, Tx& tx, const std::vector<std::string>& names) {
  const auto missing = services.take_block_lists(tx, names);
  if (missing.empty()) return;
  std::vector<FieldError> mistakes;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::ranges::find(missing, names[i]) != missing.end()) mistakes.push_back({"#/settings/block_lists/" + std::to_string(i), "No such block list."});
  throw Error(Code::invalid_field, "Some of these block lists do not exist.", std::move(mistakes));
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto type = body.text("type", {.min_bytes = 1, .max_bytes = 64});
  if (!type.empty() && !is_channel_type(type)) body.mistake("type", "Must be 1-64 of a-z 0-9 _ -");
  TypeSettings settings;
  read_settings(body, settings);
  body.finish();
  if (!settings.block_lists.empty()) check_block_lists(services, tx, settings.block_lists);
  const auto now = services.clock.now();
  const auto made = create_channel_type(tx, type, settings, now);
  tenants::note_own(tx, request, "channel_type.create", object_of(type), std::nullopt, channel_type_json(made), now);
  return show(201, made);
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  tenants::hold_setup(tx);                     // what is not given stays as it is now
  auto current = get_channel_type(tx, request.part("type"));
  const auto before = channel_type_json(current);
  const auto lists = current.settings.block_lists;
  json::Fields body(document.root());
  read_settings(body, current.settings);
  body.finish();
  if (current.settings.block_lists != lists) check_block_lists(services, tx, current.settings.block_lists);
  const auto now = services.clock.now();
  const auto changed = update_channel_type(tx, current.type, current.settings, now);
  tenants::note_own_change(tx, request, "channel_type.update", object_of(current.type), before, channel_type_json(changed), now);
  return show(200, changed);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  const auto& type = request.part("type");
  tenants::hold_setup(tx);
  const auto before = channel_type_json(get_channel_type(tx, type));
  delete_channel_type(tx, type);
  tenants::note_own(tx, request, "channel_type.delete", object_of(type), before, std::nullopt, services.clock.now());
  return http::no_content();
}

}  // namespace

void add_channel_type_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation,
                 Response (*act)(const Services&, const Request&, Tx&), storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/channel_types") + pattern, .operation = operation,
                .access = Access::server, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::get, "", "list_channel_types", list, storage::Mode::read);
  add(Method::post, "", "create_channel_type", create);
  add(Method::get, "/{type}", "get_channel_type",
      [](const Services&, const Request& request, Tx& tx) { return show(200, get_channel_type(tx, request.part("type"))); },
      storage::Mode::read);
  add(Method::patch, "/{type}", "update_channel_type", update);
  add(Method::del, "/{type}", "delete_channel_type", remove);
}

}  // namespace chat::channels
