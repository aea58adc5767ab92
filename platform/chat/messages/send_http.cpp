#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/http/idempotency.h"

namespace chat::messages {
namespace {

using http::Request;
using http::Responder;
using tenants::Caller;

std::optional<MessageId> read_id(json::Fields& body, const char* name) {
  auto text = body.find_text(name, {.min_bytes = 1, .max_bytes = 64});
  if (!text) return std::nullopt;
  auto id = MessageId::parse(*text);
  if (!id) body.mistake(name, "Must be a message id: msg_…");
  return id;
}

/// Of what the customer said, so that the same nonce with other content is noticed.
std::string fingerprint_of(const Message& message) {
  json::Writer out;
  out.array().text(message.type).text(message.text).text(message.attachments.value_or("")).text(message.custom.value_or(""))
      .text(message.mentions.value_or("")).text(message.parent_id ? message.parent_id->wire() : "")
      .text(message.quoted_id ? message.quoted_id->wire() : "").boolean(message.silent).boolean(message.show_in_channel).end();
  return crypto::hex(crypto::sha256(out.take()));
}

void read_message_fields(json::Fields& body, const Caller& caller, Send& send, std::optional<std::string>& user) {
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
  message.type = body.find_word("type", {"regular", "system"}).value_or("regular");
  user = body.find_text("user_id");
  if (message.type == "system" && !caller.is_server()) body.mistake("type", "Only a server token may send system messages.");
  if (message.show_in_channel && !message.parent_id) body.mistake("show_in_channel", "Only a reply can be shown in the channel.");
  if (message.text.empty() && !message.attachments && !message.custom)
    body.mistake("text", "A message needs text, attachments or custom data.");
}

std::unique_ptr<Send> read_send(const Services& services, const Request& request) {
  const auto& caller = Caller::of(request);
  auto send = std::make_unique<Send>();
  send->application = caller.shared_application();
  send->account = services.accounts.find(send->application);
  if (!send->account) throw Error(Code::unavailable, "Try again.").with_retry_after(std::chrono::seconds(1));
  send->channel_type = request.part("type");
  send->channel_id = request.part("id");
  send->message.cid = send->channel_type + ":" + send->channel_id;
  send->by_server = caller.is_server();
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  std::optional<std::string> user;
  read_message_fields(body, caller, *send, user);
  body.finish();
  send->message.user_id = caller.acting_user(user, "#/user_id");
  check_length(send->message.text, *send->account->limits(), "#/text");
  auto key = http::idempotency_key(request);
  if (send->message.nonce) send->nonce_key = "nonce/" + *send->message.nonce;
  else if (key) send->nonce_key = "key/" + *key;
  if (send->nonce_key) send->fingerprint = fingerprint_of(send->message);
  return send;
}

http::Response answer(const Sent& sent) {
  auto response = http::json(sent.replayed ? 200 : 201, message_data(sent.message));
  if (sent.replayed) response.with("Idempotency-Replayed", "true");
  return response;
}

void send_message(const Services& services, const std::shared_ptr<Request>& request, Responder respond) {
  auto send = read_send(services, *request);
  send->sent = [respond](const Sent& sent) { respond(answer(sent)); };
  send->refused = [respond, id = request->request_id](const Error& error) { respond(http::problem(error, id)); };
  auto account = send->account;
  account->reserve_message(services.clock.now());
  if (services.lanes.submit(std::move(send))) return;
  account->message_refused();
  throw Error(Code::unavailable, "Too many messages are on their way; try again.").with_retry_after(std::chrono::seconds(1));
}

}  // namespace

void add_send_route(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/channels/{type}/{id}/messages", .operation = "send_message",
              .max_body_bytes = 128 * 1024,
              .async = [services](std::shared_ptr<Request> request, Responder respond) {
                send_message(services, request, std::move(respond));
              },
              .rate_class = "send"});
}

}  // namespace chat::messages
