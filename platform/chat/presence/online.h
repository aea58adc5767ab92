#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/presence/held.h"
#include "platform/chat/presence/presence.h"
#include "platform/storage/pool.h"

namespace chat::presence {

/// The users who are connected to this node, and those who want to know. One a node.
///
/// Connecting writes nothing and asks nothing: the store is told, and a turn later whoever follows the user, on whatever node. A
/// user whose last device left is here for kGrace more, so that reconnecting does not flap, unless it has another one at another
/// node, which then counts alone; then its last_active_at is written, once. What a node that was killed held ends by its time, and is told then.
///
/// Event:   user.presence.changed to connections that follow the user, each once and only when it is news to them
/// Thread:  any; `turn` one at a time, on a worker of the pool.
/// Cost:    of users whom nobody follows: nothing in the database but the one write when they left, 100 users a statement. Of
///          others two statements for 100 users.
class Online {
 public:
  static constexpr std::chrono::milliseconds kTurn{250};
  static constexpr std::chrono::seconds kGrace{5};
  static constexpr std::size_t kSlice = 100;
  static constexpr std::size_t kMaxChanged = 100'000;           // waiting; beyond, the next change tells

  using Users = realtime::Gateway::TellUsers;
  struct Sockets {
    std::function<void(AppId, const std::string& user_id, Users)> ask_followers;
    std::function<void(std::shared_ptr<const realtime::PresenceNews>)> tell;
  };
  Online(ephemeral::Store& store, bus::Bus& bus, const Clock& clock, std::chrono::milliseconds ttl = kTtl)
      : store_(store), bus_(bus), clock_(clock), held_(store, kOnline, ttl) {}
  void connect(Sockets sockets) { sockets_ = std::move(sockets); }   // before the first turn

  // Quick: on the sockets' threads.
  void came(AppId app, const std::string& user_id);
  void went(AppId app, const std::string& user_id);
  void away(AppId app, const std::string& user_id, bool is_away);
  void look_again(AppId app, const std::string& user_id);

  /// Changes that others know of: another node's users, profiles, blocks.
  void on_control(const bus::Bus::Control& control);
  void on_events(bus::Bus::Events events);

  void turn(storage::Connection& connection);

 private:
  using Who = std::pair<AppId, std::string>;
  struct Here {
    int devices = 0, away = 0;
    Timestamp left_at{};                                        // when the last device went
    std::string_view said;                                      // as held in the store; empty: nothing
  };
  struct Leaver {
    Timestamp at;
    Who who;
  };
  using Slice = std::map<std::string, std::set<std::string>>;   // user to its followers here

  void settle(const Who& who, Here& here, std::string_view word);
  void take_leave(storage::Connection& connection);
  void take_lapsed();
  void ask();
  void announce(storage::Connection& connection, AppId app, const Slice& slice);

  ephemeral::Store& store_;
  bus::Bus& bus_;
  const Clock& clock_;
  Sockets sockets_;
  std::mutex mutex_;                                            // guards what follows
  Held held_;
  std::map<Who, Here> here_;
  std::deque<Leaver> leaving_;                                  // by time
  std::set<Who> said_;                                          // to be told to all nodes
  std::set<Who> changed_;                                       // somewhere; followers are to be asked for
  std::map<AppId, Slice> waiting_;                              // to be announced
};

}  // namespace chat::presence
