#include "platform/chat/search/search_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/search/search.h"

namespace chat::search {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr auto kMillisecond = std::chrono::milliseconds(1);

/// `value`, {"$eq": value} or {"$in": [values]}.
std::vector<std::string> read_any_of(json::Fields& filter, const char* name, std::size_t max_items) {
  std::vector<std::string> values;
  auto given = filter.find_any(name);
  if (!given) return values;
  if (given->kind() == json::Kind::text) {
    values.emplace_back(given->text());
  } else if (given->kind() == json::Kind::object) {
    json::Fields operators(*given, filter.pointer(name));
    if (auto one = operators.find_text("$eq", {.min_bytes = 1})) values.push_back(*one);
    else values = operators.find_texts("$in", max_items, {.min_bytes = 1}).value_or(std::vector<std::string>{});
    operators.check_unknown();
    filter.absorb(operators);
  }
  if (values.empty() || values.front().empty()) filter.mistake(name, "Must be a text, {\"$eq\": text} or {\"$in\": [texts]}.");
  return values;
}

void read_time_range(json::Fields& filter, MessageQuery& query) {
  auto given = filter.find_object("created_at");
  if (!given) return;
  json::Fields operators(*given, filter.pointer("created_at"));
  if (auto at = operators.find_time("$gte")) query.since = *at;
  if (auto at = operators.find_time("$gt")) query.since = *at + kMillisecond;
  if (auto at = operators.find_time("$lt")) query.until = *at;
  if (auto at = operators.find_time("$lte")) query.until = *at + kMillisecond;
  operators.check_unknown();
  filter.absorb(operators);
}

void read_filter(json::Fields& body, MessageQuery& query) {
  auto given = body.find_object("filter");
  if (!given) return;
  json::Fields filter(*given, "#/filter");
  query.cids = read_any_of(filter, "cid", kMaxCids);
  for (const auto& cid : query.cids)
    if (cid.find(':') == std::string::npos) filter.mistake("cid", "Must be type:id.");
  query.senders = read_any_of(filter, "user_id", kMaxPeople);
  query.mentions = read_any_of(filter, "mentions", kMaxPeople);
  query.attachment_types = read_any_of(filter, "attachment_type", kMaxPeople);
  if (auto has = filter.find_boolean("has_attachments")) {
    query.has_attachments = *has;
    if (!*has) filter.mistake("has_attachments", "Can only be true.");
  }
  read_time_range(filter, query);
  filter.check_unknown();
  body.absorb(filter);
}

void read_sort(json::Fields& body, MessageQuery& query) {
  query.by_relevance = query.text.has_value();
  auto sort = body.find_array("sort", 1, 1);
  if (!sort || sort->empty()) return;
  json::Fields order(sort->front(), "#/sort/0");
  query.by_relevance = order.word("field", {"relevance", "created_at"}) == "relevance";
  order.find_word("order", {"desc"});
  if (query.by_relevance && !query.text) order.mistake("field", "Without `query` nothing is more relevant than another.");
  order.check_unknown();
  body.absorb(order);
}

MessageQuery read_query(json::Fields& body) {
  MessageQuery query;
  query.text = body.find_text("query", {.min_bytes = 1, .max_bytes = kMaxTextBytes});
  read_filter(body, query);
  read_sort(body, query);
  query.limit = static_cast<int>(body.find_integer("limit", {1, kMaxLimit}).value_or(25));
  query.next = body.find_text("next", {.min_bytes = 1, .max_bytes = 2048});
  if (!query.text && query.senders.empty() && query.mentions.empty() && query.attachment_types.empty() && !query.has_attachments)
    body.mistake("query", "Required, unless the filter has user_id, mentions, attachment_type or has_attachments.");
  return query;
}

void write_hit(json::Writer& out, const Hit& hit) {
  out.object().key("message").raw(message_json(hit.message)).key("snippet").array();
  for (const auto& piece : hit.snippet) {
    out.object().field("text", piece.text);
    if (piece.match) out.key("match").boolean(true);
    out.end();
  }
  out.end().end();
}

Response find_messages(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto query = read_query(body);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto acting_user = caller.acting_user_or_none(user, "#/user_id");
  auto page = search_messages(tx, caller, acting_user, query, services.cursors, services.clock.now());
  json::Writer out;
  out.object().key("results").array();
  for (const auto& hit : page.items) write_hit(out, hit);
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response find_channels(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto text = body.text("query", {.min_bytes = 1, .max_bytes = kMaxTextBytes});
  auto limit = static_cast<int>(body.find_integer("limit", {1, kMaxChannels}).value_or(kMaxChannels));
  auto next = body.find_text("next", {.min_bytes = 1, .max_bytes = 2048});
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto page = search_channels(tx, caller, caller.acting_user_or_none(user, "#/user_id"), text, limit, next, services.cursors);
  json::Writer out;
  out.object().key("channels").array();
  for (const auto& opened : page.items) {
    out.object().key("channel").raw(channel_json(opened.channel));
    if (opened.membership) out.key("membership").raw(member_json(*opened.membership, true));
    out.key("own_capabilities").array();
    for (auto capability : channels::words_of(opened.actions)) out.text(capability);
    out.end().end();
  }
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = http::Method::post, .pattern = pattern, .operation = operation,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); },
                .rate_class = "read"});
  };
  add("/v1/search/messages", "search_messages", find_messages);
  add("/v1/search/channels", "search_channels", find_channels);
}

}  // namespace chat::search
