#include "platform/base/error.h"
#include "platform/chat/notifications/notifications_http.h"
#include "platform/chat/notifications/notice.h"
#include "platform/chat/notifications/templates.h"
#include "tenants/auth.h"
#include "tenants/own_audit.h"

namespace chat::notifications {
namespace {

using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

std::string object_of(const std::string& event, const std::string& language) {
  return "push_template:" + event + (language.empty() ? "" : ":" + language);
}

std::optional<std::string> find_json(Tx& tx, const std::string& event, const std::string& language) {
  for (const auto& one : list_templates(tx))
    if (one.event == event && one.language == language) return template_json(one);
  return std::nullopt;
}

std::string read_text(json::Fields& body, const char* name, bool required) {
  const auto text = required ? body.text(name, {.min_bytes = 1, .max_bytes = kMaxTemplateBytes})
                             : body.find_text(name, {.min_bytes = 1, .max_bytes = kMaxTemplateBytes}).value_or("");
  if (auto mistake = mistake_in(text); !mistake.empty()) body.mistake(name, std::move(mistake));
  return text;
}

std::string read_language(json::Fields& body) {
  auto language = body.find_text("language", {.min_bytes = 2, .max_bytes = kMaxLanguageBytes});
  if (language && !is_language(*language)) body.mistake("language", "Must be a language tag: en, pt-br.");
  return language.value_or("");
}

std::string event_of(const Request& request) {
  if (!is_event(request.part("event"))) throw not_found("push event");
  return request.part("event");
}

Response list(const Services&, const Request&, Tx& tx) {
  json::Writer out;
  out.object().key("push_templates").array();
  for (const auto& one : list_templates(tx)) out.raw(template_json(one));
  out.end().end();
  return http::json(200, out.take());
}

Response save(const Services& services, const Request& request, Tx& tx) {
  const auto event = event_of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Template given{event, read_language(body), read_text(body, "title", true), read_text(body, "body", true), {}, {}};
  body.finish();
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto before = find_json(tx, event, given.language);
  const auto saved = save_template(tx, given, now);
  tenants::note_own_change(tx, request, "push_template.save", object_of(event, given.language), before, template_json(saved.saved), now);
  json::Writer out;
  out.object().key("push_template").raw(template_json(saved.saved)).end();
  return http::json(saved.created ? 201 : 200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto language = query.find_text("language", kMaxLanguageBytes).value_or("");
  query.finish();
  const auto event = event_of(request);
  tenants::hold_setup(tx);
  const auto before = find_json(tx, event, language);
  delete_template(tx, event, language);
  tenants::note_own(tx, request, "push_template.delete", object_of(event, language), before, std::nullopt, services.clock.now());
  return http::no_content();
}

/// With values made up, so that one sees what a text becomes before it is saved.
Response preview(const Services&, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto event = body.word("event", {"message.new", "mention", "reaction.new", "reminder.due", "invite.created"});
  const auto language = read_language(body);
  auto title = read_text(body, "title", false), text = read_text(body, "body", false);
  const auto said = body.find_text("message_text", {.max_bytes = 20'000}).value_or("Where do we meet for lunch?");
  body.finish();
  const auto own = list_templates(tx);
  if (const auto* chosen = choose(own, event, language)) {
    if (title.empty()) title = chosen->title;
    if (text.empty()) text = chosen->body;
  }
  const auto& application = tenants::Caller::of(request).application();
  const Values values{{"sender.name", "Alice Adams"}, {"sender.id", "alice"},    {"channel.name", "General"}, {"channel.id", "general"},
                      {"channel.type", "messaging"},  {"message.text", said},    {"reaction.type", "like"},   {"app.name", application.name}};
  json::Writer out;
  out.object().field("title", render(title, values, kMaxTitleChars)).field("body", render(text, values, kMaxBodyChars)).end();
  return http::json(200, out.take());
}

}  // namespace

void add_template_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = http::Access::server, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/v1/push/templates", "list_push_templates", storage::Mode::read, list);
  route(Method::put, "/v1/push/templates/{event}", "save_push_template", storage::Mode::write, save);
  route(Method::del, "/v1/push/templates/{event}", "delete_push_template", storage::Mode::write, remove);
  route(Method::post, "/v1/push/templates/preview", "preview_push_template", storage::Mode::write, preview);
}

}  // namespace chat::notifications
