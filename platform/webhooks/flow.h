#pragma once
#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "platform/base/clock.h"
#include "platform/base/id.h"

namespace chat::webhooks {

/// How many calls each endpoint and each application may have under way on this node. An endpoint gets few at first, more with success;
/// an application no more than half of what the others leave of kShared, and kMaxEachApp at most, so that however many are slow the next
/// one gets some, too: behind kShared are places for those that have fewer than kFirst. Of the bytes of bodies likewise. Pure.
/// Shape:   those with calls under way, and up to kMaxKnown other endpoints that had some.
class Flows {
 public:
  static constexpr std::size_t kMaxKnown = 10'000;
  static constexpr std::int64_t kFirst = 4, kMaxEachApp = 512, kShared = 1'536, kMaxInFlight = 2'048;
  static constexpr std::int64_t kMiB = 1024 * 1024;
  static constexpr std::int64_t kFirstBytes = kMiB, kMaxBytesEachApp = 32 * kMiB, kSharedBytes = 192 * kMiB, kMaxBytes = 256 * kMiB;   // of bodies

  struct Caps { std::int64_t in_flight = 32, per_second = 0; };

  void began(AppId app, const Uuid& endpoint, Caps caps, Timestamp now, std::int64_t bytes = 0) {
    auto& load = apps_[app];
    ++load.calls;
    ++calls_;
    load.bytes += bytes;
    bytes_ += bytes;
    Flow& flow = flows_[endpoint];
    flow.caps = caps;
    ++flow.in_flight;
    if (now - flow.second >= std::chrono::seconds(1)) {
      flow.second = now;
      flow.begun = 0;
    }
    ++flow.begun;
  }
  void ended(AppId app, const Uuid& endpoint, bool good, bool counts, std::int64_t bytes = 0) {
    --calls_;
    bytes_ -= bytes;
    auto& load = apps_[app];
    load.bytes -= bytes;
    if (--load.calls == 0) apps_.erase(app);
    Flow& flow = flows_[endpoint];
    --flow.in_flight;
    if (!counts) return;
    flow.window = good ? std::min(flow.window * 2, flow.caps.in_flight) : 1;
    if (flow.in_flight == 0 && flows_.size() > kMaxKnown) flows_.erase(endpoint);
  }
  /// How many more each may get. Who is not told of has no call under way: kFirst, and room_of_new.
  template <class Tell>
  void each_room(Timestamp now, Tell tell) const {
    for (const auto& [endpoint, flow] : flows_) {
      std::int64_t room = std::min(flow.window, flow.caps.in_flight) - flow.in_flight;
      if (flow.caps.per_second > 0 && now - flow.second < std::chrono::seconds(1)) room = std::min(room, flow.caps.per_second - flow.begun);
      else if (flow.caps.per_second > 0) room = std::min(room, flow.caps.per_second);
      tell(endpoint, std::max<std::int64_t>(room, 0));
    }
    for (const auto& [app, load] : apps_) {
      const bool is_heavy = load.bytes >= share(kSharedBytes, bytes_ - load.bytes, kFirstBytes, kMaxBytesEachApp);
      tell(app.uuid, is_heavy ? 0 : std::max<std::int64_t>(share(kShared, calls_ - load.calls, kFirst, kMaxEachApp) - load.calls, 0));
    }
  }
  [[nodiscard]] std::int64_t room_of_new() const { return share(kShared, calls_, kFirst, kMaxEachApp); }
  /// How many more may begin together before rooms are looked at again: half of what is free.
  [[nodiscard]] std::int64_t room() const { return bytes_ >= kMaxBytes ? 0 : std::max<std::int64_t>((kMaxInFlight - calls_ + 1) / 2, 0); }

 private:
  /// Of one application.
  static std::int64_t share(std::int64_t all, std::int64_t others, std::int64_t least, std::int64_t most) {
    return std::clamp((all - others) / 2, least, most);
  }

  struct Flow {
    Caps caps;
    std::int64_t window = kFirst, in_flight = 0, begun = 0;
    Timestamp second{};
  };
  std::unordered_map<Uuid, Flow> flows_;
  struct Load { std::int64_t calls = 0, bytes = 0; };   // under way
  std::unordered_map<AppId, Load> apps_;
  std::int64_t calls_ = 0, bytes_ = 0;
};

}  // namespace chat::webhooks
