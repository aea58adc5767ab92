#pragma once
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/storage/pool.h"

/// Tells connected users when what they have not read changed.
namespace chat::reads {

/// One for the sockets of one node. What happens meanwhile is told together: one event a turn and user, with the numbers as
/// they are by then, and none when they are what was told last. Under load the turns take more time between a user's
/// events; the last one always comes.
///
/// Event:   notification.unread_changed to the user's devices on this node
/// Thread:  any; `turn` one at a time, on a worker of the pool.
/// Cost:    nothing per member that is not connected here. Three statements for 100 users, in at most kBudget of a turn.
class UnreadAnnouncer {
 public:
  static constexpr std::chrono::milliseconds kTurn{500};
  static constexpr std::chrono::milliseconds kBudget{100};

  /// What it needs of the sockets. The first two call back on other threads, several times or never.
  using Users = std::function<void(std::vector<std::string>)>;
  struct Sockets {
    std::function<void(AppId, const std::string& cid, Users)> ask_members;
    std::function<void(AppId, const std::vector<std::string>& user_ids, Users)> ask_connected;
    std::function<void(bus::Event)> tell;
  };
  explicit UnreadAnnouncer(const Clock& clock) : clock_(clock) {}
  void connect(Sockets sockets) { sockets_ = std::move(sockets); }   // before the first turn

  /// Something numbered happened in a channel that somebody hears here; `left` are no longer in it.
  void channel_changed(AppId app, const std::string& cid, const std::vector<std::string>& left);
  void on_control(const bus::Bus::Control& control);
  /// A cleared history and a block change what its user has to read.
  void on_events(bus::Bus::Events events);
  /// A new connection asks for the numbers itself: what was told to an earlier one says nothing of what this one knows.
  void came(AppId app, const std::string& user_id);
  void turn(storage::Connection& connection);

 private:
  struct Changes {
    std::set<std::string> cids;
    bool more = false;                         // others changed, too
  };
  struct Application {
    std::set<std::string> channels;            // changed since the last turn
    std::map<std::string, Changes> users;      // likewise, by their own doing
    std::set<std::string> came;                // likewise: what they were told before is forgotten
    std::deque<std::string> queue;             // users to be told, in order
    std::unordered_map<std::string, Changes> waiting;   // what of, by user
  };
  using Slice = std::vector<std::pair<std::string, Changes>>;

  void ask();
  void enqueue(AppId app, const std::vector<std::string>& users, const Changes& changes);
  std::vector<AppId> waiting_applications();
  Slice take(AppId app);
  void give_back(AppId app, Slice slice);
  void announce(storage::Connection& connection, AppId app, const Slice& slice);
  void user_changed(AppId app, const std::string& user_id, const Changes& changes);
  bool is_news(AppId app, const std::string& user_id, const std::string& data);

  const Clock& clock_;
  Sockets sockets_;
  std::mutex mutex_;
  std::map<AppId, Application> applications_;
  AppId last_served_;
  std::unordered_map<std::string, std::size_t> told_;   // hash of what each user was told last; turn's own
};

}  // namespace chat::reads
