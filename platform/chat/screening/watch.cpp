#include "platform/chat/screening/watch.h"

#include <algorithm>

#include "platform/base/metrics.h"

namespace chat::screening {
namespace {

bool is_windowed(const Rule& rule) { return rule.counts() && rule.kind != Kind::repeats; }

}  // namespace

void Watch::Window::roll(std::chrono::seconds length, Timestamp now) {
  const auto passed = begins == Timestamp{} ? 2 : (now - begins) / length;
  if (passed < 1) return;
  before = passed == 1 ? current : 0;
  current = 0;
  begins = passed == 1 ? begins + length : now;
}

/// Of the window before, the part that the last `length` still covers.
std::int64_t Watch::Window::sum(std::chrono::seconds length, Timestamp now) const {
  const double left = 1.0 - std::chrono::duration<double>(now - begins) / std::chrono::duration<double>(length);
  return current + static_cast<std::int64_t>(static_cast<double>(before) * std::clamp(left, 0.0, 1.0));
}

Counts Watch::count(User& user, const Rules& rules, const Seen& seen, Timestamp now, bool adds) {
  Counts counts;
  if (user.version != rules.version) user.windows = {};
  user.version = rules.version;
  const auto is_same = [&seen](const Written& one) { return seen.nonce != 0 && one.seen.nonce == seen.nonce; };
  const auto earlier = std::ranges::find_if(user.written, is_same);
  bool is_new = earlier == user.written.end();
  std::size_t window = 0;
  for (std::size_t i = 0; i < rules.list.size() && i < kMaxRules; ++i) {
    const auto& rule = rules.list[i];
    const auto bit = 1U << i;
    const std::chrono::seconds length(rule.window_s);
    const bool is_again = earlier != user.written.end() && now - earlier->at < length;
    if ((seen.concerns & bit) != 0 && rule.kind == Kind::repeats) {
      counts.of[i] = 1 + std::ranges::count_if(user.written, [&](const Written& one) {
                       return (one.seen.concerns & bit) != 0 && now - one.at < length && &one != earlier &&
                              similarity(one.seen.print, seen.print) >= rule.similarity;
                     });
    }
    is_new |= (seen.concerns & bit) != 0 && rule.counts() && !is_again;
    if (!is_windowed(rule)) continue;
    auto& counted = user.windows[window++];
    if ((seen.concerns & bit) == 0) continue;
    const auto amount = rule.kind == Kind::mentions ? seen.mentions : 1;
    counted.roll(length, now);
    if (adds && !is_again) counted.current += amount;
    counts.of[i] = counted.sum(length, now) + (adds || is_again ? 0 : amount);
  }
  if (!adds) return counts;
  user.ends = std::max(user.ends, now + std::chrono::seconds(rules.longest_window_s));
  if (is_new) remember(user, earlier, {seen, now});
  return counts;
}

/// In the place of the same request, when that is too old for a rule.
void Watch::remember(User& user, std::array<Written, kKept>::iterator earlier, const Written& written) {
  if (earlier != user.written.end()) {
    *earlier = written;
    return;
  }
  user.written[user.next] = written;
  user.next = (user.next + 1) % kKept;
}

Watch::User* Watch::user_of(Shard& shard, const std::string& key, Timestamp now, bool makes) {
  if (const auto found = shard.users.find(key); found != shard.users.end()) return &found->second;
  if (!makes) return nullptr;
  if (shard.users.size() >= kMaxPerShard) {
    std::erase_if(shard.users, [&](const auto& one) { return one.second.ends <= now; });
    if (shard.users.size() >= kMaxPerShard) shard.users.erase(shard.users.begin());
  }
  return &shard.users[key];
}

Counts Watch::ask(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now, bool adds) {
  const std::string key = app.text() + std::string(user_id);
  auto& shard = shards_[std::hash<std::string>{}(key) % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  auto* user = user_of(shard, key, now, adds);
  if (adds) return count(*user, rules, seen, now, true);
  User copy = user != nullptr ? *user : User{};
  return count(copy, rules, seen, now, false);
}

Counts Watch::see(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now, bool is_told) {
  const auto counts = ask(app, user_id, rules, seen, now, true);
  if (!tells_ || is_told) return counts;
  const std::lock_guard lock(told_mutex_);
  if (told_.size() < kMaxTold) told_.push_back({app, std::string(user_id), seen});
  else metrics::counter("chat_screening_untold_total", "Messages that rules of other nodes did not count, since too many came at once.").add();
  return counts;
}

Counts Watch::look(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now) {
  return ask(app, user_id, rules, seen, now, false);
}

std::size_t Watch::users() {
  std::size_t count = 0;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.users.size();
  }
  return count;
}

std::vector<Told> Watch::take_told() {
  std::vector<Told> told;
  const std::lock_guard lock(told_mutex_);
  told.swap(told_);
  return told;
}

}  // namespace chat::screening
