#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/realtime/catch_up.h"
#include "platform/realtime/frame.h"
#include "platform/realtime/gateway.h"
#include "platform/realtime/send_queue.h"

namespace chat::realtime {

struct Room;
struct Session;

/// Numbered frames of one channel that wait until the session has caught up with what came before them.
struct Hold {
  std::vector<std::pair<std::int64_t, LocalFrame>> frames;
  bool overflowed = false;             // some were dropped: the session must resync
  std::string epoch;                   // of the newest
  std::int64_t last_seq = 0;           // newest seen, kept or not
};

/// A session listening to a channel.
struct Subscription {
  Session* session = nullptr;
  Room* room = nullptr;
  std::uint32_t place = 0;             // in the room's list
  bool member = false;
  bool watching = false;               // asked for by `watch`
  bool resumed = false;                // the database said at a resume that the session may hear it
  bool deciding = false;               // the database is being asked whether the session may hear it
  std::int64_t through = 0;            // numbered frames up to here were sent another way
  std::unique_ptr<Hold> hold;
};

/// A user whose presence a session hears of.
struct Follow {
  static constexpr std::uint8_t kNothing = 0xff;   // the answer is on its way
  static constexpr std::uint8_t kChanged = 0xfe;   // and there was news meanwhile
  std::string key;                                 // scoped(app, user id)
  std::uint8_t told = kNothing;                    // else a Status
};

/// Place in the shard's timer wheel.
struct Timer {
  Session* previous = nullptr;
  Session* next = nullptr;
  int slot = -1;                       // -1: none
};

/// One WebSocket. Idle it has no buffers at all.
/// Thread:  its shard's.
struct Session {
  using Steady = std::chrono::steady_clock::time_point;
  enum class State : std::uint8_t { greeting, ready, closing };   // greeting: not yet authenticated

  explicit Session(std::size_t max_frame_bytes) : reader(max_frame_bytes) {}

  std::uint64_t number = 0;            // unique in its shard: answers of the pool find back by it
  int socket = -1;
  State state = State::greeting;
  bool will_resume = false;            // numbered frames are held until the first `resume`
  bool counted = false;                // hooks.opened was called: hooks.closed must be
  bool doomed = false;                 // in the shard's list of sessions to close
  bool dirty = false;                  // in the shard's list of sockets to flush
  bool wants_write = false;            // the socket takes no more for now
  bool wants_read = true;              // off while too much is unread on the other side
  bool expiry_told = false;
  bool away = false;                   // as the client said
  bool asking = false;                 // a command waits for the database; later ones wait in `deferred`

  FrameReader reader;
  SendQueue queue;

  Identity identity;
  std::string remote;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  std::vector<Follow> follows;         // sorted by key
  std::uint32_t app_place = 0;         // in the hub's lists
  std::uint32_t server_place = 0;
  std::uint32_t watched = 0;
  std::size_t held_bytes = 0;

  std::unique_ptr<CatchUp> catch_up;   // a running resume or watch
  std::vector<std::string> deferred;   // commands, as text

  Timer timer;
  Steady heard_at{};
  Steady next_ping{};
  Steady deadline = Steady::max();     // greeting: first frame; will_resume: the command; closing: the end
  Steady expires = Steady::max();      // the token
  Steady leave_at = Steady::max();     // draining
  Steady progressed_at{};              // last time the socket took something; only while wants_write
  Steady refilled_at{};
  int allowance = 0;                   // commands left; refilled with time

  [[nodiscard]] bool is_server() const { return identity.user_id.empty(); }
};

}  // namespace chat::realtime
