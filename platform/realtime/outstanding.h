#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace chat::realtime {

/// Counts who is still inside, on other threads, so that the gateway is not taken away under them.
/// Thread:  any.
class Outstanding {
 public:
  /// Being inside; leaves when destroyed.
  using Visit = std::shared_ptr<void>;

  /// Null: closed, stay out.
  [[nodiscard]] Visit enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return nullptr;
    ++inside_;
    return Visit(this, [](void* self) { static_cast<Outstanding*>(self)->leave(); });
  }

  /// Nobody new; returns when the last one has left. Everybody inside has a deadline of its own (statement timeouts).
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable empty_;
  std::int64_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace chat::realtime
