#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "platform/realtime/frame.h"

namespace chat::realtime {

/// Puts a channel's numbered events back into order. Two threads commit 5 and 6 in that order, but may publish 6 first;
/// a bus that loses events leaves a hole. Pure.
///
///   first_ … next_-1   told, each once          twin when it comes again
///   below first_       never seen here          late: the caller tells the sessions to resync
///   next_              ready, with what was held behind it
///   above next_        held until the hole is filled or skipped
template <class Item>
class Sequencer {
 public:
  enum class Arrival { ready, held, twin, late, full };

  explicit Sequencer(std::size_t max_held) : max_held_(max_held) {}

  /// Everything below `next` is unknown here.
  void start(std::int64_t next) { first_ = next_ = next; held_.clear(); }

  /// Puts what may be told now behind `ready`, in order. `full`: the item is not kept; the caller gives up on the hole.
  Arrival offer(std::int64_t seq, Item item, std::vector<std::pair<std::int64_t, Item>>& ready) {
    if (seq < next_) return seq >= first_ ? Arrival::twin : Arrival::late;
    if (seq > next_) {
      if (held_.size() >= max_held_ && !held_.contains(seq)) return Arrival::full;
      return held_.try_emplace(seq, std::move(item)).second ? Arrival::held : Arrival::twin;
    }
    ready.emplace_back(next_++, std::move(item));
    while (!held_.empty() && held_.begin()->first == next_) {
      ready.emplace_back(next_++, std::move(held_.begin()->second));
      held_.erase(held_.begin());
    }
    return Arrival::ready;
  }

  /// The sessions were told to resync: whatever is below counts as told.
  void cover_past() { first_ = 0; }

  [[nodiscard]] bool has_hole() const { return !held_.empty(); }
  [[nodiscard]] std::int64_t hole_end() const { return held_.begin()->first - 1; }   // last missing one; only with has_hole
  [[nodiscard]] std::int64_t next() const { return next_; }
  [[nodiscard]] std::int64_t first() const { return first_; }
  std::map<std::int64_t, Item> take_held() { return std::exchange(held_, {}); }

 private:
  std::size_t max_held_;
  std::int64_t first_ = 0;
  std::int64_t next_ = 0;
  std::map<std::int64_t, Item> held_;
};

/// The newest frames of a channel, contiguous, bounded in bytes: resumes after a short outage are served from here.
class Ring {
 public:
  /// `seq` must follow the newest one, or the ring must be empty.
  /// Returns by how many bytes the ring grew (negative: shrank).
  std::int64_t push(std::int64_t seq, Bytes frame, std::size_t max_bytes) {
    const auto before = static_cast<std::int64_t>(bytes_);
    bytes_ += frame->size();
    frames_.push_back(std::move(frame));
    last_ = seq;
    while (bytes_ > max_bytes && !frames_.empty()) {
      bytes_ -= frames_.front()->size();
      frames_.pop_front();
    }
    return static_cast<std::int64_t>(bytes_) - before;
  }

  /// Whether every event with from < seq <= last is here.
  [[nodiscard]] bool covers(std::int64_t from) const {
    return from <= last_ && last_ - from <= static_cast<std::int64_t>(frames_.size());
  }
  [[nodiscard]] std::vector<Bytes> since(std::int64_t from) const {   // only when covers(from)
    return {frames_.end() - (last_ - from), frames_.end()};
  }
  /// Nothing up to `last` is here.
  void clear(std::int64_t last) {
    frames_.clear();
    frames_.shrink_to_fit();
    bytes_ = 0;
    last_ = last;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::deque<Bytes> frames_;
  std::int64_t last_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace chat::realtime
