#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "billing/limits.h"
#include "platform/base/clock.h"

namespace chat::billing {

/// A token bucket: `per_minute` refilled evenly, at most `burst` at once.
class Bucket {
 public:
  struct Result {
    bool allowed = true;
    std::int64_t remaining = 0;              // whole requests left in the bucket
    std::int64_t wait_s = 0;                 // until one is there again; at least 1 when refused
  };
  Result take(const Limit& limit, Timestamp now);
  [[nodiscard]] bool full(Timestamp now) const { return now >= full_at_; }

 private:
  double tokens_ = -1;                       // -1: never used, full
  Timestamp at_{};
  Timestamp full_at_{};
};

/// Buckets of many users. Shape: at most kMaxPerShard x 16; full buckets are forgotten first, then arbitrary ones.
/// Thread:  any.
class UserBuckets {
 public:
  Bucket::Result take(const std::string& key, const Limit& limit, Timestamp now);

 private:
  static constexpr std::size_t kMaxPerShard = 20'000;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Bucket> buckets;
  };
  std::array<Shard, 16> shards_;
};

}  // namespace chat::billing
