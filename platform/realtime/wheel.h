#pragma once
#include <array>
#include <chrono>

#include "platform/realtime/session.h"

namespace chat::realtime {

/// One timer per session for tens of thousands of sessions: a ring of lists, a slot per tick. What is due later than the ring
/// is long waits in its last slot and is put in again.
/// Thread:  its shard's.
/// Cost:    setting and clearing are a few pointer writes.
class Wheel {
 public:
  using Steady = Session::Steady;
  static constexpr std::chrono::milliseconds kTick{50};

  explicit Wheel(Steady now) : turned_at_(now) {}

  void set(Session& session, Steady due) {
    clear(session);
    auto ticks = due <= turned_at_ ? 1 : (due - turned_at_) / kTick + 1;
    if (ticks >= kSlots) ticks = kSlots - 1;
    const int slot = static_cast<int>((at_ + ticks) % kSlots);
    session.timer = {nullptr, slots_[slot], slot};
    if (slots_[slot] != nullptr) slots_[slot]->timer.previous = &session;
    slots_[slot] = &session;
  }

  void clear(Session& session) {
    Timer& timer = session.timer;
    if (timer.slot < 0) return;
    if (timer.previous != nullptr) timer.previous->timer.next = timer.next;
    else slots_[timer.slot] = timer.next;
    if (timer.next != nullptr) timer.next->timer.previous = timer.previous;
    timer = {};
  }

  /// Calls `on_due(session)` for every session in the slots that passed; it must set the timer again or end the session.
  template <class OnDue>
  void turn(Steady now, OnDue on_due) {
    while (turned_at_ + kTick <= now) {
      turned_at_ += kTick;
      at_ = (at_ + 1) % kSlots;
      while (Session* session = slots_[at_]) {
        clear(*session);
        on_due(*session);
      }
    }
  }
  [[nodiscard]] Steady next_turn() const { return turned_at_ + kTick; }

 private:
  static constexpr int kSlots = 2048;    // 102 s
  std::array<Session*, kSlots> slots_{};
  int at_ = 0;
  Steady turned_at_;
};

}  // namespace chat::realtime
