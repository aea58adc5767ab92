#include "platform/server/connected.h"

namespace chat::server {
namespace {

constexpr std::string_view kHere = "here";

}  // namespace

void Connected::add(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  if (++counts_[app][user_id] == 1) store_.hold({app, kConnected, user_id}, kHere, {}, kLife);
}

void Connected::remove(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  const auto users = counts_.find(app);
  if (users == counts_.end()) return;
  const auto user = users->second.find(user_id);
  if (user == users->second.end() || --user->second > 0) return;
  store_.release({app, kConnected, user_id}, kHere);
  users->second.erase(user);
  if (users->second.empty()) counts_.erase(users);
}

void Connected::renew() {
  const std::lock_guard lock(mutex_);
  for (const auto& [app, users] : counts_)
    for (const auto& [user_id, sockets] : users) store_.hold({app, kConnected, user_id}, kHere, {}, kLife);
}

std::vector<std::string> Connected::among(AppId app, const std::vector<std::string>& user_ids) const {
  std::vector<ephemeral::Key> keys;
  keys.reserve(user_ids.size());
  for (const auto& user_id : user_ids) keys.push_back({app, kConnected, user_id});
  const auto held = store_.count(std::span<const ephemeral::Key>(keys));
  std::vector<std::string> connected;
  for (std::size_t i = 0; i < user_ids.size(); ++i)
    if (held[i] > 0) connected.push_back(user_ids[i]);
  return connected;
}

realtime::Hooks counting(realtime::Hooks hooks, Connected& connected) {
  hooks.opened = [before = std::move(hooks.opened), &connected](const realtime::Identity& identity) {
    before(identity);
    if (!identity.user_id.empty()) connected.add(identity.app, identity.user_id);
  };
  hooks.closed = [before = std::move(hooks.closed), &connected](const realtime::Identity& identity) {
    before(identity);
    if (!identity.user_id.empty()) connected.remove(identity.app, identity.user_id);
  };
  return hooks;
}

}  // namespace chat::server
