#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/base/id.h"

namespace chat::realtime {

/// How many authenticated sockets each application has on this node.
/// Thread:  any.
class Presence {
 public:
  void add(AppId app) {
    const std::lock_guard lock(mutex_);
    ++counts_[app];
    ++total_;
  }
  void remove(AppId app) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(app);
    if (--found->second == 0) counts_.erase(found);
    --total_;
  }
  [[nodiscard]] bool any(AppId app) const {
    const std::lock_guard lock(mutex_);
    return counts_.contains(app);
  }
  [[nodiscard]] std::map<std::string, std::int64_t> by_application() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::int64_t> out;
    for (const auto& [app, count] : counts_) out.emplace(app.wire(), count);
    return out;
  }
  [[nodiscard]] std::vector<AppId> applications() const {
    const std::lock_guard lock(mutex_);
    std::vector<AppId> out;
    out.reserve(counts_.size());
    for (const auto& [app, count] : counts_) out.push_back(app);
    return out;
  }
  [[nodiscard]] std::int64_t total() const {
    const std::lock_guard lock(mutex_);
    return total_;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<AppId, std::int64_t> counts_;
  std::int64_t total_ = 0;
};

}  // namespace chat::realtime
