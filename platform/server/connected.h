#pragma once
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/ephemeral/store.h"
#include "platform/realtime/gateway.h"

namespace chat::server {

/// Who has a socket, on this node or another: each node holds its own in the ephemeral store.
/// Thread:  any.
class Connected {
 public:
  static constexpr ephemeral::Space kConnected{"connected"};           // name: user id
  static constexpr std::chrono::seconds kLife{60}, kRenewed{20};

  explicit Connected(ephemeral::Store& store) : store_(store) {}
  void add(AppId app, const std::string& user_id);
  void remove(AppId app, const std::string& user_id);
  /// Holds again what is still true; every kRenewed.
  void renew();
  /// Those of the users who are connected. May wait for the store.
  [[nodiscard]] std::vector<std::string> among(AppId app, const std::vector<std::string>& user_ids) const;

 private:
  ephemeral::Store& store_;
  mutable std::mutex mutex_;
  std::unordered_map<AppId, std::unordered_map<std::string, int>> counts_;   // sockets here
};

/// The same hooks, which also tell `connected`.
realtime::Hooks counting(realtime::Hooks hooks, Connected& connected);

}  // namespace chat::server
