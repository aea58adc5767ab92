#pragma once
#include <memory>
#include <optional>
#include <string>

#include "platform/bus/event.h"
#include "platform/chat/messages/messages.h"

/// A text that begins with a slash: perhaps a command of the customer's. `server` hands in who knows. Private to the folder but for
/// KnownCommand and BuiltInCall.
namespace chat::messages {

struct CommandText {
  std::string name, args;
  bool is_escaped = false;                     // "//name": the text after the first slash is meant as it is
};
/// Shape:   "/name" or "//name", then the end or a space and the arguments, trimmed. None: can't be a command.
std::optional<CommandText> parse_command(const std::string& text);
std::string command_json(const CommandText& command);   // {"name","args"}

/// After the text has changed: the message's command is what the text says now. One that it no longer invokes goes.
void keep_command(Message& message);

/// Of command.invoked, told of a message that invokes one. Empty: it invokes none, or what it said is no longer there.
std::string invoked_data(const Message& message);
/// The event's id: the message's, with another end. As send.sql has it.
EventId invoked_id(MessageId message);
/// The same for the connections of the customer's servers; endpoints are told in the message's transaction. Null: it invokes none.
std::shared_ptr<const bus::Event> invoked_event(AppId app, const Message& message, Timestamp now);

struct KnownCommand {
  bool visible = true;                         // the message that invokes it is sent
  bool is_built_in = false;                    // done here instead of told to the customer's server
};
/// What a built-in command is told.
struct BuiltInCall {
  std::string channel_type, channel_id, user_id, name, args;
};

}  // namespace chat::messages
