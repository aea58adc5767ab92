#include "platform/base/error.h"
#include "platform/chat/channels/channels_http.h"
#include "platform/chat/channels/membership.h"
#include "platform/chat/users/users.h"

namespace chat::channels {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

void read_set(json::Fields& fields, MembershipChange& change, Timestamp now) {
  change.muted = fields.find_boolean("muted");
  change.mute_expires_at = fields.find_time("mute_expires_at");
  change.hidden = fields.find_boolean("hidden");
  change.pinned = fields.find_boolean("pinned");
  change.archived = fields.find_boolean("archived");
  change.custom = fields.find_raw_object("custom", users::kMaxCustomBytes);
  if (change.mute_expires_at && !change.muted.value_or(false)) fields.mistake("mute_expires_at", "Goes with \"muted\": true.");
  else if (change.mute_expires_at && *change.mute_expires_at <= now) fields.mistake("mute_expires_at", "Must be in the future.");
}

MembershipChange read_change(json::Fields& body, Timestamp now) {
  MembershipChange change;
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    read_set(fields, change, now);
    fields.check_unknown();
    body.absorb(fields);
  }
  change.unset = body.find_texts("unset", 50, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < change.unset.size(); ++i) {
    const auto& name = change.unset[i];
    if (name != "custom" && !name.starts_with("custom."))
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; custom and custom.<key> can.");
  }
  change.clear_history = body.find_boolean("clear_history").value_or(false);
  return change;
}

Response update(const Services& services, const Request& request, Tx& tx) {
  const auto now = services.clock.now();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto change = read_change(body, now);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto acting_user = caller.acting_user(user, "#/user_id");
  auto open = change.changes_custom() ? lock_channel : open_channel;
  auto opened = open(tx, caller, request.part("type"), request.part("id"), acting_user);
  json::Writer out;
  out.object().key("membership").raw(member_json(update_membership(tx, services.bus, opened, change, now), true)).end();
  return http::json(200, out.take());
}

}  // namespace

void add_membership_routes(http::Router& router, const Services& services) {
  router.add({.method = http::Method::patch, .pattern = "/v1/channels/{type}/{id}/membership", .operation = "update_membership",
              .handler = [services](const Request& request, Tx& tx) { return update(services, request, tx); }});
}

}  // namespace chat::channels
