#include "platform/chat/messages/send_form.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/chat/messages/messages_http.h"

namespace chat::messages {
namespace {

std::optional<MessageId> read_id(json::Fields& body, const char* name) {
  auto text = body.find_text(name, {.min_bytes = 1, .max_bytes = 64});
  if (!text) return std::nullopt;
  auto id = MessageId::parse(*text);
  if (!id) body.mistake(name, "Must be a message id: msg_…");
  return id;
}

std::optional<Source> read_source(json::Fields& body) {
  auto given = body.find_object("forward");
  if (!given) return std::nullopt;
  json::Fields fields(*given, body.pointer("forward"));
  const auto cid = fields.text("cid", {.min_bytes = 3, .max_bytes = 193});
  const auto message = read_id(fields, "message_id");
  if (!message && !fields.has("message_id")) fields.mistake("message_id", "Required.");
  fields.check_unknown();
  body.absorb(fields);
  for (const char* name : {"text", "attachments", "custom", "parent_id", "quoted_message_id", "poll"})
    if (body.has(name)) body.mistake(name, "A forwarded message brings its own content; it is no reply.");
  const auto colon = cid.find(':');
  if (!cid.empty() && colon == std::string::npos) body.mistake_at("forward/cid", "Must be type:id.");
  if (!body.ok() || !message) return std::nullopt;
  return Source{cid.substr(0, colon), cid.substr(colon + 1), *message};
}

std::vector<std::string> read_options(json::Fields& poll) {
  auto options = poll.find_texts("options", kMaxPollOptions, {.min_bytes = 1, .max_bytes = kMaxPollOptionBytes}).value_or(std::vector<std::string>{});
  if (options.size() < 2) poll.mistake("options", "A poll has 2 to 20 options.");
  for (std::size_t i = 0; i < options.size(); ++i)
    if (std::find(options.begin(), options.begin() + static_cast<std::ptrdiff_t>(i), options[i]) != options.begin() + static_cast<std::ptrdiff_t>(i))
      poll.mistake_at("options/" + std::to_string(i), "Stands twice.");
  return options;
}

/// A poll as its message shows it before anybody has voted. Absent: none.
std::optional<std::string> read_poll(json::Fields& body, Send& send) {
  auto given = body.find_object("poll");
  if (!given) return std::nullopt;
  json::Fields fields(*given, body.pointer("poll"));
  const auto question = fields.text("question", {.min_bytes = 1, .max_bytes = kMaxPollQuestionBytes});
  const auto options = read_options(fields);
  const bool anonymous = fields.find_boolean("anonymous").value_or(false);
  const auto max_votes = fields.find_integer("max_votes", {1, static_cast<std::int64_t>(kMaxPollOptions)}).value_or(1);
  if (max_votes > static_cast<std::int64_t>(options.size())) fields.mistake("max_votes", "Must not be more than there are options.");
  const bool allow_suggestions = fields.find_boolean("allow_suggestions").value_or(false);
  const auto closes_at = fields.find_time("closes_at");
  fields.check_unknown();
  body.absorb(fields);
  send.poll = Send::Poll{closes_at};
  json::Writer out;
  out.object().field("question", question).key("options").array();
  for (std::size_t i = 0; i < options.size(); ++i)
    out.object().field("id", std::to_string(i + 1)).field("text", options[i]).field("votes", 0).end();
  out.end().key("anonymous").boolean(anonymous).field("max_votes", max_votes)
      .key("allow_suggestions").boolean(allow_suggestions).field("voter_count", 0).key("closed").boolean(false)
      .optional_time("closes_at", closes_at).end();
  return out.take();
}

/// Members that few messages have; absent: none.
std::optional<std::string> read_extras(json::Fields& body, Send& send, const std::optional<Source>& source) {
  send.mentioned_roles = body.find_texts("mention_roles", kMaxMentionedRoles, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < send.mentioned_roles.size(); ++i)
    if (!channels::is_channel_type(send.mentioned_roles[i])) body.mistake_at("mention_roles/" + std::to_string(i), "Must be a role.");
  send.mentions_here = body.find_boolean("mention_here").value_or(false);
  send.mentions_channel = body.find_boolean("mention_channel").value_or(false);
  const auto poll = read_poll(body, send);
  if (send.mentioned_roles.empty() && !send.mentions_here && !send.mentions_channel && !source && !poll) return std::nullopt;
  json::Writer out;
  out.object();
  if (!send.mentioned_roles.empty()) {
    out.key("mention_roles").array();
    for (const auto& role : send.mentioned_roles) out.text(role);
    out.end();
  }
  if (send.mentions_here) out.key("mention_here").boolean(true);
  if (send.mentions_channel) out.key("mention_channel").boolean(true);
  if (source) out.key("forwarded").object().field("cid", source->cid()).field("message_id", source->message.wire()).end();
  if (poll) out.key("poll").raw(*poll);
  out.end();
  return out.take();
}

}  // namespace

void add_extra(Message& message, std::string_view name, const std::string& json) {
  json::Writer out;
  out.object();
  if (message.extras) {
    const auto document = json::Document::parse(*message.extras);
    for (const auto& [other, value] : document.root().members())
      if (other != name) out.key(other).raw(value.raw());
  }
  out.key(name).raw(json).end();
  message.extras = out.take();
}

void check_poll(const Send& send, Timestamp now) {
  if (send.poll && send.poll->closes_at && *send.poll->closes_at <= now) throw invalid_field("#/poll/closes_at", "Must be in the future.");
}

std::string fingerprint_of(const Message& message) {
  json::Writer out;
  out.array().text(message.type).text(message.text).text(message.attachments.value_or("")).text(message.custom.value_or(""))
      .text(message.mentions.value_or("")).text(message.parent_id ? message.parent_id->wire() : "")
      .text(message.quoted_id ? message.quoted_id->wire() : "").boolean(message.silent).boolean(message.show_in_channel)
      .text(message.extras.value_or("")).end();
  return crypto::hex(crypto::sha256(out.take()));
}

void attach(storage::Transaction& tx, const Attach& judge, Send& send) {
  auto& message = send.message;
  message.attachments = judge(tx, {.attachments = *message.attachments, .channel_type = send.channel_type, .channel_id = send.channel_id,
                                   .user_id = *message.user_id, .by_server = send.by_server, .message = {}, .pointer = "#/attachments"});
}

std::optional<Source> read_message_fields(json::Fields& body, bool by_server, Send& send) {
  Message& message = send.message;
  Content content = read_content(body);
  message.text = content.text.value_or("");
  message.attachments = std::move(content.attachments);
  message.custom = std::move(content.custom);
  message.mentions = std::move(content.mentions);
  send.mentioned = std::move(content.mentioned);
  message.parent_id = read_id(body, "parent_id");
  message.show_in_channel = body.find_boolean("show_in_channel").value_or(false);
  message.quoted_id = read_id(body, "quoted_message_id");
  message.silent = body.find_boolean("silent").value_or(false);
  message.nonce = body.find_text("nonce", {.min_bytes = 1, .max_bytes = kMaxNonceBytes});
  message.type = body.find_word("type", {"regular", "text", "image", "video", "file", "system"}).value_or("regular");
  auto source = read_source(body);
  message.extras = read_extras(body, send, source);
  if (message.type == "system" && !by_server) body.mistake("type", "Only a server token may send system messages.");
  if (message.show_in_channel && !message.parent_id) body.mistake("show_in_channel", "Only a reply can be shown in the channel.");
  if (message.text.empty() && !message.attachments && !message.custom && !body.has("forward") && !body.has("poll"))
    body.mistake("text", "A message needs text, attachments, custom data or a poll.");
  return source;
}

}  // namespace chat::messages
