#include "ops/benchmarks/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "ops/benchmarks/flags.h"

namespace chat::bench {

Nanos now() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * kSecond + at.tv_nsec;
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), scratch_(256 * 1024) {
  if (epoll_ < 0) throw Failure(std::string("epoll: ") + std::strerror(errno));
}

Loop::~Loop() { close(epoll_); }

void Loop::add(int fd, Watcher& watcher) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw Failure(std::string("epoll: ") + std::strerror(errno));
}

void Loop::run(const std::function<Nanos(Nanos)>& tick) {
  std::array<epoll_event, 256> events;
  for (;;) {
    const Nanos at = now();
    const Nanos wake = tick(at);
    if (wake == kStop) return;
    const Nanos pause = std::clamp<Nanos>(wake - at, 0, kSecond / 10);
    const timespec timeout{0, pause};
    const int ready = epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
    if (ready < 0 && errno != EINTR) throw Failure(std::string("epoll: ") + std::strerror(errno));
    for (int i = 0; i < ready; ++i)
      static_cast<Watcher*>(events[static_cast<std::size_t>(i)].data.ptr)
          ->on_ready(events[static_cast<std::size_t>(i)].events);
  }
}

}  // namespace chat::bench
