#include "platform/chat/reads/reads_http.h"

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

Response mark(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto text = body.find_text("message_id", {.min_bytes = 1, .max_bytes = 64});
  auto message = text ? MessageId::parse(*text) : std::nullopt;
  if (text && !message) body.mistake("message_id", "Must be a message id: msg_…");
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto acting_user = caller.acting_user(user, "#/user_id");
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), acting_user);
  auto mark = mark_read(tx, services.bus, opened, message, services.clock.now());
  json::Writer out;
  out.object().key("read").raw(mark_json(acting_user, mark)).field("unread", mark.unread).end();
  return http::json(200, out.take());
}

Response unread(const Services&, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  auto unread = get_unread(tx, Caller::of(request).acting_user(user, "query:user_id"));
  json::Writer out;
  out.object().field("total", unread.total).key("channels").array();
  for (const auto& item : unread.channels) {
    out.object().field("cid", item.cid).field("unread", item.unread);
    if (item.read_seq) out.field("read_seq", *item.read_seq);
    out.field("last_message_seq", item.last_message_seq).end();
  }
  out.end().end();
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
  add(Method::get, "/v1/unread", "get_unread", storage::Mode::read, unread);
}

}  // namespace chat::reads
