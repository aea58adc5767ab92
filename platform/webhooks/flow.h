#pragma once
#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "platform/base/clock.h"
#include "platform/base/id.h"

namespace chat::webhooks {

/// How many calls each endpoint and each application may have under way on this node. An endpoint gets few at first, more with success;
/// an application never more than kMaxEachApp, nor begins one while kMaxBytesEachApp are under way, so that no customer's many endpoints
/// leave the others nothing. Pure.
/// Shape:   those with calls under way, and up to kMaxKnown other endpoints that had some.
class Flows {
 public:
  static constexpr std::size_t kMaxKnown = 10'000;
  static constexpr std::int64_t kFirst = 4, kMaxEachApp = 512, kMaxInFlight = 2'048;
  static constexpr std::int64_t kMaxBytesEachApp = 32 * 1024 * 1024, kMaxBytes = 256 * 1024 * 1024;   // of bodies

  struct Caps { std::int64_t in_flight = 32, per_second = 0; };

  void began(AppId app, const Uuid& endpoint, Caps caps, Timestamp now, std::int64_t bytes = 0) {
    auto& load = apps_[app];
    ++load.calls;
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
  /// How many more each may get. Who is not told of has no call under way: kFirst, and kMaxEachApp.
  template <class Tell>
  void each_room(Timestamp now, Tell tell) const {
    for (const auto& [endpoint, flow] : flows_) {
      std::int64_t room = std::min(flow.window, flow.caps.in_flight) - flow.in_flight;
      if (flow.caps.per_second > 0 && now - flow.second < std::chrono::seconds(1)) room = std::min(room, flow.caps.per_second - flow.begun);
      else if (flow.caps.per_second > 0) room = std::min(room, flow.caps.per_second);
      tell(endpoint, std::max<std::int64_t>(room, 0));
    }
    for (const auto& [app, load] : apps_)
      tell(app.uuid, load.bytes >= kMaxBytesEachApp ? 0 : std::max<std::int64_t>(kMaxEachApp - load.calls, 0));
  }
  [[nodiscard]] bool is_full() const { return bytes_ >= kMaxBytes; }

 private:
  struct Flow {
    Caps caps;
    std::int64_t window = kFirst, in_flight = 0, begun = 0;
    Timestamp second{};
  };
  std::unordered_map<Uuid, Flow> flows_;
  struct Load { std::int64_t calls = 0, bytes = 0; };   // under way
  std::unordered_map<AppId, Load> apps_;
  std::int64_t bytes_ = 0;
};

}  // namespace chat::webhooks
