#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/presence/held.h"
#include "platform/chat/presence/presence.h"
#include "platform/storage/pool.h"

namespace chat::presence {

/// The users who have channels in front of them on this node. One a node.
///
/// Watching writes nothing and asks nothing. A turn later the channel hears who came and who went; whoever did both meanwhile
/// is not mentioned. Where more than kMaxTold came and went in a turn, and in large channels at most every kQuiet, the channel hears
/// the number alone.
///
/// Event:   user.watching.start, user.watching.stop, watchers.updated to the channel; the first two not to the user itself, nor to
///          whom a block stands between, and not of invisible users
/// Thread:  any; `turn` one at a time, on a worker of the pool.
/// Cost:    four statements at most for kSlice channels with changes.
class Watchers {
 public:
  static constexpr std::chrono::milliseconds kTurn{500};
  static constexpr std::chrono::seconds kQuiet{5};
  static constexpr std::size_t kMaxTold = 20, kSlice = 100;

  Watchers(ephemeral::Store& store, bus::Bus& bus, const Clock& clock, std::chrono::milliseconds ttl = kTtl)
      : store_(store), bus_(bus), clock_(clock), held_(store, kWatchers, ttl) {}

  /// A connection begins or ends to watch. Quick: on the sockets' threads.
  void watches(AppId app, const std::string& user_id, const std::string& cid, bool begins);
  /// Whoever became invisible is watching no longer, for others.
  void on_events(bus::Bus::Events events);
  void turn(storage::Connection& connection);

 private:
  struct Place {
    AppId app;
    std::string cid;
    auto operator<=>(const Place&) const = default;
  };
  struct Watcher {
    int sockets = 0;
    bool told = false, hidden = false;
  };
  struct Watched {
    std::unordered_map<std::string, Watcher> users;
    bool large = false;                        // when last looked up
    std::int64_t counted = 0;                  // as told last
    Timestamp counted_at{};
  };
  using Changes = std::map<std::string, std::set<std::string>>;   // cid to users
  struct Channel {
    ChannelId id;
    bool large = false;
  };
  struct User {
    bool invisible = false;
    std::vector<std::string> apart;            // a block stands between
  };
  struct Found {
    std::map<std::string, Channel> channels;   // by cid
    std::map<std::string, User> users;         // of channels that are not large
    std::set<std::string> invisible;           // of large ones
  };
  enum class Turned { nothing, starts, stops };

  void take_lapsed();
  std::map<AppId, Changes> take(Timestamp now);
  void give_back(AppId app, const Changes& changes);
  static void find_users(storage::Transaction& tx, const Changes& changes, Found& found);
  bool rests(const Place& place, const Channel& channel, Timestamp now);
  Found look_up(storage::Connection& connection, AppId app, const Changes& changes);
  void tell(AppId app, const Changes& changes, const Found& found, Timestamp now);
  Turned settle(const Place& place, const std::string& user_id, bool invisible, Timestamp now);
  void tell_each(const Place& place, const Channel& channel, const std::set<std::string>& users, const Found& found, Timestamp now);
  void tell_number(const Place& place, const Channel& channel, const std::set<std::string>& users, const Found& found, Timestamp now);

  ephemeral::Store& store_;
  bus::Bus& bus_;
  const Clock& clock_;
  std::mutex mutex_;                           // guards what follows
  Held held_;
  std::map<Place, Watched> places_;
  std::map<Place, std::set<std::string>> changed_;
  std::set<std::pair<AppId, std::string>> updated_;   // users whose profile changed
};

}  // namespace chat::presence
