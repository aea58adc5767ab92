#include "platform/base/error.h"
#include "platform/chat/channels/bans.h"
#include "platform/chat/channels/channels_http.h"

namespace chat::channels {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

struct Asked {
  BanInput input;
  std::optional<std::string> user;             // as whom
};

Asked read_ban(const Request& request, Timestamp now, bool in_channel) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Asked asked;
  asked.input.shadow = body.find_boolean("shadow").value_or(false);
  asked.input.reason = body.find_text("reason", {.min_bytes = 1, .max_bytes = 255});
  asked.input.expires_at = body.find_time("expires_at");
  if (asked.input.expires_at && *asked.input.expires_at <= now) body.mistake("expires_at", "Must be in the future.");
  if (in_channel) asked.user = body.find_text("user_id");
  body.finish();
  return asked;
}

Response show(const Ban& ban) {
  json::Writer out;
  out.object().key("ban").raw(ban_json(ban)).end();
  return http::json(200, out.take());
}

Response show(const storage::Page<Ban>& page) {
  json::Writer out;
  out.object().key("bans").array();
  for (const auto& ban : page.items) out.raw(ban_json(ban));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response put_in_channel(const Services& services, const Request& request, Tx& tx) {
  const auto now = services.clock.now();
  const auto asked = read_ban(request, now, true);
  const auto& caller = Caller::of(request);
  auto opened = lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(asked.user, "#/user_id"));
  return show(ban_from_channel(tx, services.bus, opened, request.part("user_id"), asked.input, now));
}

Response lift_in_channel(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
  lift_from_channel(tx, services.bus, opened, request.part("user_id"), services.clock.now());
  return http::no_content();
}

Response list_in_channel(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
  opened.require(Action::ban_members);
  return show(list_bans(tx, &opened.channel, limit, next, services.cursors));
}

Response put_in_application(const Services& services, const Request& request, Tx& tx) {
  const auto now = services.clock.now();
  return show(ban_from_application(tx, services.bus, request.part("user_id"), read_ban(request, now, false).input, now));
}

Response lift_in_application(const Services& services, const Request& request, Tx& tx) {
  lift_from_application(tx, services.bus, request.part("user_id"), services.clock.now());
  return http::no_content();
}

Response list_in_application(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  query.finish();
  return show(list_bans(tx, nullptr, limit, next, services.cursors));
}

}  // namespace

void add_ban_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Access access, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = access, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  using storage::Mode;
  constexpr auto kChannelBans = "/v1/channels/{type}/{id}/bans";
  constexpr auto kChannelBan = "/v1/channels/{type}/{id}/bans/{user_id}";
  add(Method::get, kChannelBans, "list_channel_bans", Access::user_or_server, Mode::read, list_in_channel);
  add(Method::put, kChannelBan, "ban_from_channel", Access::user_or_server, Mode::write, put_in_channel);
  add(Method::del, kChannelBan, "lift_channel_ban", Access::user_or_server, Mode::write, lift_in_channel);
  add(Method::get, "/v1/bans", "list_bans", Access::server, Mode::read, list_in_application);
  add(Method::put, "/v1/bans/{user_id}", "ban_user", Access::server, Mode::write, put_in_application);
  add(Method::del, "/v1/bans/{user_id}", "lift_ban", Access::server, Mode::write, lift_in_application);
}

}  // namespace chat::channels
