#pragma once
#include <deque>
#include <map>
#include <string>

#include "platform/ephemeral/store.h"

namespace chat::presence {

/// What this node holds in one space of the store and holds again, in time, for as long as it is true.
/// Thread:  one at a time.
class Held {
 public:
  /// `life`: a killed node's holds end within it; others are renewed three times in it.
  Held(ephemeral::Store& store, ephemeral::Space space, std::chrono::milliseconds life) : store_(store), space_(space), life_(life) {}

  void hold(AppId app, const std::string& name, const std::string& member, Timestamp now) {
    const Place place{app, name, member};
    if (!places_.emplace(place, ++generation_).second) return;
    store_.hold({app, space_, name}, member, {}, life_);
    due_.push_back({now + life_ / 3, generation_, place});
  }
  void release(AppId app, const std::string& name, const std::string& member) {
    if (places_.erase({app, name, member}) > 0) store_.release({app, space_, name}, member);
  }
  void renew(Timestamp now) {
    while (!due_.empty() && due_.front().at <= now) {
      auto due = std::move(due_.front());
      due_.pop_front();
      const auto place = places_.find(due.place);
      if (place == places_.end() || place->second != due.generation) continue;   // released, perhaps held anew
      store_.hold({due.place.app, space_, due.place.name}, due.place.member, {}, life_);
      due.at = now + life_ / 3;
      due_.push_back(std::move(due));
    }
  }
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  struct Place {
    AppId app;
    std::string name, member;
    auto operator<=>(const Place&) const = default;
  };
  struct Due {
    Timestamp at;
    std::uint64_t generation;
    Place place;
  };
  ephemeral::Store& store_;
  const ephemeral::Space space_;
  const std::chrono::milliseconds life_;
  std::uint64_t generation_ = 0;
  std::map<Place, std::uint64_t> places_;
  std::deque<Due> due_;
};

}  // namespace chat::presence
