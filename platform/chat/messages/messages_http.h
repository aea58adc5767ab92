#pragma once
#include <functional>

#include "billing/accounts.h"
#include "platform/chat/messages/attaching.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/held.h"
#include "platform/chat/messages/lanes.h"
#include "platform/chat/messages/review.h"
#include "platform/http/router.h"
#include "platform/webhooks/before.h"

namespace chat::messages {

struct Services {
  bus::Bus& bus;
  billing::Accounts& accounts;
  Lanes& lanes;
  const Clock& clock;
  /// Runs a task on a database worker; false: too many wait.
  std::function<bool(storage::Pool::Task)> run;
  /// Adds what is the caller's own to messages that it is shown. From the features above, which know it.
  std::function<void(storage::Transaction&, const channels::Opened&, std::vector<Message>&)> add_own;
  Attach attach;
  /// Keeps a message that waits for approval.
  std::function<HeldAnswer(storage::Transaction&, const HeldSend&)> hold;
  /// The command of this name that holds in channels of this type.
  std::function<std::optional<KnownCommand>(storage::Transaction&, const std::string& channel_type, const std::string& name)> find_command;
  /// Does what a built-in one says. Errors: refuse the send
  std::function<void(storage::Transaction&, const tenants::Caller&, const BuiltInCall&)> run_built_in;
  /// Asks the customer's server about a user's message, outside of any transaction.
  webhooks::BeforeSend& before;
  Screen screen;
  Review& review;
};
void add_routes(http::Router& router, const Services& services);        // /v1/channels/{type}/{id}/messages
void add_send_route(http::Router& router, const Services& services);    // POST of the same
void add_pin_and_edit_routes(http::Router& router, const Services& services);   // …/pin, …/edits, …/undelete, …/pinned
void add_ephemeral_route(http::Router& router, const Services& services);       // /v1/channels/{type}/{id}/ephemeral_messages
void add_action_route(http::Router& router, const Services& services);          // POST …/{message_id}/actions
void add_translation_routes(http::Router& router, const Services& services);    // …/translations/{language}

inline constexpr std::size_t kMaxTextBytes = 60'000;   // above every channel type's own limit

/// What a message may hold, read from a body. Shared by sending and changing.
struct Content {
  std::optional<std::string> text, attachments, custom, mentions;
  std::vector<std::string> mentioned;
};
Content read_content(json::Fields& body);
/// Errors:  too_large, when the text is longer than the application's plan allows
void check_length(const std::optional<std::string>& text, const billing::Limits& limits, const std::string& pointer);

}  // namespace chat::messages
