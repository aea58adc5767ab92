#pragma once
#include <string_view>

/// Told to the user's own connections alone. Data: {"thread":{…}}.
namespace chat::threads {

inline constexpr std::string_view kThreadUpdated = "thread.updated";   // followed, unfollowed, read

/// Bus control word: a user follows or has read a thread. Its detail: the user id and the cid.
inline constexpr std::string_view kThreadsMoved = "threads.moved";

}  // namespace chat::threads
