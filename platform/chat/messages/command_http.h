#pragma once
#include "platform/chat/messages/asked.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/messages_http.h"

/// What a send does with a text that may be a command. Private to the folder.
namespace chat::messages {

/// Looks the word up on a database worker, then: sends the text as it is, or with its command, telling the customer's server; or only
/// tells it. `submit` sends. Errors: (to the sender) as a send
void send_command(const Services& services, const std::shared_ptr<http::Request>& request, const http::Responder& respond,
                  std::unique_ptr<Send> send, const CommandText& command, const SubmitSend& submit);

/// Gives the message its command, and tells the customer's servers when it is sent. `send.sent` is set before.
void carry_command(bus::Bus& bus, const Clock& clock, Send& send, const CommandText& command);

}  // namespace chat::messages
