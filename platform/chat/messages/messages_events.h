#pragma once
#include <string_view>

/// What a channel is told about its messages, numbered. Data: {"message":{…}}, of deletions also "hard".
namespace chat::messages {

inline constexpr std::string_view kMessageNew = "message.new";           // its event id is the message's own
inline constexpr std::string_view kMessageUpdated = "message.updated";
inline constexpr std::string_view kMessageDeleted = "message.deleted";
inline constexpr std::string_view kMessageUndeleted = "message.undeleted";
inline constexpr std::string_view kCommandInvoked = "command.invoked";       // not numbered, to the customer's servers alone
inline constexpr std::string_view kMessageAction = "message.action";         // the same
inline constexpr std::string_view kMessageEphemeral = "message.ephemeral";   // not numbered, to one user's devices alone

}  // namespace chat::messages
