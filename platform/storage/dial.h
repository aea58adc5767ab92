#pragma once
#include <chrono>
#include <string>

#include "platform/storage/pool.h"

/// How a session is opened; the same for libpqxx and the pipeline. Private to this folder.
namespace chat::storage {

/// The DSN with the deadlines, TCP keepalives and session settings that every session of the product has.
/// The DSN's own keywords go before ours; its `options` may add settings, but not change those that the product relies on.
/// Shape:   libpq keywords, values quoted.
/// Errors:  internal when the DSN can't be read.
std::string conninfo(const DatabaseOptions& options);

/// Keeps a task from waiting for a database that was away a moment ago.
/// After a failed connect no attempt is made for kPause: the task fails at once.
/// Thread:  one at a time.
class Breaker {
 public:
  static constexpr std::chrono::milliseconds kPause{200};
  /// Errors:  unavailable within kPause after `failed`.
  void check() const;
  void failed() { until_ = std::chrono::steady_clock::now() + kPause; }

 private:
  std::chrono::steady_clock::time_point until_{};
};

}  // namespace chat::storage
