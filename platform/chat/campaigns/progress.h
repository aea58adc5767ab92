#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "platform/chat/campaigns/campaigns.h"

/// How far campaigns are, as it was told lately.
namespace chat::campaigns {

/// Whoever asks again and again has a million rows counted every two seconds at most.
/// Shape:   at most kMax campaigns, the large ones, each while it stays in its state.
/// Thread:  any.
class ProgressMemory {
 public:
  static constexpr std::int64_t kLarge = 10'000;         // recipients
  static constexpr std::chrono::seconds kFresh{2};
  static constexpr std::size_t kMax = 1'000;

  std::string get(const Campaign& campaign, Timestamp now, const std::function<std::string()>& count);

 private:
  struct Told {
    Timestamp at, updated_at;
    std::string progress;
  };
  std::mutex mutex_;
  std::unordered_map<CampaignId, Told> told_;
};

}  // namespace chat::campaigns
