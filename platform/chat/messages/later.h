#pragma once
#include <functional>
#include <optional>
#include <string>

#include "platform/base/json.h"
#include "platform/chat/messages/asked.h"
#include "platform/chat/messages/attaching.h"
#include "platform/chat/messages/held.h"
#include "platform/chat/messages/lanes.h"
#include "tenants/directory.h"

/// For those who keep a message and send it later, in its author's name. `server` hands these to the features above.
namespace chat::messages {

/// Checks the member `name` of a body as POST …/messages would (without nonce and forward), and gives it back minified. Absent: none.
/// Errors:  gathered in `body`
std::optional<std::string> read_later(json::Fields& body, const char* name, bool by_server);
/// Does the plan have what it needs? It is asked again when it is sent. Errors: limit_reached
void check_later(const std::string& message, const billing::Limits& limits);

struct Later {
  AppId app;
  std::string channel_type, channel_id, user_id;
  std::string body;                            // what read_later or held_send gave
  std::string nonce_key;                       // the same: the same message
  std::string fingerprint = {};                // of an earlier send under this nonce_key; empty: of the body
  bool by_server = false;
  bool approved = false;                       // somebody read it and let it pass: it is not screened again
};
struct LaterServices {
  bus::Bus& bus;
  tenants::Directory& directory;
  billing::Accounts& accounts;
  Lanes& lanes;
  const Clock& clock;
  Attach attach;
  std::function<HeldAnswer(storage::Transaction&, const HeldSend&)> hold;   // what must wait for approval
  std::function<bool(storage::Pool::Task)> run;
  Screen screen;
  Review& review;
  webhooks::BeforeSend& before;
};
/// Sends it on the way of every message. `done` is called once, on any thread: with the message, with why it was refused, or with
/// neither: it is held until it is approved.
/// Errors:  (to `done`) as Lanes; unavailable (the application is suspended, or too much is on its way)
using LaterDone = std::function<void(const std::optional<MessageId>&, const std::optional<Error>&)>;
void send_later(storage::Connection& connection, const LaterServices& services, const Later& later, const LaterDone& done);

}  // namespace chat::messages
