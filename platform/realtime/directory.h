#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/realtime/delivery.h"

namespace chat::realtime {

struct HotChannel;

/// Which hot channels has a user, and the other way round. A user's text is kept once, whatever the number of channels.
/// Thread:  under the audiences' lock.
/// Cost:    16 bytes per membership, ~120 per user.
class Directory {
 public:
  struct User {
    std::vector<HotChannel*> channels;
  };
  using Entry = std::pair<const std::string, User>;    // scoped(app, user id)

  /// A channel's members, sorted by address: cheap to test, cheap to keep.
  class Members {
   public:
    [[nodiscard]] bool has(const Entry* user) const { return std::binary_search(users_.begin(), users_.end(), user); }
    [[nodiscard]] const std::vector<Entry*>& all() const { return users_; }

   private:
    friend class Directory;
    std::vector<Entry*> users_;
  };

  [[nodiscard]] Entry* find(const std::string& user_key) {
    const auto found = users_.find(user_key);
    return found == users_.end() ? nullptr : &*found;
  }

  void add(HotChannel& channel, Members& members, const std::string& user_key) {
    Entry* user = &*users_.try_emplace(user_key).first;
    const auto place = std::lower_bound(members.users_.begin(), members.users_.end(), user);
    if (place != members.users_.end() && *place == user) return;
    members.users_.insert(place, user);
    user->second.channels.push_back(&channel);
  }

  void remove(HotChannel& channel, Members& members, const std::string& user_key) {
    Entry* user = find(user_key);
    if (user == nullptr) return;
    const auto place = std::lower_bound(members.users_.begin(), members.users_.end(), user);
    if (place == members.users_.end() || *place != user) return;
    members.users_.erase(place);
    unlink(channel, *user);
  }

  void replace(HotChannel& channel, Members& members, AppId app, const std::vector<std::string>& user_ids) {
    clear(channel, members);
    members.users_.reserve(user_ids.size());
    for (const auto& user_id : user_ids) members.users_.push_back(&*users_.try_emplace(scoped(app, user_id)).first);
    std::sort(members.users_.begin(), members.users_.end());
    members.users_.erase(std::unique(members.users_.begin(), members.users_.end()), members.users_.end());
    for (Entry* user : members.users_) user->second.channels.push_back(&channel);
  }

  void clear(HotChannel& channel, Members& members) {
    for (Entry* user : members.users_) unlink(channel, *user);
    std::vector<Entry*>().swap(members.users_);
  }

 private:
  void unlink(HotChannel& channel, Entry& user) {
    auto& channels = user.second.channels;
    const auto place = std::find(channels.begin(), channels.end(), &channel);
    *place = channels.back();
    channels.pop_back();
    if (channels.empty()) users_.erase(users_.find(user.first));
  }

  std::unordered_map<std::string, User> users_;   // entries keep their address
};

}  // namespace chat::realtime
