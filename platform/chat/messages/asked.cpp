#include "platform/chat/messages/asked.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/send_form.h"

namespace chat::messages {
namespace {

std::string question_json(const Message& message) {
  json::Writer out;
  out.object();
  write_said(out, message);
  if (message.quoted_id) out.field("quoted_message_id", message.quoted_id->wire());
  return out.end().take();
}

/// Errors:  forbidden, too_large, unavailable; then nobody has taken it
void take_judgement(const webhooks::Judgement& judgement, Send& send) {
  using Kind = webhooks::Judgement::Kind;
  if (judgement.kind == Kind::unknown) throw Error(Code::unavailable, "This message could not be checked; try again.").with_retry_after(std::chrono::seconds(1));
  if (judgement.kind == Kind::reject) throw forbidden(judgement.reason);
  if (judgement.kind == Kind::hold) add_extra(send.message, "pending", "true");   // for the lane's verdict, which holds it
  if (judgement.kind != Kind::change) return;
  if (judgement.text) check_length(judgement.text, *send.account->limits(), "#/text");
  if (judgement.text) send.message.text = *judgement.text;
  if (judgement.text) keep_command(send.message);
  if (judgement.custom) send.message.custom = *judgement.custom;
  const Message& left = send.message;
  if (left.text.empty() && !left.attachments && !left.custom && !send.poll) throw forbidden(judgement.reason);
}

/// Who sent it hears of what is thrown.
template <class Take>
void go_on(std::unique_ptr<Send>& send, const SubmitSend& next, const Take& take) {
  const auto refused = send->refused;
  try {
    take();
  } catch (const Error& error) {
    send->account->message_refused();
    return refused(error);
  }
  try {
    next(std::move(send));
  } catch (const Error& error) {
    refused(error);
  }
}

void ask_review(Review& review, std::unique_ptr<Send> send, const SubmitSend& next) {
  auto question = review.look(*send);
  if (!question) return next(std::move(send));
  const auto shared = std::make_shared<std::unique_ptr<Send>>(std::move(send));
  review.ask(std::move(question), **shared, [shared, next](const Verdict& verdict) {
    go_on(*shared, next, [&] { obey(verdict, **shared); });
  });
}

/// What users send.
void ask_customer(webhooks::BeforeSend& before, std::unique_ptr<Send> send, const SubmitSend& next) {
  const auto& webhooks = send->application->webhooks;
  const bool asks = !send->by_server && std::ranges::find(webhooks, webhooks::kBeforeSend) != webhooks.end();
  if (!asks) return next(std::move(send));
  const auto shared = std::make_shared<std::unique_ptr<Send>>(std::move(send));
  const Send& asked = **shared;
  before.ask(asked.application->id, asked.channel_type, asked.message.cid, question_json(asked.message), [shared, next](const webhooks::Judgement& judgement) {
    go_on(*shared, next, [&] { take_judgement(judgement, **shared); });
  });
}

}  // namespace

void write_said(json::Writer& out, const Message& message) {
  out.field("user_id", *message.user_id).field("type", message.type).field("text", message.text);
  const auto raw = [&out](const char* name, const std::optional<std::string>& value) {
    if (value) out.key(name).raw(*value);
  };
  raw("attachments", message.attachments);
  raw("mentions", message.mentions);
  raw("custom", message.custom);
  if (message.parent_id) out.field("parent_id", message.parent_id->wire());
  if (!message.extras) return;
  const auto extras = json::Document::parse(*message.extras);
  if (const auto poll = extras.root().find("poll")) out.key("poll").raw(poll->raw());
}

void ask_all(Review& review, webhooks::BeforeSend& before, std::unique_ptr<Send> send, const SubmitSend& next) {
  ask_review(review, std::move(send), [&before, next](std::unique_ptr<Send> reviewed) { ask_customer(before, std::move(reviewed), next); });
}

}  // namespace chat::messages
