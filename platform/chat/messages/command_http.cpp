#include "platform/chat/messages/command_http.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/send.sql.h"
#include "platform/chat/messages/send_form.h"
#include "platform/chat/messages/shadow.h"

namespace chat::messages {
namespace {

using channels::Action;
using tenants::Caller;

/// Of a command that is not sent as a message.
bus::Event unsent_event(const Send& send, EventId id, Timestamp now, std::string data) {
  bus::Event event;
  event.id = id;
  event.app = send.application->id;
  event.type = kCommandInvoked;
  event.reach = bus::Reach::application;
  event.cid = send.message.cid;
  event.user_id = *send.message.user_id;       // whose erasure takes what waits to be delivered
  event.created_at = now;
  event.data = std::move(data);
  return event;
}

std::string unsent_data(const Send& send, const CommandText& command) {
  json::Writer data;
  data.object().key("command").raw(command_json(command)).field("user_id", *send.message.user_id);
  if (send.message.parent_id) data.field("parent_id", send.message.parent_id->wire());
  return data.end().take();
}

/// A repeat under the same nonce bears the id of the first, so that whoever hears it twice knows.
/// Errors:  idempotency_mismatch
EventId remember(storage::Transaction& tx, const Send& send, ChannelId channel, Timestamp now) {
  const auto fresh = EventId::make(now);
  if (!send.nonce_key) return fresh;
  const auto fingerprint = crypto::hex(crypto::sha256("command\n" + send.fingerprint));
  tx.run(sql::remember_command, tx.app(), channel, *send.message.user_id, *send.nonce_key, fresh, fingerprint, now);
  const auto rows = tx.find(sql::find_remembered, tx.app(), channel, *send.message.user_id, *send.nonce_key, fingerprint);
  if (!rows) return fresh;                     // the user is gone by now
  if (!(*rows)[0].boolean(1)) throw Error(Code::idempotency_mismatch, "This nonce was used for another message.", {{"#/nonce", "Used already."}});
  return EventId{(*rows)[0].uuid(0)};
}

struct Place {
  ChannelId channel;
  bool in_shadow = false;                      // nobody hears what the user says there
};
/// A message that is not sent needs the rights of one that is.
Place check_may_invoke(storage::Transaction& tx, const Caller& caller, const Send& send) {
  auto opened = channels::open_channel(tx, caller, send.channel_type, send.channel_id, *send.message.user_id);
  if (send.by_server) return {opened.channel.id};
  opened.require(send.message.parent_id ? Action::send_reply : Action::send_message);
  if (opened.channel.frozen && !opened.may(Action::send_in_frozen))
    throw Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
  return {opened.channel.id, is_in_shadow(tx, opened)};
}

http::Response invoked(const CommandText& command) {
  json::Writer out;
  out.object().key("command").raw(command_json(command)).end();
  return http::json(202, out.take());
}

/// Sends what the word turned out to be. Errors: thrown before `send` is given away
void dispatch(const Services& services, const std::shared_ptr<http::Request>& request, const http::Responder& respond,
              std::unique_ptr<Send>& send, const CommandText& command, storage::Connection& connection, const SubmitSend& submit) {
  std::optional<KnownCommand> known;
  Place place;
  connection.transact(send->application->id, storage::Mode::read, [&](storage::Transaction& tx) {
    known = services.find_command(tx, send->channel_type, command.name);
    if (known && !known->visible && !command.is_escaped) place = check_may_invoke(tx, Caller::of(*request), *send);
  });
  if (known && command.is_escaped) send->message.text.erase(0, 1);
  if (!known || command.is_escaped) return submit(std::move(send));
  if (known->is_built_in) {
    const BuiltInCall call{send->channel_type, send->channel_id, *send->message.user_id, command.name, command.args};
    connection.transact(send->application->id, storage::Mode::write,
                        [&](storage::Transaction& tx) { services.run_built_in(tx, Caller::of(*request), call); });
    send->account->message_refused();
    return respond(invoked(command));
  }
  if (!known->visible) {
    const auto now = services.clock.now();
    if (!place.in_shadow) connection.transact(send->application->id, storage::Mode::write, [&](storage::Transaction& tx) {
      auto event = unsent_event(*send, remember(tx, *send, place.channel, now), now, unsent_data(*send, command));
      event.channel = place.channel;
      bus::emit(tx, services.bus, std::move(event));
    });
    send->account->message_refused();
    return respond(invoked(command));
  }
  carry_command(services.bus, services.clock, *send, command);
  submit(std::move(send));
}

}  // namespace

void carry_command(bus::Bus& bus, const Clock& clock, Send& send, const CommandText& command) {
  add_extra(send.message, "command", command_json(command));
  send.sent = [&bus, &clock, app = send.application->id, sent = std::move(send.sent)](const Sent& done) {   // endpoints are told by send.sql
    const auto event = done.replayed || done.message.seq == 0 ? nullptr : invoked_event(app, done.message, clock.now());
    if (event) bus.publish(event);
    sent(done);
  };
}

void send_command(const Services& services, const std::shared_ptr<http::Request>& request, const http::Responder& respond,
                  std::unique_ptr<Send> send, const CommandText& command, const SubmitSend& submit) {
  auto shared = std::make_shared<std::unique_ptr<Send>>(std::move(send));
  const bool taken = services.run([=](storage::Connection& connection) {
    auto account = (*shared)->account;
    try {
      dispatch(services, request, respond, *shared, command, connection, submit);
    } catch (const Error& error) {
      if (*shared) account->message_refused();   // else whoever has it did that
      respond(http::problem(error, request->request_id));
    }
  });
  if (taken) return;
  (*shared)->account->message_refused();
  throw Error(Code::unavailable, "Too many requests wait for the database; try again.").with_retry_after(std::chrono::seconds(1));
}

}  // namespace chat::messages
