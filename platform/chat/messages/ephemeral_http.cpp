#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/messages/ephemeral.h"
#include "platform/chat/messages/messages_http.h"

namespace chat::messages {
namespace {

using tenants::Caller;

std::vector<std::string> read_recipients(json::Fields& body) {
  auto given = body.find_texts("user_ids", kMaxRecipients, {.min_bytes = 1});
  if (!given || given->empty()) {
    body.mistake("user_ids", "Name 1 to 50 users.");
    return {};
  }
  for (std::size_t i = 0; i < given->size(); ++i) {
    const auto end = given->begin() + static_cast<std::ptrdiff_t>(i);
    if (!tenants::is_user_id(*end)) body.mistake_at("user_ids/" + std::to_string(i), "Must be a user_id.");
    else if (std::find(given->begin(), end, *end) != end) body.mistake_at("user_ids/" + std::to_string(i), "Stands twice.");
  }
  return std::move(*given);
}

/// As lists and rules judge what servers send. It is kept nowhere, so nothing of it can wait, stand in the shadow or be flagged: what
/// would need the first two is refused.
/// Errors:  forbidden; unavailable
void judge(const Services& services, const http::Request& request, storage::Transaction& tx, const std::vector<std::string>& mentioned, EphemeralDraft& draft) {
  const auto& caller = Caller::of(request);
  Send said;
  said.application = caller.shared_application();
  said.account = services.accounts.known(caller.app());
  said.channel_type = request.part("type");
  said.channel_id = request.part("id");
  said.by_server = true;
  said.message.cid = said.channel_type + ":" + said.channel_id;
  said.message.user_id = draft.author;
  said.message.text = draft.text;
  said.message.attachments = draft.attachments;
  said.mentioned = mentioned;
  const auto verdict = services.screen(said);
  check_change(verdict, "#", "text");
  check_change(services.review.judge_change(tx, said), "#", "text");
  if (verdict.text) draft.text = *verdict.text;
  if (verdict.attachments) draft.attachments = verdict.attachments;
}

http::Response send_ephemeral(const Services& services, const http::Request& request, storage::Transaction& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  EphemeralDraft draft;
  draft.recipients = read_recipients(body);
  auto content = read_content(body);
  draft.text = content.text.value_or("");
  draft.attachments = std::move(content.attachments);
  draft.mentions = std::move(content.mentions);
  draft.custom = std::move(content.custom);
  if (auto parent = body.find_text("parent_id", {.min_bytes = 1, .max_bytes = 64})) {
    draft.parent_id = MessageId::parse(*parent);
    if (!draft.parent_id) body.mistake("parent_id", "Must be a message id: msg_…");
  }
  draft.author = body.find_text("user_id").value_or("");
  if (draft.text.empty() && !draft.attachments && !draft.custom) body.mistake("text", "A message needs text, attachments or custom data.");
  body.finish();
  auto opened = channels::open_channel(tx, Caller::of(request), request.part("type"), request.part("id"), "");
  if (static_cast<std::int64_t>(draft.text.size()) > opened.settings.max_message_bytes)
    throw Error(Code::too_large, "The text is longer than this channel's type allows.", {{"#/text", "Too long."}});
  judge(services, request, tx, content.mentioned, draft);
  json::Writer out;
  out.object().key("message").raw(tell_ephemeral(tx, services.bus, opened, draft, services.clock.now())).end();
  return http::json(201, out.take());
}

}  // namespace

void add_ephemeral_route(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/channels/{type}/{id}/ephemeral_messages", .operation = "send_ephemeral_message",
              .access = http::Access::server, .max_body_bytes = 128 * 1024,
              .handler = [services](const http::Request& request, storage::Transaction& tx) { return send_ephemeral(services, request, tx); },
              .rate_class = "send"});
}

}  // namespace chat::messages
