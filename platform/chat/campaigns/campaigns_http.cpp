#include "platform/chat/campaigns/campaigns_http.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/campaigns/named.h"
#include "tenants/own_audit.h"

namespace chat::campaigns {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

CampaignId id_of(const Request& request) { return request.id_part<CampaignId>("campaign_id", "campaign"); }
std::string object_of(CampaignId id) { return "campaign:" + id.wire(); }

/// What a campaign is, without what only the call says.
std::string definition_in(const json::Value& root, const std::vector<std::string_view>& without) {
  json::Writer out;
  out.object();
  for (const auto& [name, value] : root.members())
    if (std::ranges::find(without, name) == without.end() && value.kind() != json::Kind::null) out.key(name).raw(value.raw());
  out.end();
  return out.take();
}

Response show(int status, const Campaign& campaign, const std::string& progress = "") {
  json::Writer out;
  out.object().key("campaign").raw(campaign_json(campaign, progress)).end();
  return http::json(status, out.take());
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto definition = read_definition(body);
  const auto named = read_named(body, "recipients");
  body.finish();
  const auto now = services.clock.now();
  const auto campaign = create_campaign(tx, definition_in(document.root(), {"recipients"}), definition, now);
  if (!named.empty()) add_recipients(tx, campaign.id, named, now);
  tenants::note_own(tx, request, "campaign.create", object_of(campaign.id), std::nullopt, campaign_json(campaign), now);
  return show(201, campaign);
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto status = query.find_word("status", {"draft", "scheduled", "sending", "paused", "completed", "failed", "stopped"}).value_or("");
  query.finish();
  const auto page = list_campaigns(tx, status, limit, next, services.cursors);
  json::Writer out;
  out.object().key("campaigns").array();
  for (const auto& campaign : page.items) out.raw(campaign_json(campaign));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response get(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto campaign = get_campaign(tx, id_of(request));
  return show(200, campaign, services.progress->get(campaign, services.clock.now(), [&] { return progress_json(tx, campaign); }));
}

/// What it was, with the members of `set` in their place and without those of `unset`.
std::string merged(const Campaign& was, const std::optional<json::Value>& set, const std::vector<std::string>& unset) {
  const auto document = json::Document::parse(was.definition);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members())
    if (!(set && set->find(name)) && std::ranges::find(unset, name) == unset.end()) out.key(name).raw(value.raw());
  if (set)
    for (const auto& [name, value] : set->members()) out.key(name).raw(value.raw());
  out.end();
  return out.take();
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto set = body.find_object("set");
  const auto unset = body.find_texts("unset", 10, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < unset.size(); ++i)
    if (unset[i] != "category" && unset[i] != "schedule" && unset[i] != "rate" && unset[i] != "segments" && unset[i] != "channel")
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; category, channel, rate, schedule and segments can.");
  body.finish();
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto was = get_campaign(tx, id_of(request));
  const auto whole = merged(was, set, unset);
  const auto reread = json::Document::parse(whole);
  json::Fields fields(reread.root(), "#/set");
  const auto definition = read_definition(fields);
  fields.finish();
  const auto campaign = update_campaign(tx, was.id, definition_in(reread.root(), {}), definition, now);
  tenants::note_own_change(tx, request, "campaign.update", object_of(campaign.id), campaign_json(was), campaign_json(campaign), now);
  return show(200, campaign);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  tenants::hold_setup(tx);
  const auto was = get_campaign(tx, id_of(request));
  const auto now = services.clock.now();
  delete_campaign(tx, was.id, now);
  tenants::note_own(tx, request, "campaign.delete", object_of(was.id), campaign_json(was), std::nullopt, now);
  return http::no_content();
}

/// Moves it to another state; the note says from where to where.
template <class Move>
Response move(const Services& services, const Request& request, Tx& tx, const char* act, Move move_it) {
  http::require_empty_body(request);
  const auto id = id_of(request);
  const auto now = services.clock.now();
  const auto was = lock_campaign(tx, id);
  const auto campaign = move_it(id, now);
  const auto status = [](const Campaign& one) { return "{\"status\":\"" + one.status + "\"}"; };
  tenants::note_own(tx, request, std::string("campaign.") + act, object_of(id), status(was), status(campaign), now);
  return show(200, campaign);
}

Response start(const Services& services, const Request& request, Tx& tx) {
  return move(services, request, tx, "start", [&](CampaignId id, Timestamp now) {
    return start_campaign(tx, id, [&](std::int64_t count) { services.check_quota(Caller::of(request), count); }, now);
  });
}

Response pause(const Services& services, const Request& request, Tx& tx) {
  return move(services, request, tx, "pause", [&](CampaignId id, Timestamp now) { return pause_campaign(tx, services.bus, id, now); });
}

Response resume(const Services& services, const Request& request, Tx& tx) {
  return move(services, request, tx, "resume", [&](CampaignId id, Timestamp now) { return resume_campaign(tx, services.bus, id, now); });
}

Response stop(const Services& services, const Request& request, Tx& tx) {
  return move(services, request, tx, "stop", [&](CampaignId id, Timestamp now) { return stop_campaign(tx, services.bus, id, now); });
}

Response resend(const Services& services, const Request& request, Tx& tx) {
  return move(services, request, tx, "resend", [&](CampaignId id, Timestamp now) {
    return resend_campaign(tx, services.bus, id, [&](std::int64_t count) { services.check_quota(Caller::of(request), count); }, now);
  });
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write) {
    router.add({.method = method, .pattern = std::string("/v1/campaigns") + pattern, .operation = operation, .access = Access::server,
                .mode = mode, .max_body_bytes = 4 * 1024 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::post, "", "create_campaign", create);
  add(Method::get, "", "list_campaigns", list, storage::Mode::read);
  add(Method::get, "/{campaign_id}", "get_campaign", get, storage::Mode::read);
  add(Method::patch, "/{campaign_id}", "update_campaign", update);
  add(Method::del, "/{campaign_id}", "delete_campaign", remove);
  add(Method::post, "/{campaign_id}/start", "start_campaign", start);
  add(Method::post, "/{campaign_id}/pause", "pause_campaign", pause);
  add(Method::post, "/{campaign_id}/resume", "resume_campaign", resume);
  add(Method::post, "/{campaign_id}/stop", "stop_campaign", stop);
  add(Method::post, "/{campaign_id}/resend", "resend_campaign", resend);
}

}  // namespace chat::campaigns
