#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/storage/pool.h"
#include "tenants/application.h"

namespace chat::tenants {

/// The applications this node knows, in memory, so that authenticating a request asks no database.
///
/// Shape:   at most `capacity` applications; beyond, an arbitrary one is forgotten (it is loaded again when needed).
/// Thread:  any. A reader holds one snapshot for the whole request.
/// Fresh:   changes made through any node's API arrive as the bus word "application.changed" and drop the snapshot;
///          besides, one caller a minute per application is sent to the database to look again; and all of them when the bus
///          says that a word may have been lost.
class Directory {
 public:
  Directory(const crypto::Sealer& sealer, const Clock& clock, std::size_t capacity = 50'000);

  /// From memory; null: not known here, or due to be looked at again (then the caller must `load`).
  std::shared_ptr<const Application> find(AppId app);
  /// From PostgreSQL. Null: no such application.
  std::shared_ptr<const Application> load(storage::Connection& connection, AppId app);
  /// A secret that tokens were accepted for. Whoever wrote it down says so by noted().
  struct Used {
    AppId app;
    SecretId secret;
    Timestamp at;
    std::shared_ptr<SecretUse> use;

    void noted() const { use->noted_ms.store(std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count(), std::memory_order_relaxed); }
  };
  /// Some of those that were not noted yet, each at most once in `throttle`, those of one application together. What is known of uses
  /// outlives the snapshots: an application that is forgotten loses none.
  std::vector<Used> used_secrets(std::chrono::milliseconds throttle, std::size_t limit);
  /// What is in memory, however old; null: nothing. Never sends anybody to the database.
  std::shared_ptr<const Application> peek(AppId app) const;
  void forget(AppId app);
  void forget_all();

 private:
  struct Entry {
    std::shared_ptr<const Application> application;
    bool refreshing = false;
  };
  const crypto::Sealer& sealer_;
  const Clock& clock_;
  std::size_t capacity_;
  void share_uses(Application& application);
  mutable std::mutex mutex_;
  std::unordered_map<AppId, Entry> entries_;
  std::mutex uses_mutex_;                      // never with the other one: whoever calls waits for no walk over the uses
  std::unordered_map<AppId, std::unordered_map<SecretId, std::shared_ptr<SecretUse>>> uses_;   // of 2 * capacity applications at most
  std::uint64_t forgotten_ = 0;               // how often anything was: a load that saw it change keeps nothing
};

/// Reads the whole snapshot in the given transaction (which must act for `app`).
std::shared_ptr<Application> read_application(storage::Transaction& tx, AppId app, const crypto::Sealer& sealer, Timestamp now);

ApplicationSettings parse_settings(const std::string& json);

/// Tells every node, after the commit, to look again.
void announce_change(storage::Transaction& tx, bus::Bus& bus, AppId app, std::string detail = "");

}  // namespace chat::tenants
