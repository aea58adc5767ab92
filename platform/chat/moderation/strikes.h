#pragma once
#include "platform/chat/moderation/effects.h"
#include "platform/chat/moderation/settings.h"

/// Points against users and what follows of them. Private to the folder.
namespace chat::moderation {

/// What a decision changes of how its user stands, in the channel or (whole) in the application.
struct StandingChange {
  bool whole = false;
  std::optional<Timestamp> probation_until = {};   // the later of this and what is
  bool warned = false;
  std::optional<std::string> ban_reason = {};  // JSON
  bool holds = false;                          // what is sent on probation waits
};
Effects::Standing change_standing(Scene& scene, const StandingChange& change);
/// What was before comes back, unless it changed since that moment.
void put_standing_back(Scene& scene, const Effects::Standing& standing, Timestamp changed_at, bool holds);

/// Gives the points, and does what the settings' thresholds say of it. The lines of what follows are written here.
/// Returns: what follows.
std::vector<DecisionId> strike(Scene& scene, DecisionId id, std::int64_t points, const Settings& settings, const Effects& done);
void revoke_strike(storage::Transaction& tx, DecisionId id, Timestamp now);

}  // namespace chat::moderation
