#include "billing/rate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace chat::billing {
namespace {

constexpr std::chrono::seconds kForgottenAfter{60};   // a bucket that only other nodes took from

}  // namespace

Bucket::Result Bucket::take(const Limit& limit, Timestamp now) {
  if (limit.hard == kUnlimited) return {true, kUnlimited, 0};
  const double per_second = static_cast<double>(limit.hard) / 60.0;
  const double capacity = limit.hard == 0 ? 0 : static_cast<double>(limit.burst > 0 ? limit.burst : std::max<std::int64_t>(limit.hard / 6, 1));
  if (!std::exchange(is_used_, true)) {
    tokens_ = capacity;
  } else if (now > at_) {
    tokens_ = std::min(capacity, tokens_ + std::chrono::duration<double>(now - at_).count() * per_second);
  }
  at_ = std::max(at_, now);
  tokens_ = std::max(tokens_ - std::exchange(owed_, 0), -static_cast<double>(limit.hard));
  Result result;
  if (tokens_ >= 1) {
    tokens_ -= 1;
  } else {
    result.allowed = false;
    result.wait_s = per_second > 0 ? static_cast<std::int64_t>(std::ceil((1 - tokens_) / per_second)) : 60;
    result.wait_s = std::max<std::int64_t>(result.wait_s, 1);
  }
  result.remaining = std::max<std::int64_t>(static_cast<std::int64_t>(tokens_), 0);
  if (per_second > 0)
    full_at_ = now + std::chrono::microseconds(static_cast<std::int64_t>((capacity - tokens_) / per_second * 1e6));
  return result;
}

void Bucket::owe(std::int64_t taken, Timestamp now) {
  owed_ += static_cast<double>(taken);
  full_at_ = std::max(full_at_, now + kForgottenAfter);
}

void Pace::fill(double per_second, Timestamp now) {
  capacity_ = per_second > 0 ? std::max(per_second * 60, 1.0) : 0;
  if (!std::exchange(is_used_, true)) tokens_ += capacity_;
  else if (now > at_) tokens_ += std::chrono::duration<double>(now - at_).count() * per_second;
  tokens_ = std::min(tokens_, capacity_);
  at_ = std::max(at_, now);
}

Pace::Result Pace::take(double per_second, std::int64_t amount, Timestamp now) {
  fill(per_second, now);
  const auto needed = std::min(std::max(static_cast<double>(amount), 1.0), std::max(capacity_, 1.0));
  if (tokens_ + 1e-6 < needed) return {false, (needed - tokens_) / per_second};
  tokens_ -= static_cast<double>(amount);
  return {};
}

Pace::Result Pace::look(double per_second, Timestamp now) {
  fill(per_second, now);
  if (tokens_ + 1e-6 >= 1) return {};
  return {false, (1 - tokens_) / per_second};
}

std::int64_t Pace::take_some(double per_second, std::int64_t wanted, Timestamp now) {
  fill(per_second, now);
  const auto given = std::min(wanted, static_cast<std::int64_t>(std::max(tokens_ + 1e-6, 0.0)));
  tokens_ -= static_cast<double>(given);
  return given;
}

Bucket& UserBuckets::bucket_of(Shard& shard, const std::string& key, Timestamp now) {
  if (shard.buckets.size() >= kMaxPerShard && !shard.buckets.contains(key)) {
    std::erase_if(shard.buckets, [&](const auto& entry) { return entry.second.full(now); });
    if (shard.buckets.size() >= kMaxPerShard) shard.buckets.erase(shard.buckets.begin());
  }
  return shard.buckets[key];
}

Bucket::Result UserBuckets::take(const std::string& key, const Limit& limit, Timestamp now) {
  if (limit.hard == kUnlimited) return {true, kUnlimited, 0};
  auto& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  const auto result = bucket_of(shard, key, now).take(limit, now);
  if (result.allowed && remembers_ && (shard.taken.size() < kMaxPerShard || shard.taken.contains(key))) ++shard.taken[key];
  return result;
}

void UserBuckets::owe(const std::string& key, std::int64_t taken, Timestamp now) {
  auto& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  bucket_of(shard, key, now).owe(taken, now);
}

std::vector<Taken> UserBuckets::take_taken() {
  std::vector<Taken> all;
  for (auto& shard : shards_) {
    std::unordered_map<std::string, std::int64_t> taken;
    {
      std::lock_guard lock(shard.mutex);
      taken.swap(shard.taken);
    }
    for (auto& [key, count] : taken) all.push_back({key, count});
  }
  return all;
}

}  // namespace chat::billing
