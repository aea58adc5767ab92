#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "platform/realtime/delivery.h"

namespace chat::realtime {

/// What other threads leave for a shard: deliveries, and things to do. In order, emptied as a whole.
///
/// Bounded: a shard that cannot keep up with its deliveries drops further ones, and remembers per channel that it did; its
/// listeners are then told to resync. What changes who hears what is never dropped.
/// Thread:  any.
class Mailbox {
 public:
  using Task = std::function<void()>;
  using Letter = std::variant<std::shared_ptr<const Delivery>, Task>;
  struct Contents {
    std::vector<Letter> letters;
    std::vector<Resync> lost;          // to be told after the letters
  };

  explicit Mailbox(std::size_t max_deliveries) : max_deliveries_(max_deliveries) {}

  /// True: the shard may be asleep, wake it.
  [[nodiscard]] bool post(Task task) {
    const std::lock_guard lock(mutex_);
    letters_.emplace_back(std::move(task));
    return letters_.size() == 1;
  }
  [[nodiscard]] bool post(std::shared_ptr<const Delivery> delivery) {
    const std::lock_guard lock(mutex_);
    const bool names = !delivery->joined.empty() || !delivery->left.empty();
    if (letters_.size() >= max_deliveries_ && !names) {
      if (delivery->seq != 0) lost_[delivery->key] = {delivery->key, delivery->cid, "gap", delivery->epoch, delivery->seq};
      return false;
    }
    letters_.emplace_back(std::move(delivery));
    return letters_.size() == 1;
  }

  /// `out` gives its capacity back.
  void take(Contents& out) {
    out.letters.clear();
    out.lost.clear();
    const std::lock_guard lock(mutex_);
    out.letters.swap(letters_);
    for (auto& [key, resync] : lost_) out.lost.push_back(std::move(resync));
    lost_.clear();
  }

 private:
  const std::size_t max_deliveries_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
  std::unordered_map<std::string, Resync> lost_;
};

}  // namespace chat::realtime
