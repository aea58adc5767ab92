#pragma once
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/realtime/delivery.h"
#include "platform/realtime/session.h"

namespace chat::realtime {

/// The sessions of one shard that listen to one channel. Exists while there is one.
struct Room {
  std::string key;                                     // scoped(app, cid)
  std::vector<Subscription*> listeners;
};

/// The same frame for a server connection: with "app" behind "type", as bus::render does it.
Bytes with_app(const Bytes& frame, const AppId& app);

/// Who hears what on one shard.
///
/// A user's session has a Subscription in the room of each hot channel of the user and of each channel it watches.
/// A server connection hears its whole application without one; it gets one only while it resumes a channel.
///
/// Thread:  its shard's.
/// Cost:    a delivery touches each listener once and allocates once, whatever their number.
class Hub {
 public:
  /// Puts a frame on the session's queue. May decide to close the session, later.
  using Send = std::function<void(Session&, const LocalFrame&, Kind)>;
  struct Copies {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
  };

  /// A session begins (true) or ends to watch a channel, always in pairs.
  using OnWatch = std::function<void(const Session&, const std::string& key, bool)>;

  Hub(Send send, std::size_t max_held_bytes) : send_(std::move(send)), max_held_bytes_(max_held_bytes) {}
  void on_watch(OnWatch on_watch) { on_watch_ = std::move(on_watch); }

  void add(Session& session);                          // authenticated
  void remove(Session& session);

  /// Finds or makes. Errors: none; the caller sets member, watching, hold.
  Subscription& subscribe(Session& session, const std::string& key);
  void unsubscribe(Subscription& subscription);
  /// Unless something still speaks for it: membership, a watch, a question to the database.
  void drop_if_idle(Subscription& subscription);
  [[nodiscard]] Subscription* find(const Session& session, const std::string& key) const;
  void set_watching(Subscription& subscription, bool watching);

  // hub_follows.cpp: presence of users
  /// Instead of those whom the session followed before. `user_ids` sorted, each once. Nothing is told before note_told.
  void follow(Session& session, const std::vector<std::string>& user_ids);
  /// What the session is being told now. Returns the users of whom there was news meanwhile.
  std::vector<std::string> note_told(Session& session, const std::vector<std::pair<std::string, Status>>& users);
  Copies tell_followers(const PresenceNews& news);
  [[nodiscard]] std::vector<std::string> followers(const std::string& user_key) const;   // once per session

  Copies deliver(const Delivery& delivery);
  Copies deliver_to_user(AppId app, const std::string& user_id, const Bytes& frame);
  Copies deliver_to_servers(AppId app, const Bytes& frame);
  void assemble(const Roster& roster);
  void resync(const Resync& resync);
  void forget(const std::string& key);
  /// Of those who are not members; what they asked the database meanwhile counts no more.
  void end_watches(const std::string& key, const std::string& cid);

  /// Holds back the numbered frames of this subscription from now on.
  void hold(Subscription& subscription);
  /// Sends what was held above `through` and lets the rest flow. False: some were lost, or there is a hole between
  /// `through` and the first one: the session must resync (to `through` or hold.last_seq, whichever is larger).
  [[nodiscard]] bool release(Subscription& subscription, std::int64_t through);
  /// As release, from the first one held: nothing was sent another way.
  [[nodiscard]] bool release_all(Subscription& subscription);
  void drop_hold(Subscription& subscription);

  /// Users who hear the channel as members, not as watchers; once per session.
  [[nodiscard]] std::vector<std::string> members_hearing(const std::string& key) const;
  [[nodiscard]] std::vector<Session*> sessions_of(AppId app) const;
  [[nodiscard]] const std::vector<Session*>& sessions_of_user(AppId app, const std::string& user_id) const;

 private:
  struct Application {
    std::vector<Session*> sessions;
    std::vector<Session*> servers;
  };
  void offer(Subscription& subscription, const Delivery& delivery, const LocalFrame& frame, Copies& copies);
  void keep(Subscription& subscription, const Delivery& delivery, const LocalFrame& frame);
  void offer_to_servers(const Delivery& delivery, Copies& copies);
  void offer_directly(const Delivery& delivery, const std::vector<std::string>& users, const LocalFrame& frame, Copies& copies);
  void end_membership(const Delivery& delivery);
  void join(AppId app, const std::string& key, const std::string& user_id);
  void tell_resync(Subscription& subscription, const Resync& resync, const LocalFrame& frame);
  void unfollow(Session& session, const std::string& user_key);

  const Send send_;
  OnWatch on_watch_;
  const std::size_t max_held_bytes_;
  std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;
  std::unordered_map<std::string, std::vector<Session*>> users_;      // by scoped(app, user id)
  std::unordered_map<std::string, std::vector<Session*>> followers_;  // likewise
  std::unordered_map<AppId, Application> applications_;
};

}  // namespace chat::realtime
