#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "platform/bus/wire.h"

namespace chat::redis {

/// The numbered events that this node told lately, to be told again to who has missed them. Pure.
/// Thread:  one at a time.
class Recent {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  struct Bounds {
    std::size_t max_bytes = 16 * 1024 * 1024;
    std::chrono::milliseconds max_age{300'000};
  };
  explicit Recent(Bounds bounds) : bounds_(bounds) {}
  Recent() : Recent(Bounds()) {}

  void add(bus::Bus::Events events, Steady now) {
    for (const auto& event : events) {
      if (event->seq == 0) continue;               // ephemeral: told once
      events_.push_back({now, event});
      bytes_ += size_of(*event);
    }
    while (!events_.empty() && (bytes_ > bounds_.max_bytes || now - events_.front().at > bounds_.max_age)) {
      bytes_ -= size_of(*events_.front().event);
      forgotten_ = events_.front().at;
      events_.pop_front();
    }
  }

  /// In their order. Nothing: some of them are forgotten.
  [[nodiscard]] std::optional<bus::SharedEvents> since(Steady from) const {
    if (forgotten_ && *forgotten_ >= from) return std::nullopt;
    bus::SharedEvents found;
    for (auto place = events_.rbegin(); place != events_.rend() && place->at >= from; ++place) found.push_back(place->event);
    return bus::SharedEvents(found.rbegin(), found.rend());
  }

 private:
  struct Told {
    Steady at;
    std::shared_ptr<const bus::Event> event;
  };
  static std::size_t size_of(const bus::Event& event) { return 400 + event.data.size(); }

  Bounds bounds_;
  std::deque<Told> events_;
  std::size_t bytes_ = 0;
  std::optional<Steady> forgotten_;                // when the last forgotten one was told
};

}  // namespace chat::redis
