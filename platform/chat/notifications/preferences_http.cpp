#include <set>

#include "platform/base/error.h"
#include "platform/chat/notifications/notifications_http.h"
#include "platform/chat/notifications/preferences.h"
#include "platform/chat/notifications/templates.h"
#include "tenants/auth.h"

namespace chat::notifications {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

const std::vector<std::string> kLevels{"all", "mentions", "none"};

/// "22:30", in minutes.
int read_clock(json::Fields& fields, const char* name) {
  const auto text = fields.text(name, {.min_bytes = 5, .max_bytes = 5});
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 100; };
  if (text.size() != 5) return 0;
  const int hours = digit(0) * 10 + digit(1), minutes = digit(3) * 10 + digit(4);
  if (text[2] == ':' && hours < 24 && minutes < 60) return hours * 60 + minutes;
  fields.mistake(name, "Must be a time of day: 22:30.");
  return 0;
}

std::optional<Quiet> read_quiet(json::Fields& body) {
  auto given = body.find_object("quiet");
  if (!given) return std::nullopt;
  json::Fields fields(*given, body.pointer("quiet"));
  Quiet quiet;
  quiet.from = read_clock(fields, "from");
  quiet.to = read_clock(fields, "to");
  quiet.time_zone = fields.text("time_zone", {.min_bytes = 1, .max_bytes = 64});
  std::set<int> days;
  for (const auto& day : fields.find_array("days", 7, 1).value_or(std::vector<json::Value>{})) {
    if (day.kind() == json::Kind::integer && day.integer() >= 1 && day.integer() <= 7) days.insert(static_cast<int>(day.integer()));
    else fields.mistake("days", "Must be days of the week: 1 (Monday) to 7.");
  }
  quiet.days.assign(days.begin(), days.end());
  fields.check_unknown();
  body.absorb(fields);
  return quiet;
}

std::string user_in_query(const Request& request) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  return Caller::of(request).acting_user(user, "query:user_id");
}

Response answer(const Preferences& preferences) {
  json::Writer out;
  out.object().key("push_preferences").raw(preferences_json(preferences)).end();
  return http::json(200, out.take());
}

Response answer(const std::string& cid, const ChannelPreference& preference) {
  json::Writer out;
  out.object().key("push_preference").raw(channel_preference_json(cid, preference)).end();
  return http::json(200, out.take());
}

Response show(const Services&, const Request& request, Tx& tx) { return answer(get_preferences(tx, user_in_query(request))); }

Response set(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Preferences preferences;
  preferences.level = body.find_word("level", kLevels).value_or("all");
  preferences.muted_until = body.find_time("muted_until");
  preferences.quiet = read_quiet(body);
  preferences.language = body.find_text("language", {.min_bytes = 2, .max_bytes = kMaxLanguageBytes});
  if (preferences.language && !is_language(*preferences.language)) body.mistake("language", "Must be a language tag: en, pt-br.");
  auto user = body.find_text("user_id");
  body.finish();
  return answer(set_preferences(tx, Caller::of(request).acting_user(user, "#/user_id"), preferences, services.clock.now()));
}

channels::Opened open_for(const Request& request, Tx& tx, const std::string& user) {
  return channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), user);
}

Response show_channel(const Services&, const Request& request, Tx& tx) {
  const auto opened = open_for(request, tx, user_in_query(request));
  return answer(opened.channel.cid(), get_channel_preference(tx, opened));
}

Response set_channel(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  ChannelPreference preference{body.find_word("level", kLevels), body.find_time("muted_until")};
  auto user = body.find_text("user_id");
  body.finish();
  const auto opened = open_for(request, tx, Caller::of(request).acting_user(user, "#/user_id"));
  return answer(opened.channel.cid(), set_channel_preference(tx, opened, preference, services.clock.now()));
}

}  // namespace

void add_preference_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/v1/push/preferences", "get_push_preferences", storage::Mode::read, show);
  route(Method::put, "/v1/push/preferences", "set_push_preferences", storage::Mode::write, set);
  route(Method::get, "/v1/channels/{type}/{id}/push_preference", "get_channel_push_preference", storage::Mode::read, show_channel);
  route(Method::put, "/v1/channels/{type}/{id}/push_preference", "set_channel_push_preference", storage::Mode::write, set_channel);
}

}  // namespace chat::notifications
