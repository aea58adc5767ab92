#pragma once
#include <string_view>

/// Told to the user's own connections alone. Data: {"bookmark":{…}}.
namespace chat::bookmarks {

inline constexpr std::string_view kBookmarkUpdated = "bookmark.updated";
inline constexpr std::string_view kBookmarkDeleted = "bookmark.deleted";
inline constexpr std::string_view kReminderDue = "reminder.due";

}  // namespace chat::bookmarks
