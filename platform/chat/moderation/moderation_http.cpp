#include "platform/chat/moderation/moderation_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "tenants/auth.h"

namespace chat::moderation {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr std::int64_t kMaxPoints = 1'000;
constexpr int kListParameters = 5;

struct FlagAsk {
  FlagInput input;
  std::string by;                              // empty: a server for nobody
};
FlagAsk read_flag_ask(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  FlagAsk ask;
  ask.input.reason = body.text("reason", {.min_bytes = 1, .max_bytes = 64});
  ask.input.custom = body.find_raw_object("custom", kMaxCustomBytes);
  const auto user = body.find_text("user_id");
  body.finish();
  ask.by = Caller::of(request).acting_user_or_none(user, "#/user_id");
  return ask;
}

channels::Opened open(const Request& request, Tx& tx, const std::string& user) {
  return channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), user);
}

Response show(const Flagged& flagged) {
  json::Writer out;
  out.object().key("flag").raw(flag_json(flagged.flag, false)).end();
  return http::json(flagged.created ? 201 : 200, out.take());
}

Response flag_a_message(const Services& services, const Request& request, Tx& tx) {
  const auto id = request.id_part<MessageId>("message_id", "message");
  const auto ask = read_flag_ask(request);
  return show(flag_message(tx, open(request, tx, ask.by), id, ask.input, services.clock.now()));
}

Response flag_a_channel(const Services& services, const Request& request, Tx& tx) {
  const auto ask = read_flag_ask(request);
  return show(flag_channel(tx, open(request, tx, ask.by), ask.input, services.clock.now()));
}

Response flag_a_user(const Services& services, const Request& request, Tx& tx) {
  const auto ask = read_flag_ask(request);
  return show(flag_user(tx, ask.by, request.part("user_id"), ask.input, services.clock.now()));
}

/// Whom a body's `user_id` makes the reviewer.
Reviewer reviewer_in(const Request& request, Tx& tx, const std::optional<std::string>& user, const char* pointer) {
  const auto& caller = Caller::of(request);
  return reviewer_of(tx, caller, caller.acting_user_or_none(user, pointer));
}
Reviewer reviewer_by_query(const Request& request, Tx& tx) {
  http::Query query(request);
  const auto user = query.find_text("user_id");
  query.finish();
  return reviewer_in(request, tx, user, "query:user_id");
}

Response query_queue(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto user = body.find_text("user_id");
  const auto scope = tx.app().text() + "|moderation_items|" + user.value_or(Caller::of(request).user_id());
  const auto wanted = item_listing().read(body, services.cursors, scope, kListParameters);
  body.finish();
  const auto page = query_items(tx, reviewer_in(request, tx, user, "#/user_id"), wanted, services.cursors);
  json::Writer out;
  out.object().key("items").array();
  for (const auto& item : page.items) out.raw(item_json(item));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response show_item(const Services&, const Request& request, Tx& tx) {
  const auto item = get_item(tx, reviewer_by_query(request, tx), request.id_part<ItemId>("item_id", "item of the queue"));
  json::Writer out;
  out.object().key("item").raw(item_json(item)).key("flags").array();
  for (const auto& flag : flags_of(tx, item.id)) out.raw(flag_json(flag, true));
  out.end().key("decisions").array();
  for (const auto& line : log_of(tx, item.id)) out.raw(line_json(line));
  out.end().end();
  return http::json(200, out.take());
}

Response assign(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto moderator = body.find_text("moderator_id", {.min_bytes = 1});
  const auto user = body.find_text("user_id");
  body.finish();
  const auto item = assign_item(tx, reviewer_in(request, tx, user, "#/user_id"), request.id_part<ItemId>("item_id", "item of the queue"), moderator,
                                services.clock.now());
  json::Writer out;
  out.object().key("item").raw(item_json(item)).end();
  return http::json(200, out.take());
}

std::vector<ItemId> read_ids(json::Fields& body) {
  std::vector<ItemId> ids;
  std::set<std::string> seen;
  const auto given = body.find_texts("item_ids", kMaxDecided, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  if (given.empty()) body.mistake("item_ids", "Which items? 1 to 100.");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto id = ItemId::parse(given[i]);
    if (!id) body.mistake_at("item_ids/" + std::to_string(i), "Must be an item's id: mdi_…");
    else if (!seen.insert(given[i]).second) body.mistake_at("item_ids/" + std::to_string(i), "Stands twice.");
    else ids.push_back(*id);
  }
  return ids;
}

Decision read_decision(json::Fields& body) {
  Decision decision;
  decision.action = body.word("action", {"approve", "reject", "delete", "restore", "ban", "shadow_ban", "timeout", "warn", "escalate"});
  decision.reason = body.find_text("reason", {.min_bytes = 1, .max_bytes = 255});
  decision.rule = body.find_text("rule", {.min_bytes = 1, .max_bytes = kMaxRuleBytes});
  decision.hard = body.find_boolean("hard").value_or(false);
  decision.delete_message = body.find_boolean("delete_message").value_or(false);
  decision.whole = body.find_word("scope", {"channel", "application"}).value_or("channel") == "application";
  decision.expires_at = body.find_time("expires_at");
  decision.points = body.find_integer("points", {0, kMaxPoints});
  decision.assign_to = body.find_text("assign_to", {.min_bytes = 1});
  const auto& action = decision.action;
  const bool bans = action == "ban" || action == "shadow_ban" || action == "timeout";
  const auto only = [&](const char* name, bool fits, const char* of) {
    if (body.has(name) && !action.empty() && !fits) body.mistake(name, std::string("Stands only with ") + of + ".");
  };
  only("hard", action == "delete" || decision.delete_message, "delete, or with delete_message");
  only("delete_message", bans || action == "warn", "ban, shadow_ban, timeout and warn");
  only("scope", bans, "ban, shadow_ban and timeout");
  only("expires_at", bans, "ban, shadow_ban and timeout");
  only("points", bans || action == "delete" || action == "warn", "delete, ban, shadow_ban, timeout and warn");
  only("assign_to", action == "escalate", "escalate");
  return decision;
}

void write_result(json::Writer& out, const Decided& decided) {
  out.object();
  if (decided.line) {
    out.field("status", "decided").key("decision").raw(line_json(*decided.line));
  } else {
    out.field("status", "refused").key("error").object().field("code", row_of(decided.error->code()).word).field("detail", decided.error->what()).end();
  }
  out.end();
}

Response decide(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto ids = read_ids(body);
  const auto decision = read_decision(body);
  const auto user = body.find_text("user_id");
  body.finish();
  const auto decided = decide_items(tx, services.hands, reviewer_in(request, tx, user, "#/user_id"), ids, decision, services.clock.now());
  json::Writer out;
  out.object().key("results").array();
  for (const auto& one : decided) write_result(out, one);
  out.end().end();
  return http::json(200, out.take());
}

Response undo(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto reason = body.find_text("reason", {.min_bytes = 1, .max_bytes = kMaxReasonBytes});
  const auto user = body.find_text("user_id");
  body.finish();
  const auto id = request.id_part<DecisionId>("decision_id", "decision");
  const auto line = undo_decision(tx, services.hands, reviewer_in(request, tx, user, "#/user_id"), id, reason, services.clock.now());
  json::Writer out;
  out.object().key("decision").raw(line_json(line)).end();
  return http::json(200, out.take());
}

Response query_lines(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto user = body.find_text("user_id");
  const auto scope = tx.app().text() + "|moderation_log|" + user.value_or(Caller::of(request).user_id());
  const auto wanted = log_listing().read(body, services.cursors, scope, kListParameters);
  body.finish();
  const auto page = query_log(tx, reviewer_in(request, tx, user, "#/user_id"), wanted, services.cursors);
  json::Writer out;
  out.object().key("decisions").array();
  for (const auto& line : page.items) out.raw(line_json(line));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response show_stats(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const auto now = services.clock.now();
  StatsAsk ask;
  ask.to = query.find_text("to", 10).value_or(day_of(now));
  ask.from = query.find_text("from", 10).value_or(day_of(now - std::chrono::days(29)));
  ask.by = query.find_word("by", {"source", "reason", "decision"}).value_or("decision");
  ask.limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  ask.cursor = query.find_text("next", 1024);
  const auto user = query.find_text("user_id");
  query.finish();
  const auto page = count_stats(tx, reviewer_in(request, tx, user, "query:user_id"), ask, services.cursors);
  json::Writer out;
  out.object().field("from", ask.from).field("to", ask.to).field("by", ask.by).key("stats").array();
  for (const auto& one : page.items) {
    out.object().field("day", one.day).field("value", one.value).field("count", one.count);
    if (one.median_seconds) out.key("median_seconds").number(*one.median_seconds);
    out.end();
  }
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, Response (*act)(const Services&, const Request&, Tx&)) {
    const bool asks = std::string_view(operation).starts_with("query_");
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }, .rate_class = asks ? "read" : ""});
  };
  using storage::Mode;
  route(Method::post, "/v1/channels/{type}/{id}/messages/{message_id}/flag", "flag_message", Mode::write, flag_a_message);
  route(Method::post, "/v1/channels/{type}/{id}/flag", "flag_channel", Mode::write, flag_a_channel);
  route(Method::post, "/v1/users/{user_id}/flag", "flag_user", Mode::write, flag_a_user);
  route(Method::post, "/v1/moderation/items/query", "query_moderation_items", Mode::write, query_queue);
  route(Method::get, "/v1/moderation/items/{item_id}", "get_moderation_item", Mode::read, show_item);
  route(Method::post, "/v1/moderation/items/{item_id}/assign", "assign_moderation_item", Mode::write, assign);
  route(Method::post, "/v1/moderation/decisions", "decide_moderation_items", Mode::write, decide);
  route(Method::post, "/v1/moderation/decisions/{decision_id}/undo", "undo_moderation_decision", Mode::write, undo);
  route(Method::post, "/v1/moderation/log/query", "query_moderation_log", Mode::write, query_lines);
  route(Method::get, "/v1/moderation/stats", "get_moderation_stats", Mode::read, show_stats);
}

}  // namespace chat::moderation
