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

/// What is over a month's included amount, served evenly: at most a minute's worth at once, or one. Starts full.
class Pace {
 public:
  struct Result {
    bool allowed = true;
    double wait_s = 0;                       // until it is allowed; infinite at a pace of nothing
  };
  /// `amount` at once. What is more than there ever is at once is let in when the bucket is full, and owed.
  Result take(double per_second, std::int64_t amount, Timestamp now);
  /// Is one there? Takes nothing.
  Result look(double per_second, Timestamp now);
  /// As much of it as is there.
  std::int64_t take_some(double per_second, std::int64_t wanted, Timestamp now);
  /// It was done already.
  void owe(std::int64_t amount) { tokens_ -= static_cast<double>(amount); }

 private:
  void fill(double per_second, Timestamp now);
  bool is_used_ = false;
  double tokens_ = 0, capacity_ = 0;
  Timestamp at_{};
};

/// A meter that is over what is included, and what of that its pace was told of.
struct Throttle {
  Pace pace;
  std::int64_t paced = -1;                   // of the month; -1: not met yet
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
