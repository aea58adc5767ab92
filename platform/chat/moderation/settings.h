#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/storage/transaction.h"

/// How an application moderates. What it does not say has its default. Private to the folder.
namespace chat::moderation {

struct Reason {
  std::string reason;                          // a-z 0-9 _ -, 1-64
  std::int64_t severity = 2;                   // 1-3
};
/// From so many points on, at once and by itself.
struct Threshold {
  std::int64_t points = 0;
  std::string action;                          // probation | timeout | shadow_ban | ban
  bool whole = false;                          // counted and acted on in the application; else in the channel
  std::int64_t minutes = 0;                    // 0: a ban without end
};
struct Settings {
  std::vector<Reason> reasons{{"spam", 1}, {"harassment", 2}, {"hate", 3}, {"violence", 3}, {"sexual", 2}, {"self_harm", 3}, {"illegal", 3}, {"other", 1}};
  std::map<std::string, std::int64_t> points{{"delete", 1}, {"warn", 1}, {"timeout", 2}, {"shadow_ban", 3}, {"ban", 3}};   // by action
  std::int64_t decay_days = 90;                // of a strike; 0: never
  std::vector<Threshold> thresholds;
  bool probation_holds = true;                 // what is sent on probation waits for approval
  std::int64_t appeal_days = 30;               // from the decision; 0: no appeals
  std::int64_t evidence_days = 180;            // from the decision
};
inline constexpr std::size_t kMaxReasons = 50, kMaxThresholds = 20;

Settings get_settings(storage::Transaction& tx);
std::string settings_json(const Settings& settings);
/// Changes what `set` names. Errors: gathered in `set`
void read_settings(json::Fields& set, Settings& settings);
/// Errors:  gathered in `body`, at unset/<i>
void unset_settings(json::Fields& body, const std::vector<std::string>& names, Settings& settings);
void put_settings(storage::Transaction& tx, const Settings& settings, Timestamp now);

}  // namespace chat::moderation
