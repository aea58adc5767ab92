#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chat/presence/presence.h"

/// What a node says of one user in the store. Private to the folder.
namespace chat::presence {

inline constexpr std::string_view kHereOnline = "online", kHereAway = "away";
// For kGrace after the last device of the node went: how the user looked then.
inline constexpr std::string_view kLeftOnline = "left_online", kLeftAway = "left_away";

/// Of what all nodes say. A device that is here outweighs one that left.
inline Status status_of(const std::vector<ephemeral::Holder>& holders) {
  const auto says = [&](std::string_view word) { return std::ranges::any_of(holders, [&](const auto& holder) { return holder.member == word; }); };
  if (says(kHereOnline)) return Status::online;
  if (says(kHereAway)) return Status::away;
  if (says(kLeftOnline)) return Status::online;
  return says(kLeftAway) ? Status::away : Status::offline;
}

inline bool is_connected(const std::vector<ephemeral::Holder>& holders) {
  return std::ranges::any_of(holders, [](const auto& holder) { return holder.member == kHereOnline || holder.member == kHereAway; });
}

}  // namespace chat::presence
