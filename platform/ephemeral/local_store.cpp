#include <mutex>

#include "platform/base/metrics.h"
#include "platform/ephemeral/holdings.h"

namespace chat::ephemeral {
namespace {

// A call clears away a few of those that ended; a question, all that a job may have waited for.
constexpr std::size_t kSweptByHold = 4;
constexpr std::size_t kSweptByQuestion = 10'000;

class LocalStore final : public Store {
 public:
  LocalStore(const Clock& clock, Bounds bounds) : clock_(clock), holdings_(bounds) {}

  void hold(const Key& key, std::string_view member, std::string_view value, std::chrono::milliseconds ttl) override {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    holdings_.sweep(now, kSweptByHold);
    if (!holdings_.hold(key, member, value, now + ttl).taken) dropped_.add();
    holds_.set(static_cast<double>(holdings_.size()));
  }

  void release(const Key& key, std::string_view member) override {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    holdings_.sweep(now, kSweptByHold);
    holdings_.release(key, member);
    holds_.set(static_cast<double>(holdings_.size()));
  }

  std::vector<std::vector<Holder>> holders(std::span<const Key> keys) override {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    std::vector<std::vector<Holder>> answer;
    answer.reserve(keys.size());
    for (const Key& key : keys) answer.push_back(holdings_.holders(key, now));
    return answer;
  }

  std::vector<std::size_t> count(std::span<const Key> keys) override {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> answer;
    answer.reserve(keys.size());
    for (const Key& key : keys) answer.push_back(holdings_.count(key, now));
    return answer;
  }

  std::vector<Lapsed> take_lapsed(Space space, std::size_t most) override {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    holdings_.sweep(now, kSweptByQuestion);
    return holdings_.take_lapsed(space, most);
  }

 private:
  metrics::Gauge& holds_ = metrics::gauge("chat_ephemeral_holds", "Holds of this node: presence, typing, watching.");
  metrics::Counter& dropped_ = metrics::counter("chat_ephemeral_dropped_total", "Holds that were dropped because there were too many.");
  const Clock& clock_;
  std::mutex mutex_;
  Holdings holdings_;                        // guarded by mutex_
};

}  // namespace

std::unique_ptr<Store> make_local_store(const Clock& clock, Bounds bounds) { return std::make_unique<LocalStore>(clock, bounds); }

}  // namespace chat::ephemeral
