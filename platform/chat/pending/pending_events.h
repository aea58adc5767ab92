#pragma once
#include <string_view>

/// Told to the author's connections and the channel's moderators alone. Data: {"pending_message":{…}}; of message.approved also
/// "message_id".
namespace chat::pending {

inline constexpr std::string_view kMessagePending = "message.pending";
inline constexpr std::string_view kMessageApproved = "message.approved";   // and sent: message.new came before
inline constexpr std::string_view kMessageRejected = "message.rejected";

}  // namespace chat::pending
