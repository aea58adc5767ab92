#pragma once
#include <string_view>

/// What a channel is told about reactions, numbered. Data: {"message_id","reaction":{…},"reaction_groups":{…}}; the groups are
/// those of the whole message after the change.
namespace chat::reactions {

inline constexpr std::string_view kReactionNew = "reaction.new";
inline constexpr std::string_view kReactionUpdated = "reaction.updated";   // another score
inline constexpr std::string_view kReactionDeleted = "reaction.deleted";

// Instead of them in large channels, not numbered: {"message_id","reaction_groups":{…}}
inline constexpr std::string_view kReactionCounted = "reaction.counted";

}  // namespace chat::reactions
