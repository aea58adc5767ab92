#pragma once
#include <string_view>

/// What is told of who is here and what they do. None of it is numbered or kept.
namespace chat::presence {

// To the channel, but for the one who types and those in a block with it. Data: {"user_id","parent_id"?}
inline constexpr std::string_view kTypingStart = "typing.start";
inline constexpr std::string_view kTypingStop = "typing.stop";

// To connections that follow the user (the command `presence`). Data: {"user_id","status","online","last_active_at"?}
inline constexpr std::string_view kPresenceChanged = "user.presence.changed";

// To the channel, but for the user itself and those in a block with it. Data: {"user_id","watcher_count"}
inline constexpr std::string_view kWatchingStart = "user.watching.start";
inline constexpr std::string_view kWatchingStop = "user.watching.stop";
// To the channel, when it is large or many came and went at once. Data: {"watcher_count"}
inline constexpr std::string_view kWatchersUpdated = "watchers.updated";

}  // namespace chat::presence
