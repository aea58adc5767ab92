#include "platform/base/json.h"
#include "platform/chat/reads/reads_http.h"
#include "platform/chat/reads/receipts.h"

namespace chat::reads {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

struct Asked {
  int limit = 25;
  std::optional<std::string> next;
  channels::Opened opened;
};

/// Reads what both lists take, and opens the channel.
Asked ask(http::Query& query, const Request& request, Tx& tx) {
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  return {limit, std::move(next), channels::open_channel(tx, caller, request.part("type"), request.part("id"),
                                                         caller.acting_user_or_none(user, "query:user_id"))};
}

Response marks(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto asked = ask(query, request, tx);
  auto page = list_marks(tx, asked.opened, asked.limit, asked.next, services.cursors);
  json::Writer out;
  out.object().key("marks").array();
  for (const auto& one : page.items) {
    out.object().field("user_id", one.user_id);
    if (one.read_seq) out.field("read_seq", *one.read_seq);
    out.optional_time("read_at", one.read_at);
    if (one.delivered_seq) out.field("delivered_seq", *one.delivered_seq);
    out.optional_time("delivered_at", one.delivered_at).end();
  }
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response receipts(const Services& services, const Request& request, Tx& tx) {
  const auto message = request.id_part<MessageId>("message_id", "message");
  http::Query query(request);
  const auto kind = query.find_word("kind", {"read", "delivered"}).value_or("read") == "read" ? ReceiptKind::read : ReceiptKind::delivered;
  auto asked = ask(query, request, tx);
  auto page = list_receipts(tx, asked.opened, message, kind, asked.limit, asked.next, services.cursors);
  json::Writer out;
  out.object().key("receipts").array();
  for (const auto& one : page.items) out.object().field("user_id", one.user_id).key("at").time(one.at).end();
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_receipt_routes(http::Router& router, const Services& services) {
  auto add = [&](const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = http::Method::get, .pattern = std::string("/v1/channels/{type}/{id}") + pattern, .operation = operation,
                .mode = storage::Mode::read,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add("/marks", "list_marks", marks);
  add("/messages/{message_id}/receipts", "list_receipts", receipts);
}

}  // namespace chat::reads
