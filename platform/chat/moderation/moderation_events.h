#pragma once
#include <string_view>

/// Told to the customer's servers and, of what is in a channel, to at most 100 of its moderators; never to others.
namespace chat::moderation {

inline constexpr std::string_view kFlagged = "moderation.flagged";                 // {"item","flag"}
inline constexpr std::string_view kDecided = "moderation.decided";                 // {"decision"}
inline constexpr std::string_view kUndone = "moderation.undone";                   // {"decision"}: the line that undoes
inline constexpr std::string_view kAppealed = "moderation.appealed";               // {"appeal"}
inline constexpr std::string_view kAppealDecided = "moderation.appeal_decided";    // {"appeal"}; to the user who appealed, too
inline constexpr std::string_view kWarned = "moderation.warned";                   // {"notice"}; to the user alone, and servers

}  // namespace chat::moderation
