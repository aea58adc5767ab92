#pragma once
#include <string_view>

/// Told to the user's own connections alone. Data: {"thread":{…}}.
namespace chat::threads {

inline constexpr std::string_view kThreadUpdated = "thread.updated";   // followed, unfollowed, read

}  // namespace chat::threads
