#include "platform/base/error.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/asked.h"
#include "platform/chat/messages/command_http.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/send_form.h"
#include "platform/http/idempotency.h"

namespace chat::messages {
namespace {

using http::Request;
using http::Responder;
using tenants::Caller;

struct Prepared {
  std::unique_ptr<Send> send;
  std::optional<Source> source;
};

Prepared read_send(const Services& services, const Request& request) {
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
  auto source = read_message_fields(body, caller.is_server(), *send);
  send->clears_draft = body.find_boolean("clear_draft").value_or(false);
  const bool pending = body.find_boolean("pending").value_or(false);
  if (pending && !caller.is_server()) body.mistake("pending", "Only a server token may hold a message.");
  auto user = body.find_text("user_id");
  body.finish();
  send->message.user_id = caller.acting_user(user, "#/user_id");
  const auto limits = send->account->limits();
  check_length(send->message.text, *limits, "#/text");
  if (send->message.parent_id) billing::check_feature(*limits, billing::Feature::threads);
  if (send->poll) billing::check_feature(*limits, billing::Feature::polls);
  check_poll(*send, services.clock.now());
  auto key = http::idempotency_key(request);
  if (send->message.nonce) send->nonce_key = "nonce/" + *send->message.nonce;
  else if (key) send->nonce_key = "key/" + *key;
  if (send->nonce_key) send->fingerprint = fingerprint_of(send->message);
  if (pending) add_extra(send->message, "pending", "true");   // for the verdict alone: such a message is never stored
  return {std::move(send), std::move(source)};
}

http::Response answer(const Sent& sent) {
  auto response = http::json(sent.replayed ? 200 : 201, message_data(sent.message));
  if (sent.replayed) response.with("Idempotency-Replayed", "true");
  return response;
}

void submit(const Services& services, std::unique_ptr<Send> send) {
  auto account = send->account;
  if (services.lanes.submit(std::move(send))) return;
  account->message_refused();
  throw Error(Code::unavailable, "Too many messages are on their way; try again.").with_retry_after(std::chrono::seconds(1));
}

/// Takes the content of a message that the sender may read.
void fill_forwarded(storage::Transaction& tx, const Caller& caller, const Source& source, Send& send) {
  auto missing = [] { return Error(Code::not_found, "No such message to forward.", {{"#/forward", "No such message."}}); };
  Message& message = send.message;
  try {
    auto opened = channels::open_channel(tx, caller, source.channel_type, source.channel_id, *message.user_id);
    Message original = get_message(tx, opened.channel, source.message);
    if (original.deleted_at) throw missing();
    message.text = std::move(original.text);
    message.attachments = std::move(original.attachments);
    message.custom = std::move(original.custom);
    if (message.text.empty() && !message.attachments && !message.custom)
      throw invalid_field("#/forward", "There is nothing to copy in it but a poll, which stays where it is.");
    if (original.type != "system") message.type = original.type;
  } catch (const Error& error) {
    if (error.code() == Code::not_found) throw missing();
    throw;
  }
  check_length(message.text, *send.account->limits(), "#/forward");
}

/// Looks first, on a database worker, at what the message needs; then it goes the way of every message.
using Complete = std::function<void(storage::Transaction&, Send&)>;
void submit_when_complete(const Services& services, std::unique_ptr<Send> send, const Complete& complete, const SubmitSend& next) {
  auto shared = std::make_shared<std::unique_ptr<Send>>(std::move(send));
  const bool taken = services.run([shared, complete, next](storage::Connection& connection) {
    auto refused = (*shared)->refused;
    auto account = (*shared)->account;
    try {
      connection.transact((*shared)->application->id, storage::Mode::read,
                          [&](storage::Transaction& tx) { complete(tx, **shared); });
    } catch (const Error& error) {
      account->message_refused();
      return refused(error);
    }
    try {
      next(std::move(*shared));
    } catch (const Error& error) {
      refused(error);
    }
  });
  if (taken) return;
  (*shared)->account->message_refused();
  throw Error(Code::unavailable, "Too many requests wait for the database; try again.").with_retry_after(std::chrono::seconds(1));
}

/// Errors:  as Screen and obey
void pass_screen(const Services& services, Send& send) {
  try {
    obey(services.screen(send), send);
  } catch (const Error&) {
    send.account->message_refused();
    throw;
  }
}

/// Uploaded files are looked at first.
void submit_ready(const Services& services, std::unique_ptr<Send> send) {
  if (!may_hold_uploads(send->message.attachments)) return submit(services, std::move(send));
  submit_when_complete(services, std::move(send), [judge = services.attach](storage::Transaction& tx, Send& to) { attach(tx, judge, to); },
                       [services](std::unique_ptr<Send> one) { submit(services, std::move(one)); });
}

http::Response answer_held(const HeldAnswer& held) {
  json::Writer out;
  out.object().key("pending_message").raw(held.pending).end();
  auto response = http::json(202, out.take());
  if (held.replayed) response.with("Idempotency-Replayed", "true");
  return response;
}

/// Comes on a lane's thread; a database worker keeps it.
void hold(const Services& services, const std::string& request_id, const Responder& respond, const HeldSend& send) {
  const bool taken = services.run([services, request_id, respond, send](storage::Connection& connection) {
    HeldAnswer held;
    try {
      connection.transact(send.app, storage::Mode::write, [&](storage::Transaction& tx) { held = services.hold(tx, send); });
    } catch (const Error& error) {
      return respond(http::problem(error, request_id));
    }
    respond(answer_held(held));
  });
  if (!taken)
    respond(http::problem(Error(Code::unavailable, "Too many requests wait for the database; try again.").with_retry_after(std::chrono::seconds(1)), request_id));
}

void send_message(const Services& services, const std::shared_ptr<Request>& request, Responder respond) {
  auto [send, source] = read_send(services, *request);
  send->sent = [respond](const Sent& sent) { respond(answer(sent)); };
  send->refused = [respond, id = request->request_id](const Error& error) { respond(http::problem(error, id)); };
  send->held = [services, respond, id = request->request_id](const Send& held) { hold(services, id, respond, held_send(held)); };
  send->account->reserve_message(services.clock.now());
  const auto asked = [services](void (*last)(const Services&, std::unique_ptr<Send>)) -> SubmitSend {
    return [services, last](std::unique_ptr<Send> one) {
      ask_all(services.review, services.before, std::move(one), [services, last](std::unique_ptr<Send> left) { last(services, std::move(left)); });
    };
  };
  const SubmitSend ready = [services, next = asked(submit_ready)](std::unique_ptr<Send> one) {
    pass_screen(services, *one);
    next(std::move(one));
  };
  if (source)
    submit_when_complete(services, std::move(send), [request, screen = services.screen, source = *source](storage::Transaction& tx, Send& to) {
      fill_forwarded(tx, Caller::of(*request), source, to);
      obey(screen(to), to);
    }, asked(submit));   // its files are the original's
  else if (const auto command = parse_command(send->message.text))
    send_command(services, request, respond, std::move(send), *command, ready);
  else
    ready(std::move(send));
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
