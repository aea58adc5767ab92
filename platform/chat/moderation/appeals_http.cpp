#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/moderation/moderation.h"
#include "platform/chat/moderation/moderation_http.h"
#include "tenants/auth.h"

namespace chat::moderation {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr int kListParameters = 5;

Response show(const Appeal& appeal, int status, bool for_moderators) {
  json::Writer out;
  out.object().key("appeal").raw(appeal_json(appeal, for_moderators)).end();
  return http::json(status, out.take());
}

Response list_own(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  const auto user = query.find_text("user_id");
  query.finish();
  const auto page = list_notices(tx, Caller::of(request).acting_user(user, "query:user_id"), limit, next, services.cursors);
  json::Writer out;
  out.object().key("notices").array();
  for (const auto& notice : page.items) out.raw(notice_json(notice.line, notice.appeal));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response appeal(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto text = body.text("text", {.min_bytes = 1, .max_bytes = kMaxAppealBytes});
  const auto user = body.find_text("user_id");
  body.finish();
  return show(appeal_decision(tx, services.hands.bus, Caller::of(request).acting_user(user, "#/user_id"),
                              request.id_part<DecisionId>("decision_id", "decision"), text, services.clock.now()),
              201, false);
}

Response query(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto user = body.find_text("user_id");
  const auto& caller = Caller::of(request);
  const auto wanted = appeal_listing().read(body, services.cursors, tx.app().text() + "|appeals|" + user.value_or(caller.user_id()), kListParameters);
  body.finish();
  const auto page = query_appeals(tx, reviewer_of(tx, caller, caller.acting_user_or_none(user, "#/user_id")), wanted, services.cursors);
  json::Writer out;
  out.object().key("appeals").array();
  for (const auto& one : page.items) out.raw(appeal_json(one, true));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response decide(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const bool accept = body.word("decision", {"accept", "refuse"}) == "accept";
  const auto answer = body.find_text("answer", {.min_bytes = 1, .max_bytes = kMaxReasonBytes});
  const auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  const auto reviewer = reviewer_of(tx, caller, caller.acting_user_or_none(user, "#/user_id"));
  return show(decide_appeal(tx, services.hands, reviewer, request.id_part<AppealId>("appeal_id", "appeal"), accept, answer, services.clock.now()), 200, true);
}

Response show_standing(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const auto user = query.find_text("as");
  query.finish();
  const auto& caller = Caller::of(request);
  const auto reviewer = reviewer_of(tx, caller, caller.acting_user_or_none(user, "query:as"));
  const auto standings = standings_of(tx, reviewer, request.part("user_id"), services.clock.now());
  json::Writer out;
  out.object().field("user_id", request.part("user_id")).key("standings").array();
  for (const auto& one : standings) out.raw(standing_json(one));
  out.end().end();
  return http::json(200, out.take());
}

}  // namespace

void add_appeal_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, Response (*act)(const Services&, const Request&, Tx&)) {
    const bool asks = std::string_view(operation).starts_with("query_");
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }, .rate_class = asks ? "read" : ""});
  };
  using storage::Mode;
  route(Method::get, "/v1/moderation/notices", "list_moderation_notices", Mode::read, list_own);
  route(Method::post, "/v1/moderation/decisions/{decision_id}/appeal", "appeal_moderation_decision", Mode::write, appeal);
  route(Method::post, "/v1/moderation/appeals/query", "query_moderation_appeals", Mode::write, query);
  route(Method::post, "/v1/moderation/appeals/{appeal_id}/decide", "decide_moderation_appeal", Mode::write, decide);
  route(Method::get, "/v1/moderation/users/{user_id}/standing", "get_moderation_standing", Mode::read, show_standing);
}

}  // namespace chat::moderation
