#include "platform/base/error.h"
#include "platform/chat/screening/screening_http.h"
#include "tenants/own_audit.h"

namespace chat::screening {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr const char* kObject = "moderation_rules";
constexpr std::size_t kMaxTextBytes = 60'000, kMaxAttachments = 30, kMaxMentions = 50, kMaxCustomBytes = 5 * 1024;

std::string stored_json(const Stored& stored) {
  json::Writer out;
  out.object().field("version", stored.rules_version).key("rules").raw(rules_json(stored.rules)).optional_time("updated_at", stored.rules_at).end();
  return out.take();
}

Response show(const Stored& stored) {
  json::Writer out;
  out.object().key("moderation_rules").raw(stored_json(stored)).end();
  return http::json(200, out.take());
}

Response get(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(get_stored(tx));
}

Response put(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto rules = read_rules(body);
  const auto version = body.find_integer("version", {0, INT64_MAX});
  body.finish();
  const auto before = get_stored(tx);
  const auto stored = put_rules(tx, services.bus, rules, version, services.clock.now());
  const auto noted = before.rules_version > 0 ? std::optional<std::string>(stored_json(before)) : std::nullopt;
  tenants::note_own(tx, request, "moderation_rules.put", kObject, noted, stored_json(stored), services.clock.now());
  return show(stored);
}

void write_fired(json::Writer& out, const std::vector<Fired>& fired) {
  out.key("fired").array();
  for (const auto& one : fired) {
    out.object().field("rule", one.rule->name).field("kind", word(one.rule->kind)).field("then", word(one.rule->then))
        .field("measured", one.measured).field("max", one.rule->max);
    if (one.rule->window_s > 0) out.field("window_s", one.rule->window_s);
    out.key("exempt").boolean(one.is_exempt).end();
  }
  out.end();
}

Response test(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto& caller = Caller::of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const Sample sample(body, caller, services.accounts);
  Rules rules;
  const auto stored = get_stored(tx);
  if (body.has("rules")) rules.list = read_rules(body);
  else rules = {stored.rules_version, stored.rules, 0};
  body.finish();
  const auto author = read_author(tx, sample.user_id, sample.channel_type, sample.channel_id);
  if (!author.created_at) throw Error(Code::not_found, "No such user.", {{"#/user_id", "No such user."}});
  auto fired = services.screening.try_rules(rules, sample.said);
  look_at_author(fired, author, services.clock.now());
  json::Writer out;
  out.object();
  write_verdict(out, verdict_of(fired));
  if (const auto length = timeout_of(fired)) out.field("timeout_s", length->count());
  write_fired(out, fired);
  out.end();
  return http::json(200, out.take());
}

}  // namespace

Sample::Sample(json::Fields& body, const Caller& caller, billing::Accounts& accounts) {
  text = body.text("text", {.max_bytes = kMaxTextBytes});
  user_id = body.text("user_id", {.min_bytes = 1});
  const auto cid = body.text("cid", {.min_bytes = 3, .max_bytes = 193});
  const auto colon = cid.find(':');
  if (!cid.empty() && colon == std::string::npos) body.mistake("cid", "Must be type:id.");
  channel_type = cid.substr(0, colon);
  channel_id = colon == std::string::npos ? "" : cid.substr(colon + 1);
  const auto attachments = body.find_array("attachments", kMaxAttachments);
  const auto mentions = body.find_texts("mentions", kMaxMentions, {.min_bytes = 1});
  const auto custom = body.find_raw_object("custom", kMaxCustomBytes);
  said = {caller.shared_application(), accounts.find(caller.shared_application()), channel_type, channel_id, user_id, false, text,
          static_cast<std::int64_t>(attachments ? attachments->size() : 0), static_cast<std::int64_t>(mentions ? mentions->size() : 0), 0, false,
          attachments ? links_in(*attachments) : 0};
  json::Writer out;
  out.object().key("message").object().field("user_id", user_id).field("type", "regular").field("text", text);
  if (const auto given = body.find_any("attachments")) out.key("attachments").raw(given->raw());
  if (const auto given = body.find_any("mentions")) out.key("mentions").raw(given->raw());
  if (custom) out.key("custom").raw(*custom);
  data = out.end().end().take();
}

void write_verdict(json::Writer& out, const Verdict& verdict) {
  out.field("verdict", word_of(verdict));
  if (!verdict.reason.empty()) out.field("reason", verdict.reason);
}

void add_routes(http::Router& router, const Services& services) {
  const auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = http::Access::server, .mode = mode, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/v1/moderation/rules", "get_moderation_rules", storage::Mode::read, get);
  route(Method::put, "/v1/moderation/rules", "put_moderation_rules", storage::Mode::write, put);
  route(Method::post, "/v1/moderation/rules/test", "test_moderation_rules", storage::Mode::write, test);
  add_classifier_routes(router, services);
}

}  // namespace chat::screening
