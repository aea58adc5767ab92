#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/channels/channels.h"

/// What a member keeps for itself in a channel: mute, hiding, cleared history, pin, archive, data of its own.
namespace chat::channels {

struct MembershipChange {
  std::optional<bool> muted, hidden, pinned, archived;
  std::optional<Timestamp> mute_expires_at;    // with muted; none: until unmuted
  bool clear_history = false;                  // of this member alone; for good
  std::optional<std::string> custom;           // merged by key; shown to everybody
  std::vector<std::string> unset;              // custom | custom.<key>

  [[nodiscard]] bool changes_custom() const { return custom || !unset.empty(); }
};

/// Hiding lasts until the next countable message. Cleared history is gone for this member at once and stays so: neither lists
/// nor unread counts reach behind it, also when the channel comes back.
/// Errors:  forbidden (not a member); invalid_field (custom data)
/// Event:   membership.updated to the user's own devices; with custom data also member.updated to the channel, numbered: then
///          `opened` comes from lock_channel
Member update_membership(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const MembershipChange& change, Timestamp now);

}  // namespace chat::channels
