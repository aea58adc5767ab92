#include "billing/statements/statements_http.h"

#include "platform/base/error.h"
#include "platform/operators/audit.h"
#include "tenants/applications.h"

namespace chat::statements {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr std::int64_t kMaxCredit = 1'000'000'000'000;
constexpr std::chrono::hours kCounted{2};         // after its end the last hours of a day are in the ledger

/// "2026-10", any month.
Timestamp month_from(const std::string& text, const char* pointer) {
  const auto at = text.size() == 7 ? parse_time(text + "-01T00:00:00Z") : std::nullopt;
  if (!at) throw invalid_field(pointer, "Must be a month: 2026-10.");
  return *at;
}

Response show(const Statement& statement, const std::string& format, int status = 200) {
  if (format == "csv") return {.status = status, .body = statement_csv(statement), .content_type = "text/csv; charset=utf-8"};
  if (format == "html") return {.status = status, .body = statement_html(statement), .content_type = "text/html; charset=utf-8"};
  json::Writer out;
  out.object().key("statement").raw(statement_json(statement)).end();
  return http::json(status, out.take());
}

Response show_page(const storage::Page<Statement>& page) {
  json::Writer out;
  out.object().key("statements").array();
  for (const auto& statement : page.items) out.raw(statement_json(statement));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  query.finish();
  return show_page(list_own(tx, limit, next, services.cursors));
}

/// `draft`, of the running month or of `?month=`, or the id of a final one.
Response get(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const auto format = query.find_word("format", {"json", "csv", "html"}).value_or("json");
  const auto month = query.find_text("month", 7);
  query.finish();
  if (request.part("statement_id") == "draft")
    return show(draft(tx, month ? month_from(*month, "query:month") : services.clock.now()), format);
  if (month) throw invalid_field("query:month", "Only of a draft.");
  return show(get_statement(tx, request.id_part<StatementId>("statement_id", "statement")), format);
}

void note(const Request& request, Tx& tx, const char* action, const std::string& object, const std::optional<std::string>& before,
          const std::string& after) {
  operators::audit(tx, operators::actor_of(request), action, object, before, after);
}

void enter(const Request& request, Tx& tx) { tx.enter(tenants::resolve_application(tx, request.part("app_id"))); }

Response finalize_month(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto month = body.text("month", {.min_bytes = 7, .max_bytes = 7});
  body.finish();
  const auto at = month_from(month, "#/month");
  enter(request, tx);
  const auto statement = finalize(tx, services.bus, at, services.clock.now());
  note(request, tx, "statement.finalize", operators::object_of("statement", statement.id->wire()), std::nullopt, statement_json(statement));
  return show(statement, "json", 201);
}

Response make_void(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto reason = body.text("reason", {.min_bytes = 1, .max_bytes = 500});
  body.finish();
  enter(request, tx);
  const auto id = request.id_part<StatementId>("statement_id", "statement");
  const auto before = statement_json(get_statement(tx, id));
  const auto statement = void_statement(tx, id, reason, services.clock.now());
  note(request, tx, "statement.void", operators::object_of("statement", id.wire()), before, statement_json(statement));
  return show(statement, "json");
}

Response credit(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto amount = body.integer("amount", {1, kMaxCredit});
  const auto reason = body.text("reason", {.min_bytes = 1, .max_bytes = 500});
  body.finish();
  enter(request, tx);
  const auto id = add_credit(tx, amount, reason, services.clock.now());
  json::Writer given;
  given.object().field("app_id", tx.app().wire()).field("credit_id", id.wire()).field("amount", amount).field("reason", reason).end();
  note(request, tx, "credit.add", operators::object_of("application", tx.app().wire()), std::nullopt, given.take());
  return http::json(201, credits_json(tx));
}

Response list_of_all(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto month = query.find_text("month", 7);
  query.finish();
  return show_page(list_all(tx, month ? std::optional(month_of(month_from(*month, "query:month"))) : std::nullopt, limit, next, services.cursors));
}

Response usage(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto day = query.find_text("day", 10).value_or("");
  query.finish();
  const auto at = day.size() == 10 ? parse_time(day + "T00:00:00Z") : std::nullopt;
  if (!at) throw invalid_field("query:day", "Must be a day: 2026-10-31.");
  if (*at + std::chrono::hours(24) + kCounted > services.clock.now())
    throw invalid_field("query:day", "Ask from 02:00 UTC of the next day on: until then this day is still being counted.");
  const auto exported = export_usage(tx, day, limit, next, services.cursors);
  json::Writer out;
  out.object().key("events").array();
  for (const auto& event : exported.events) out.raw(event);
  out.end().optional_field("next", exported.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = Method::get, .pattern = pattern, .operation = operation, .access = Access::server, .mode = storage::Mode::read,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add("/v1/statements", "list_own_statements", list);
  add("/v1/statements/{statement_id}", "get_own_statement", get);
}

void add_operator_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = std::string("/operator/v1") + pattern, .operation = operation, .access = Access::operator_only,
                .mode = method == Method::get ? storage::Mode::read : storage::Mode::write,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::get, "/statements", "list_statements", list_of_all);
  add(Method::get, "/applications/{app_id}/statements", "list_application_statements", [](const Services& all, const Request& request, Tx& tx) {
    enter(request, tx);
    return list(all, request, tx);
  });
  add(Method::get, "/applications/{app_id}/statements/{statement_id}", "get_statement", [](const Services& all, const Request& request, Tx& tx) {
    enter(request, tx);
    return get(all, request, tx);
  });
  add(Method::post, "/applications/{app_id}/statements", "finalize_statement", finalize_month);
  add(Method::post, "/applications/{app_id}/statements/{statement_id}/void", "void_statement", make_void);
  add(Method::get, "/applications/{app_id}/credits", "list_credits", [](const Services&, const Request& request, Tx& tx) {
    http::Query(request).finish();
    enter(request, tx);
    return http::json(200, credits_json(tx));
  });
  add(Method::post, "/applications/{app_id}/credits", "add_credit", credit);
  add(Method::get, "/usage", "export_usage", usage);
}

}  // namespace chat::statements
