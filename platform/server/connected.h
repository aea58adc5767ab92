#pragma once
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/realtime/gateway.h"

namespace chat::server {

/// Who has a socket on this node.
/// Thread:  any.
class Connected {
 public:
  void add(AppId app, const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    ++counts_[app][user_id];
  }
  void remove(AppId app, const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    const auto users = counts_.find(app);
    if (users == counts_.end()) return;
    const auto user = users->second.find(user_id);
    if (user != users->second.end() && --user->second == 0) users->second.erase(user);
    if (users->second.empty()) counts_.erase(users);
  }
  [[nodiscard]] std::vector<std::string> among(AppId app, const std::vector<std::string>& user_ids) const {
    std::vector<std::string> connected;
    const std::lock_guard lock(mutex_);
    const auto users = counts_.find(app);
    if (users == counts_.end()) return connected;
    for (const auto& user_id : user_ids)
      if (users->second.contains(user_id)) connected.push_back(user_id);
    return connected;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<AppId, std::unordered_map<std::string, int>> counts_;
};

/// The same hooks, which also tell `connected`.
realtime::Hooks counting(realtime::Hooks hooks, Connected& connected);

}  // namespace chat::server
