#include "platform/chat/channels/channels_http.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/ownership.h"

namespace chat::channels {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

Response transfer(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto owner = body.text("owner", {.min_bytes = 1, .max_bytes = 255});
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "#/user_id"));
  return http::json(200, member_data(transfer_ownership(tx, services.bus, opened, owner, services.clock.now())));
}

Response join(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  const auto joined = join_channel(tx, services.bus, opened, services.caps(caller), services.clock.now());
  return http::json(joined.is_new ? 201 : 200, member_data(joined.member));
}

}  // namespace

void add_ownership_routes(http::Router& router, const Services& services) {
  auto add = [&](const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = http::Method::post, .pattern = std::string("/v1/channels/{type}/{id}/") + pattern, .operation = operation,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add("owner", "transfer_ownership", transfer);
  add("join", "join_channel", join);
}

}  // namespace chat::channels
