#include "platform/chat/messages/later.h"

#include "platform/base/error.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/send_form.h"

namespace chat::messages {
namespace {

Error not_now(const char* why) { return Error(Code::unavailable, why); }

std::unique_ptr<Send> make_send(storage::Connection& connection, const LaterServices& services, const Later& later) {
  auto send = std::make_unique<Send>();
  send->application = services.directory.find(later.app);
  if (!send->application) send->application = services.directory.load(connection, later.app);
  if (!send->application || send->application->status != tenants::Status::active) throw not_now("The application is not active.");
  send->account = services.accounts.find(send->application);
  if (!send->account) send->account = services.accounts.load(connection, send->application);
  send->channel_type = later.channel_type;
  send->channel_id = later.channel_id;
  send->by_server = later.by_server;
  send->message.cid = later.channel_type + ":" + later.channel_id;
  send->message.user_id = later.user_id;
  auto document = json::Document::parse(later.body);
  json::Fields body(document.root());
  read_message_fields(body, later.by_server, *send);
  body.finish();
  check_length(send->message.text, *send->account->limits(), "#/text");
  check_poll(*send, services.clock.now());
  send->nonce_key = later.nonce_key;
  send->fingerprint = later.fingerprint.empty() ? fingerprint_of(send->message) : later.fingerprint;
  if (may_hold_uploads(send->message.attachments))
    connection.transact(later.app, storage::Mode::read, [&](storage::Transaction& tx) { attach(tx, services.attach, *send); });
  return send;
}

}  // namespace

std::optional<std::string> read_later(json::Fields& body, const char* name, bool by_server) {
  auto given = body.find_object(name);
  if (!given) return std::nullopt;
  json::Fields fields(*given, body.pointer(name));
  Send scratch;
  read_message_fields(fields, by_server, scratch);
  for (const char* member : {"nonce", "forward"})
    if (fields.has(member)) fields.mistake(member, "Can't stand in a message that is sent later.");
  fields.check_unknown();
  body.absorb(fields);
  return given->raw();
}

void send_later(storage::Connection& connection, const LaterServices& services, const Later& later, const LaterDone& done) {
  try {
    auto send = make_send(connection, services, later);
    auto account = send->account;
    send->sent = [done](const Sent& sent) { done(sent.message.id, std::nullopt); };
    send->refused = [done](const Error& error) { done(std::nullopt, error); };
    account->reserve_message(services.clock.now());
    if (services.lanes.submit(std::move(send))) return;
    account->message_refused();
    throw not_now("Too many messages are on their way.");
  } catch (const Error& error) {
    done(std::nullopt, error);
  }
}

}  // namespace chat::messages
