#include "platform/chat/messages/later.h"

#include "platform/base/error.h"
#include "platform/chat/messages/asked.h"
#include "platform/chat/messages/command_http.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/send_form.h"

namespace chat::messages {
namespace {

Error not_now(const char* why) { return Error(Code::unavailable, why); }

/// The marks of a held copy, which no customer gives.
std::optional<CommandText> read_marks(json::Fields& body, Send& send) {
  if (const auto forwarded = body.find_object("forwarded")) add_extra(send.message, "forwarded", forwarded->raw());
  const auto command = body.find_object("command");
  if (!command) return std::nullopt;
  return CommandText{std::string(command->find("name")->text()), std::string(command->find("args")->text())};
}

/// Comes on a lane's thread; a database worker keeps it.
void hold(const LaterServices& services, const HeldSend& send, const LaterDone& done) {
  const bool taken = services.run([services, send, done](storage::Connection& connection) {
    try {
      connection.transact(send.app, storage::Mode::write, [&](storage::Transaction& tx) { services.hold(tx, send); });
      done(std::nullopt, std::nullopt);
    } catch (const Error& error) {
      done(std::nullopt, error);
    }
  });
  if (!taken) done(std::nullopt, not_now("Too many requests wait for the database."));
}

struct Made {
  std::unique_ptr<Send> send;
  std::optional<CommandText> command;
};
Made make_send(storage::Connection& connection, const LaterServices& services, const Later& later) {
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
  auto command = read_marks(body, *send);
  body.finish();
  check_length(send->message.text, *send->account->limits(), "#/text");
  if (send->message.parent_id) billing::check_feature(*send->account->limits(), billing::Feature::threads);
  if (send->poll) billing::check_feature(*send->account->limits(), billing::Feature::polls);
  check_poll(*send, services.clock.now());
  send->nonce_key = later.nonce_key;
  send->fingerprint = later.fingerprint.empty() ? fingerprint_of(send->message) : later.fingerprint;
  if (!later.approved) obey(services.screen(*send), *send);
  if (may_hold_uploads(send->message.attachments))
    connection.transact(later.app, storage::Mode::read, [&](storage::Transaction& tx) { attach(tx, services.attach, *send); });
  return {std::move(send), std::move(command)};
}

/// Errors:  unavailable; then nobody has taken it
void submit(const LaterServices& services, std::unique_ptr<Send> send) {
  const auto account = send->account;
  if (services.lanes.submit(std::move(send))) return;
  account->message_refused();
  throw not_now("Too many messages are on their way.");
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

void check_later(const std::string& message, const billing::Limits& limits) {
  const auto document = json::Document::parse(message);
  if (document.root().find("parent_id")) billing::check_feature(limits, billing::Feature::threads);
  if (document.root().find("poll")) billing::check_feature(limits, billing::Feature::polls);
}

void send_later(storage::Connection& connection, const LaterServices& services, const Later& later, const LaterDone& done) {
  try {
    auto [send, command] = make_send(connection, services, later);
    auto account = send->account;
    send->sent = [done](const Sent& sent) { done(sent.message.id, std::nullopt); };
    send->refused = [done](const Error& error) { done(std::nullopt, error); };
    send->held = [services, done](const Send& held) { hold(services, held_send(held), done); };
    if (command) carry_command(services.bus, services.clock, *send, *command);
    account->reserve_message(services.clock.now());
    const SubmitSend last = [services](std::unique_ptr<Send> one) { submit(services, std::move(one)); };
    if (later.approved) last(std::move(send));
    else ask_all(services.review, services.before, std::move(send), last);
  } catch (const Error& error) {
    done(std::nullopt, error);
  }
}

}  // namespace chat::messages
