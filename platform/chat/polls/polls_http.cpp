#include "platform/chat/polls/polls_http.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/polls/polls.h"
#include "tenants/auth.h"

namespace chat::polls {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

MessageId message_of(const Request& request) { return request.id_part<MessageId>("message_id", "message"); }

/// "1" to "20"; nothing: no option of any poll.
std::optional<int> parse_option(const std::string& text) {
  if (text.empty() || text.size() > 2 || text[0] == '0' || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int option = std::stoi(text);
  return option <= static_cast<int>(messages::kMaxPollOptions) ? std::optional<int>(option) : std::nullopt;
}

Response show(const Services& services, Tx& tx, const channels::Opened& opened, messages::Message message, int status) {
  std::vector<messages::Message> shown;
  shown.push_back(std::move(message));
  services.add_own(tx, opened, shown);
  return http::json(status, messages::message_data(shown.front()));
}

std::vector<int> read_options(json::Fields& body) {
  std::vector<int> options;
  auto given = body.find_texts("options", messages::kMaxPollOptions, {.min_bytes = 1, .max_bytes = 8});
  if (!given || given->empty()) body.mistake("options", "Name 1 to 20 options by their ids.");
  for (std::size_t i = 0; given && i < given->size(); ++i) {
    if (auto option = parse_option((*given)[i])) options.push_back(*option);
    else body.mistake_at("options/" + std::to_string(i), "Must be an option's id: a number from 1.");
  }
  std::sort(options.begin(), options.end());
  options.erase(std::unique(options.begin(), options.end()), options.end());
  return options;
}

Response vote(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto options = read_options(body);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  auto voted = vote_in_poll(tx, services.bus, opened, message_of(request), options, services.clock.now());
  return show(services, tx, opened, std::move(voted.message), voted.changed ? 201 : 200);
}

Response suggest(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto text = body.text("text", {.min_bytes = 1, .max_bytes = messages::kMaxPollOptionBytes});
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  const auto now = services.clock.now();
  if (!caller.is_server()) messages::check_not_held(tx, opened, now);
  const auto judged = services.judge_option(caller, opened, text);
  auto suggested = suggest_option(tx, opened, message_of(request), judged.text, now);
  if (suggested.changed && !judged.findings.empty()) services.flag(tx, opened.channel, message_of(request), judged.findings);
  return show(services, tx, opened, std::move(suggested.message), suggested.changed ? 201 : 200);
}

Response retract(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "query:user_id"));
  const auto option = parse_option(request.part("option"));
  if (!option) throw not_found("vote");
  return show(services, tx, opened, retract_vote(tx, services.bus, opened, message_of(request), *option, services.clock.now()), 200);
}

Response close(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "#/user_id"));
  return show(services, tx, opened, close_poll(tx, services.bus, opened, message_of(request), services.clock.now()), 200);
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  auto option = query.find_text("option", 8);
  auto next = query.find_text("next", 1024);
  auto user = query.find_text("user_id");
  query.finish();
  const auto wanted = option ? parse_option(*option) : std::nullopt;
  if (option && !wanted) throw invalid_field("query:option", "Must be an option's id: a number from 1.");
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
  auto page = list_votes(tx, opened, message_of(request), wanted, limit, next, services.cursors);
  json::Writer out;
  out.object().key("votes").array();
  for (const auto& one : page.items)
    out.object().field("option", std::to_string(one.option)).field("user_id", one.user_id).key("created_at").time(one.created_at).end();
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = std::string("/v1/channels/{type}/{id}/messages/{message_id}/poll/") + pattern,
                .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::post, "votes", "vote_in_poll", storage::Mode::write, vote);
  route(Method::del, "votes/{option}", "retract_vote", storage::Mode::write, retract);
  route(Method::get, "votes", "list_votes", storage::Mode::read, list);
  route(Method::post, "options", "suggest_option", storage::Mode::write, suggest);
  route(Method::post, "close", "close_poll", storage::Mode::write, close);
}

}  // namespace chat::polls
