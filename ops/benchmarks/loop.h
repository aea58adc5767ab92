#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace chat::bench {

using Nanos = std::int64_t;                       // CLOCK_MONOTONIC

inline constexpr Nanos kSecond = 1'000'000'000;
inline constexpr Nanos kStop = -1;

Nanos now();

/// One thread's epoll: the generator must cost little, for it shares two cores with what it measures.
/// Thread:  one.
class Loop {
 public:
  struct Watcher {
    virtual ~Watcher() = default;
    virtual void on_ready(std::uint32_t events) = 0;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(int fd, Watcher& watcher);
  /// Asks `tick` once a turn: it returns when to wake at the latest, or kStop to end.
  void run(const std::function<Nanos(Nanos)>& tick);

  /// Where everybody reads to; valid until the next read.
  [[nodiscard]] std::vector<char>& scratch() { return scratch_; }

 private:
  int epoll_;
  std::vector<char> scratch_;
};

}  // namespace chat::bench
