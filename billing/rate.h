#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "billing/limits.h"
#include "platform/base/clock.h"

namespace chat::billing {

/// What kind of call a route is, as `x-rate-class` in the contract says.
enum class RouteClass { read, write, send };

/// A token bucket: `per_minute` refilled evenly, at most `burst` at once.
class Bucket {
 public:
  struct Result {
    bool allowed = true;
    std::int64_t remaining = 0;              // whole requests left in the bucket
    std::int64_t wait_s = 0;                 // until one is there again; at least 1 when refused
  };
  Result take(const Limit& limit, Timestamp now);
  /// Other nodes took so many of this bucket: it has them to make up for, at most those of a minute.
  void owe(std::int64_t taken, Timestamp now);
  [[nodiscard]] bool full(Timestamp now) const { return now >= full_at_; }

 private:
  bool is_used_ = false;                     // never: full
  double tokens_ = 0;                        // below 0: others took more than there was
  double owed_ = 0;                          // not yet taken off
  Timestamp at_{};
  Timestamp full_at_{};
};

/// What was taken from buckets lately, by bucket. Shape: "count key", as it is told to other nodes.
struct Taken {
  std::string key;
  std::int64_t count = 0;
};

/// Buckets of many users. Shape: at most kMaxPerShard x 16; full buckets are forgotten first, then arbitrary ones.
/// Thread:  any.
class UserBuckets {
 public:
  Bucket::Result take(const std::string& key, const Limit& limit, Timestamp now);
  void owe(const std::string& key, std::int64_t taken, Timestamp now);
  /// From now on `take_taken` says what was taken since the last call.
  void remember_taken() { remembers_ = true; }
  std::vector<Taken> take_taken();

 private:
  static constexpr std::size_t kMaxPerShard = 20'000;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Bucket> buckets;
    std::unordered_map<std::string, std::int64_t> taken;
  };
  Bucket& bucket_of(Shard& shard, const std::string& key, Timestamp now);
  Shard& shard_of(const std::string& key) { return shards_[std::hash<std::string>{}(key) % shards_.size()]; }
  std::atomic<bool> remembers_{false};
  std::array<Shard, 16> shards_;
};

}  // namespace chat::billing
