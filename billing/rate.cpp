#include "billing/rate.h"

#include <algorithm>
#include <cmath>

namespace chat::billing {

Bucket::Result Bucket::take(const Limit& limit, Timestamp now) {
  if (limit.hard == kUnlimited) return {true, kUnlimited, 0};
  const double per_second = static_cast<double>(limit.hard) / 60.0;
  const double capacity = static_cast<double>(limit.burst > 0 ? limit.burst : std::max<std::int64_t>(limit.hard / 6, 1));
  if (tokens_ < 0) {
    tokens_ = capacity;
  } else if (now > at_) {
    tokens_ = std::min(capacity, tokens_ + std::chrono::duration<double>(now - at_).count() * per_second);
  }
  at_ = std::max(at_, now);
  Result result;
  if (tokens_ >= 1) {
    tokens_ -= 1;
  } else {
    result.allowed = false;
    result.wait_s = per_second > 0 ? static_cast<std::int64_t>(std::ceil((1 - tokens_) / per_second)) : 60;
    result.wait_s = std::max<std::int64_t>(result.wait_s, 1);
  }
  result.remaining = static_cast<std::int64_t>(tokens_);
  if (per_second > 0)
    full_at_ = now + std::chrono::microseconds(static_cast<std::int64_t>((capacity - tokens_) / per_second * 1e6));
  return result;
}

Bucket::Result UserBuckets::take(const std::string& key, const Limit& limit, Timestamp now) {
  if (limit.hard == kUnlimited) return {true, kUnlimited, 0};
  auto& shard = shards_[std::hash<std::string>{}(key) % shards_.size()];
  std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= kMaxPerShard && !shard.buckets.contains(key)) {
    std::erase_if(shard.buckets, [&](const auto& entry) { return entry.second.full(now); });
    if (shard.buckets.size() >= kMaxPerShard) shard.buckets.erase(shard.buckets.begin());
  }
  return shard.buckets[key].take(limit, now);
}

}  // namespace chat::billing
