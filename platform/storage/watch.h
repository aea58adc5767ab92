#pragma once
#include <atomic>
#include <chrono>

namespace chat::storage {

/// Ends a wait that PostgreSQL's own deadlines can't end: a server that is frozen, or whose disk hangs, runs no timers,
/// and libpqxx waits without one. Shuts the socket down, so that the waiting call fails as a lost connection.
/// Private to this folder.
/// Thread:  one per watched session, plus one thread of the process that looks twice a second.
class Watch {
 public:
  /// `socket` is duplicated: shutting the copy down is safe whatever libpq does with its own.
  explicit Watch(int socket);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void begin(std::chrono::milliseconds limit);            // 0: no limit
  void end() { deadline_ = 0; }
  void cut_if_late(std::chrono::steady_clock::time_point now);

 private:
  int socket_;
  std::atomic<std::chrono::steady_clock::rep> deadline_{0};   // 0: nobody waits
};

}  // namespace chat::storage
