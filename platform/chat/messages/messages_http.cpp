#include "platform/chat/messages/messages_http.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/messages/shadow.h"
#include "platform/chat/messages/translations.h"
#include "platform/chat/users/users.h"

namespace chat::messages {
namespace {

using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

channels::Opened open(const Request& request, Tx& tx, const std::optional<std::string>& user) {
  const auto& caller = Caller::of(request);
  return channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user_or_none(user, "query:user_id"));
}

const Message* quoted_of(const Message& message, const std::vector<Message>& quoted) {
  if (!message.quoted_id) return nullptr;
  auto found = std::find_if(quoted.begin(), quoted.end(), [&](const auto& q) { return q.id == *message.quoted_id; });
  return found == quoted.end() ? nullptr : &*found;
}

Response show_window(const Window& window) {
  json::Writer out;
  out.object().key("messages").array();
  for (const auto& message : window.messages) out.raw(message_json(message, quoted_of(message, window.quoted)));
  out.end().key("has_older").boolean(window.has_older).key("has_newer").boolean(window.has_newer).end();
  return http::json(200, out.take());
}

std::optional<MessageId> read_id(http::Query& query, const char* name) {
  auto text = query.find_text(name, 64);
  if (!text) return std::nullopt;
  auto id = MessageId::parse(*text);
  if (!id) throw invalid_field(std::string("query:") + name, "Must be a message id: msg_…");
  return id;
}

std::optional<std::string> read_language(http::Query& query) {
  auto tag = query.find_text("language", 32);
  if (!tag) return std::nullopt;
  auto language = parse_language(*tag);
  if (!language) throw invalid_field("query:language", "Must be a language tag: de, pt-BR, zh-Hant.");
  return language;
}

WindowRequest read_window(http::Query& query, bool with_around) {
  WindowRequest wanted;
  wanted.limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  wanted.before = read_id(query, "before");
  wanted.after = read_id(query, "after");
  if (with_around) wanted.around = read_id(query, "around");
  if (wanted.before.has_value() + wanted.after.has_value() + wanted.around.has_value() > 1)
    throw invalid_field("query:before", "Only one of before, after and around can stand.");
  return wanted;
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto wanted = read_window(query, true);
  const auto language = read_language(query);
  auto user = query.find_text("user_id");
  query.finish();
  const auto opened = open(request, tx, user);
  auto window = list_messages(tx, opened.channel, wanted);
  services.add_own(tx, opened, window.messages);
  if (language) keep_language(window.messages, *language);
  return show_window(window);
}

Response list_replies(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto wanted = read_window(query, false);
  const auto language = read_language(query);
  auto user = query.find_text("user_id");
  query.finish();
  wanted.parent = request.id_part<MessageId>("message_id", "message");
  auto opened = open(request, tx, user);
  get_message(tx, opened.channel, *wanted.parent);
  auto window = list_messages(tx, opened.channel, wanted);
  services.add_own(tx, opened, window.messages);
  if (language) keep_language(window.messages, *language);
  return show_window(window);
}

Response show(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const auto language = read_language(query);
  auto user = query.find_text("user_id");
  query.finish();
  auto opened = open(request, tx, user);
  std::vector<Message> shown{get_message(tx, opened.channel, request.id_part<MessageId>("message_id", "message"))};
  services.add_own(tx, opened, shown);
  if (language) keep_language(shown, *language);
  const auto& message = shown.front();
  auto quoted = message.quoted_id ? find_messages(tx, opened.channel, {*message.quoted_id}) : std::vector<Message>{};
  return http::json(200, message_data(message, quoted_of(message, quoted)));
}

std::vector<std::string> read_unset(json::Fields& body) {
  auto names = body.find_texts("unset", 10, {.min_bytes = 1});
  for (std::size_t i = 0; names && i < names->size(); ++i)
    if (const auto& name = (*names)[i]; name != "attachments" && name != "custom" && name != "mentions")
      body.mistake_at("unset/" + std::to_string(i), "Can't be unset; attachments, custom and mentions can.");
  return names.value_or(std::vector<std::string>{});
}

/// Then nobody else sees what it becomes, either.
bool is_shadowed(Tx& tx, const channels::Channel& channel, MessageId id) {
  const auto found = find_messages(tx, channel, {id});
  return !found.empty() && found.front().seq == 0;
}

/// Errors:  as check_change
void screen_change(const Services& services, const Request& request, Tx& tx, const channels::Opened& opened, MessageId id, MessageChange& change) {
  if (!change.text && !change.attachments) return;
  const auto& caller = Caller::of(request);
  Send changed;
  changed.application = caller.shared_application();
  changed.account = services.accounts.known(caller.app());
  changed.channel_type = request.part("type");
  changed.channel_id = request.part("id");
  changed.by_server = caller.is_server();
  changed.message.cid = changed.channel_type + ":" + changed.channel_id;
  changed.message.user_id = opened.acting_user;
  changed.message.text = change.text.value_or("");
  changed.message.attachments = change.attachments;
  const auto check = [&, field = change.text ? "text" : "attachments"](Verdict judged) {
    if (judged.kind == Verdict::Kind::shadow && is_shadowed(tx, opened.channel, id)) judged.kind = Verdict::Kind::pass;
    check_change(judged, "#/set", field);
    change.findings = join_findings(change.findings, judged.findings);
    return judged;
  };
  const auto listed = check(services.screen(changed));
  check(services.review.judge_change(tx, changed));
  if (listed.text) change.text = listed.text;
  if (listed.attachments) change.attachments = listed.attachments;
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto id = request.id_part<MessageId>("message_id", "message");
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Content content;
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    content = read_content(fields);
    fields.check_unknown();
    body.absorb(fields);
  }
  MessageChange change{content.text, content.attachments, content.custom, content.mentions, content.mentioned, read_unset(body)};
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"),
                                       caller.acting_user_or_none(user, "#/user_id"));
  if (change.text && static_cast<std::int64_t>(change.text->size()) > opened.settings.max_message_bytes)
    throw Error(Code::too_large, "The text is longer than this channel's type allows.", {{"#/set/text", "Too long."}});
  if (auto account = services.accounts.known(caller.app())) check_length(change.text, *account->limits(), "#/set/text");
  const auto now = services.clock.now();
  if (!caller.is_server()) check_not_held(tx, opened, now);
  screen_change(services, request, tx, opened, id, change);
  if (!caller.is_server())
    if (const auto message = update_in_shadow(tx, services.bus, opened, id, change, now)) return http::json(200, message_data(*message));
  if (may_hold_uploads(change.attachments))
    change.attachments = services.attach(tx, {*change.attachments, request.part("type"), request.part("id"), opened.acting_user, caller.is_server(),
                                              id, "#/set/attachments"});
  return http::json(200, message_data(update_message(tx, services.bus, opened, id, change, now)));
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  auto id = request.id_part<MessageId>("message_id", "message");
  http::Query query(request);
  auto mode = query.find_word("mode", {"soft", "hard"});
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"),
                                       caller.acting_user_or_none(user, "query:user_id"));
  return http::json(200, message_data(delete_message(tx, services.bus, opened, id, mode == "hard", services.clock.now())));
}

std::string read_mentions(json::Fields& body, std::vector<std::string>& mentioned) {
  for (std::size_t i = 0; i < mentioned.size(); ++i)
    if (!tenants::is_user_id(mentioned[i])) body.mistake_at("mentions/" + std::to_string(i), "Must be a user_id.");
  json::Writer out;
  out.array();
  for (const auto& user : mentioned) out.text(user);
  out.end();
  return out.take();
}

}  // namespace

Content read_content(json::Fields& body) {
  Content content;
  content.text = body.find_text("text", {.max_bytes = kMaxTextBytes});
  if (auto attachments = body.find_array("attachments", kMaxAttachments)) {
    json::Writer out;
    out.array();
    for (std::size_t i = 0; i < attachments->size(); ++i) {
      if ((*attachments)[i].kind() != json::Kind::object) body.mistake_at("attachments/" + std::to_string(i), "Must be an object.");
      out.raw((*attachments)[i].raw());
    }
    out.end();
    content.attachments = out.take();
    if (content.attachments->size() > kMaxAttachmentBytes) body.mistake("attachments", "Must be 32 KiB at most.");
  }
  content.custom = body.find_raw_object("custom", users::kMaxCustomBytes);
  if (auto mentioned = body.find_texts("mentions", kMaxMentions, {.min_bytes = 1})) {
    content.mentioned = std::move(*mentioned);
    content.mentions = read_mentions(body, content.mentioned);
  }
  return content;
}

void check_length(const std::optional<std::string>& text, const billing::Limits& limits, const std::string& pointer) {
  const auto hard = limits.of(billing::Meter::message_bytes).hard;
  if (text && static_cast<std::int64_t>(text->size()) > hard)
    throw Error(Code::too_large, "The plan allows " + std::to_string(hard) + " bytes of text in a message.", {{pointer, "Too long."}, {"limit:message_bytes", "Exceeded."}});
}

void add_routes(http::Router& router, const Services& services) {
  auto add = [&](Method method, const char* pattern, const char* operation, Response (*act)(const Services&, const Request&, Tx&),
                 storage::Mode mode) {
    router.add({.method = method, .pattern = std::string("/v1/channels/{type}/{id}/messages") + pattern, .operation = operation,
                .mode = mode, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  add(Method::get, "", "list_messages", list, storage::Mode::read);
  add(Method::get, "/{message_id}", "get_message", show, storage::Mode::read);
  add(Method::patch, "/{message_id}", "update_message", update, storage::Mode::write);
  add(Method::del, "/{message_id}", "delete_message", remove, storage::Mode::write);
  add(Method::get, "/{message_id}/replies", "list_replies", list_replies, storage::Mode::read);
  add_send_route(router, services);
  add_ephemeral_route(router, services);
  add_action_route(router, services);
  add_translation_routes(router, services);
  add_pin_and_edit_routes(router, services);
}

}  // namespace chat::messages
