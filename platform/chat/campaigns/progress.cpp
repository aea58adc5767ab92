#include "platform/chat/campaigns/progress.h"

namespace chat::campaigns {

std::string ProgressMemory::get(const Campaign& campaign, Timestamp now, const std::function<std::string()>& count) {
  if (campaign.recipients < kLarge) return count();
  {
    const std::lock_guard lock(mutex_);
    const auto told = told_.find(campaign.id);
    if (told != told_.end() && told->second.updated_at == campaign.updated_at && now - told->second.at < kFresh) return told->second.progress;
  }
  auto progress = count();
  const std::lock_guard lock(mutex_);
  if (told_.size() >= kMax) told_.clear();
  told_.insert_or_assign(campaign.id, Told{now, campaign.updated_at, progress});
  return progress;
}

}  // namespace chat::campaigns
