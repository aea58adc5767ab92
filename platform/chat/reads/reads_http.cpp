#include "platform/chat/reads/reads_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/reads/reads.h"
#include "tenants/auth.h"

namespace chat::reads {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

std::optional<MessageId> read_message(json::Fields& fields) {
  auto text = fields.find_text("message_id", {.min_bytes = 1, .max_bytes = 64});
  auto message = text ? MessageId::parse(*text) : std::nullopt;
  if (text && !message) fields.mistake("message_id", "Must be a message id: msg_…");
  return message;
}

void write_mark(json::Writer& out, const std::string& user_id, const Mark& mark) {
  out.key("read").raw(mark_json(user_id, mark)).field("unread", mark.unread).field("mentions", mark.mentions);
}

Response show(const std::string& user_id, const Mark& mark) {
  json::Writer out;
  out.object();
  write_mark(out, user_id, mark);
  out.end();
  return http::json(200, out.take());
}

Response mark(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto message = read_message(body);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto acting_user = caller.acting_user(user, "#/user_id");
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), acting_user);
  return show(acting_user, mark_read(tx, services.bus, opened, message, services.clock.now()));
}

Response unmark(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto message = read_message(body);
  if (!body.has("message_id")) body.mistake("message_id", "Required.");
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto acting_user = caller.acting_user(user, "#/user_id");
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), acting_user);
  return show(acting_user, mark_unread(tx, services.bus, opened, *message, services.clock.now()));
}

Place read_place(json::Fields& item, std::set<std::string>& seen) {
  Place place;
  const auto cid = item.text("cid", {.min_bytes = 3, .max_bytes = 193});
  const auto colon = cid.find(':');
  if (!cid.empty() && (colon == std::string::npos || !channels::is_channel_type(cid.substr(0, colon)) ||
                       !channels::is_channel_id(cid.substr(colon + 1))))
    item.mistake("cid", "Must be type:id of a channel.");
  else if (!cid.empty() && !seen.insert(cid).second) item.mistake("cid", "Stands twice in this request.");
  else if (!cid.empty()) {
    place.type = cid.substr(0, colon);
    place.channel_id = cid.substr(colon + 1);
  }
  place.message = read_message(item);
  item.check_unknown();
  return place;
}

std::vector<Place> read_places(json::Fields& body) {
  auto items = body.find_array("channels", kMaxChannels, 1);
  if (!items && body.ok()) body.mistake("channels", "Required: 1 to 100 channels.");
  std::vector<Place> places;
  std::set<std::string> seen;
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    json::Fields item((*items)[i], "#/channels/" + std::to_string(i));
    places.push_back(read_place(item, seen));
    body.absorb(item);
  }
  return places;
}

void write_refusal(json::Writer& out, const Error& error) {
  out.field("status", "refused").key("error").object().field("code", row_of(error.code()).word).field("detail", error.what()).end();
}

using MarkMany = std::vector<MarkResult> (*)(Tx&, bus::Bus&, const std::string&, const std::vector<Place>&, Timestamp);

/// One result per channel, in the order of the request.
Response mark_many(const Services& services, const Request& request, Tx& tx, MarkMany act, bool delivered) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto places = read_places(body);
  auto user = body.find_text("user_id");
  body.finish();
  const auto user_id = Caller::of(request).acting_user(user, "#/user_id");
  const auto results = act(tx, services.bus, user_id, places, services.clock.now());
  json::Writer out;
  out.object().key("results").array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    out.object().field("cid", places[i].type + ":" + places[i].channel_id);
    if (result.error) {
      write_refusal(out, *result.error);
    } else {
      out.field("status", result.moved ? "moved" : "unchanged");
      if (delivered && result.delivered) out.key("delivered").raw(delivered_json(user_id, *result.delivered));
      if (!delivered && result.mark) write_mark(out, user_id, *result.mark);
    }
    out.end();
  }
  out.end().end();
  return http::json(200, out.take());
}

Response mark_channels(const Services& services, const Request& request, Tx& tx) {
  return mark_many(services, request, tx, mark_channels_read, false);
}
Response mark_arrived(const Services& services, const Request& request, Tx& tx) {
  return mark_many(services, request, tx, mark_delivered, true);
}

Response mark_all(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  const auto marked = mark_all_read(tx, services.bus, Caller::of(request).acting_user(user, "#/user_id"), services.clock.now());
  json::Writer out;
  out.object().field("channels", marked.channels).key("more").boolean(marked.more).end();
  return http::json(200, out.take());
}

Response unread(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 100, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  auto unread = get_unread(tx, Caller::of(request).acting_user(user, "query:user_id"), limit, next, services.cursors);
  json::Writer out;
  out.object().field("total", unread.total.unread).field("mentions", unread.total.mentions)
      .field("unread_channels", unread.total.channels);
  write_parts(out, unread.types, unread.teams);
  out.field("unread_threads", unread.threads.size()).key("threads").array();
  for (const auto& thread : unread.threads) out.raw(thread_unread_json(thread));
  out.end().key("channels").array();
  for (const auto& item : unread.channels.items) out.raw(channel_unread_json(item));
  out.end().optional_field("next", unread.channels.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                 Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::post, "/v1/channels/{type}/{id}/read", "mark_read", storage::Mode::write, mark);
  add(Method::post, "/v1/channels/{type}/{id}/unread", "mark_unread", storage::Mode::write, unmark);
  add(Method::post, "/v1/read", "mark_channels_read", storage::Mode::write, mark_channels);
  add(Method::post, "/v1/read/all", "mark_all_read", storage::Mode::write, mark_all);
  add(Method::post, "/v1/delivered", "mark_delivered", storage::Mode::write, mark_arrived);
  add(Method::get, "/v1/unread", "get_unread", storage::Mode::read, unread);
  add_receipt_routes(router, services);
}

}  // namespace chat::reads
