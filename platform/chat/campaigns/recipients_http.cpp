#include <algorithm>
#include <set>

#include "platform/base/error.h"
#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/campaigns/campaigns_http.h"
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

Response noted(const Services& services, const Request& request, Tx& tx, const char* act, std::size_t count) {
  json::Writer out;
  out.object().field("count", static_cast<std::int64_t>(count)).end();
  tenants::note_own(tx, request, act, "campaign:" + id_of(request).wire(), std::nullopt, out.take(), services.clock.now());
  return http::no_content();
}

Response add_named(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto named = read_named(body, "recipients");
  if (named.empty()) body.mistake("recipients", "Required: 1 to 1,000.");
  body.finish();
  add_recipients(tx, id_of(request), named, services.clock.now());
  return noted(services, request, tx, "campaign.recipients.add", named.size());
}

Response remove_named(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto names = body.find_texts("recipients", kMaxRecipientsAtOnce, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  if (names.empty()) body.mistake("recipients", "Required: 1 to 1,000.");
  body.finish();
  remove_recipients(tx, id_of(request), names);
  return noted(services, request, tx, "campaign.recipients.remove", names.size());
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto state = query.find_word("state", {"waiting", "sent", "skipped", "failed"}).value_or("");
  query.finish();
  const auto page = list_recipients(tx, get_campaign(tx, id_of(request)), state, limit, next, services.cursors);
  json::Writer out;
  out.object().key("recipients").array();
  for (const auto& recipient : page.items) out.raw(recipient);
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response try_it(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto samples = body.find_integer("samples", {0, 10}).value_or(10);
  body.finish();
  json::Writer out;
  out.object().key("dry_run").raw(dry_run_json(tx, get_campaign(tx, id_of(request)), static_cast<std::size_t>(samples), services.clock.now())).end();
  return http::json(200, out.take());
}

Response show(const Preferences& preferences) {
  json::Writer out;
  out.object().key("campaign_preferences").raw(preferences_json(preferences)).end();
  return http::json(200, out.take());
}

const std::string& own_user(const Request& request) {
  const auto& caller = Caller::of(request);
  const auto& user = request.part("user_id");
  if (!caller.is_server() && caller.user_id() != user) throw forbidden("A user may see and set only its own preferences.");
  return user;
}

Response get_own(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(get_preferences(tx, own_user(request)));
}

Response set_own(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Preferences preferences;
  preferences.campaigns = body.find_boolean("campaigns").value_or(true);
  preferences.categories_off = body.find_texts("categories_off", kMaxCategories, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  std::set<std::string> seen;
  for (std::size_t i = 0; i < preferences.categories_off.size(); ++i)
    if (!seen.insert(preferences.categories_off[i]).second) body.mistake_at("categories_off/" + std::to_string(i), "Stands twice.");
  body.finish();
  return show(set_preferences(tx, own_user(request), preferences, services.clock.now()));
}

}  // namespace

std::vector<NamedInput> read_named(json::Fields& body, const std::string& name) {
  std::vector<NamedInput> named;
  const auto items = body.find_array(name, kMaxRecipientsAtOnce);
  std::set<std::string> seen;
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    NamedInput one;
    const auto at = body.pointer(name) + "/" + std::to_string(i);
    if ((*items)[i].kind() == json::Kind::text) {
      one.name = (*items)[i].text();
    } else {
      json::Fields fields((*items)[i], at);
      one.name = fields.text("id", {.min_bytes = 1});
      one.values = fields.find_raw_object("data", kMaxDataBytes);
      fields.check_unknown();
      body.absorb(fields);
    }
    if (one.name.empty() && body.ok()) body.mistake_at(name + "/" + std::to_string(i), "Must be an id, or an object with id and data.");
    if (!seen.insert(one.name).second) body.mistake_at(name + "/" + std::to_string(i), "Stands twice in this request.");
    named.push_back(std::move(one));
  }
  return named;
}

void add_recipient_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Access access, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode = storage::Mode::write, const char* rate_class = "") {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = access, .mode = mode, .max_body_bytes = 4 * 1024 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }, .rate_class = rate_class});
  };
  add(Method::post, "/v1/campaigns/{campaign_id}/recipients", "add_campaign_recipients", Access::server, add_named);
  add(Method::post, "/v1/campaigns/{campaign_id}/recipients/remove", "remove_campaign_recipients", Access::server, remove_named);
  add(Method::get, "/v1/campaigns/{campaign_id}/recipients", "list_campaign_recipients", Access::server, list, storage::Mode::read);
  add(Method::post, "/v1/campaigns/{campaign_id}/dry_run", "try_campaign", Access::server, try_it, storage::Mode::write, "read");
  add(Method::get, "/v1/users/{user_id}/campaign_preferences", "get_campaign_preferences", Access::user_or_server, get_own, storage::Mode::read);
  add(Method::put, "/v1/users/{user_id}/campaign_preferences", "set_campaign_preferences", Access::user_or_server, set_own);
}

}  // namespace chat::campaigns
