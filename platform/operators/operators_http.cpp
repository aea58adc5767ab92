#include "platform/operators/operators_http.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/operators/audit.h"

namespace chat::operators {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr int kVerifyRows = 1'000;

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("_.@-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), allowed);
}

Response create(const Request& request, Tx& tx, const Clock& clock) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto name = body.text("name", {.min_bytes = 1, .max_bytes = 64});
  const auto role = body.word("role", {"viewer", "operator", "owner"});
  if (body.ok() && !is_name(name)) body.mistake("name", "Must be 1-64 of A-Z a-z 0-9 _ . @ -");
  else if (name == kBootstrap) body.mistake("name", "This is the name of the configured token.");
  body.finish();
  const auto made = create_operator(tx, name, *parse_role(role), Operator::of(request).name, clock.now());
  const auto shown = operator_json(made.row);
  audit(tx, actor_of(request), "operator.create", object_of("operator", made.row.id.wire()), std::nullopt, shown);
  json::Writer out;
  out.object().key("operator").raw(shown).field("token", made.token).end();
  return http::json(201, out.take());
}

Response list(const Request& request, Tx& tx, const storage::Cursors& cursors) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  query.finish();
  const auto page = list_operators(tx, limit, next, cursors);
  json::Writer out;
  out.object().key("operators").array();
  for (const auto& row : page.items) out.raw(operator_json(row));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response revoke(const Request& request, Tx& tx, const Clock& clock) {
  const auto row = revoke_operator(tx, request.id_part<OperatorId>("operator_id", "operator"), clock.now());
  auto before = row;
  before.revoked_at.reset();
  audit(tx, actor_of(request), "operator.revoke", object_of("operator", row.id.wire()), operator_json(before), operator_json(row));
  return http::no_content();
}

std::optional<Timestamp> find_time(const std::optional<std::string>& text, const char* pointer) {
  if (!text) return std::nullopt;
  const auto at = parse_time(*text);
  if (!at) throw invalid_field(pointer, "Must be a time: 2026-11-21T12:00:00Z.");
  return at;
}

Response show_audit(const Request& request, Tx& tx, const storage::Cursors& cursors) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  AuditFilter filter;
  filter.operator_name = query.find_text("operator", 64);
  filter.action = query.find_text("action", 64);
  filter.object = query.find_text("object", 255);
  const auto since = query.find_text("since", 64);
  const auto until = query.find_text("until", 64);
  query.finish();
  filter.since = find_time(since, "query:since");
  filter.until = find_time(until, "query:until");
  const auto page = list_audit(tx, filter, limit, next, cursors);
  json::Writer out;
  out.object().key("audit").array();
  for (const auto& entry : page.items) out.raw(audit_entry_json(entry));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response verify(const Request& request, Tx& tx) {
  http::Query query(request);
  const auto after = query.integer("after", 0, 0, INT64_MAX);
  const auto noted = query.find_text("hash", 64);
  query.finish();
  const auto verified = verify_audit(tx, after, noted, kVerifyRows);
  json::Writer out;
  out.object().field("checked", verified.checked).field("last_seq", verified.last_seq).field("last_hash", crypto::hex(verified.last_hash));
  out.key("complete").boolean(verified.complete);
  if (verified.broken_seq) out.key("broken").object().field("seq", *verified.broken_seq).field("detail", verified.detail).end();
  out.end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const storage::Cursors& cursors, const Clock& clock) {
  router.add({.method = Method::post, .pattern = "/operator/v1/operators", .operation = "create_operator", .access = Access::operator_only,
              .handler = [&clock](const Request& request, Tx& tx) { return create(request, tx, clock); }, .answers_secret = true});
  router.add({.method = Method::get, .pattern = "/operator/v1/operators", .operation = "list_operators", .access = Access::operator_only,
              .mode = storage::Mode::read, .handler = [&cursors](const Request& request, Tx& tx) { return list(request, tx, cursors); }});
  router.add({.method = Method::del, .pattern = "/operator/v1/operators/{operator_id}", .operation = "revoke_operator",
              .access = Access::operator_only, .handler = [&clock](const Request& request, Tx& tx) { return revoke(request, tx, clock); }});
  router.add({.method = Method::get, .pattern = "/operator/v1/audit", .operation = "list_operator_audit", .access = Access::operator_only,
              .mode = storage::Mode::read, .handler = [&cursors](const Request& request, Tx& tx) { return show_audit(request, tx, cursors); }});
  router.add({.method = Method::get, .pattern = "/operator/v1/audit/verify", .operation = "verify_operator_audit",
              .access = Access::operator_only, .mode = storage::Mode::read, .handler = verify});
}

}  // namespace chat::operators
