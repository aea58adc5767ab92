#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "billing/accounts.h"
#include "platform/chat/screening/classifier.h"
#include "platform/storage/pool.h"

/// Asks classifiers, and counts what they judged. Private to the folder, but for screening.h.
namespace chat::screening {

/// Shape:   of each application `max_in_flight` questions at once, a month's `moderation_calls` in all; whatever can't be asked is as if it
///          had not been answered. After Breaker::kFailures in a row nobody is asked for Breaker::kClosed.
/// Event:   chat_classifier_total{outcome: answered, failed, closed, busy, quota}, chat_classifier_seconds
/// Thread:  any; `then` comes once, on the caller's or the client's.
class Questions {
 public:
  struct Judged {
    std::string outcome;                       // as the metric's
    std::optional<Labels> labels;              // of answered
    Verdict verdict;
    std::chrono::microseconds duration{0};
    std::string explanation;                   // of failed: a sentence for the customer
  };
  using Then = std::function<void(const Judged&)>;
  Questions(outbound::Client& client, const Clock& clock);

  /// `data`: what it is told, a JSON object.
  void ask(const std::shared_ptr<const ReadyClassifier>& classifier, const Said& said, const std::string& data, Then then);

  /// Writes what was counted since the last call into the ledger, to the hour in which it was, once. A crash loses a second of it.
  void count(storage::Connection& connection);

 private:
  struct Counted {
    std::shared_ptr<billing::Account> account;
    std::int64_t calls = 0;                    // since what is being written
    std::int64_t writing = 0;                  // under this id, until it is known to be in the ledger
    std::string id;
  };
  using Key = std::pair<AppId, Timestamp>;     // the hour
  Judged conclude(const ReadyClassifier& classifier, const std::shared_ptr<billing::Account>& account, const outbound::Answer& answer);
  void add(const std::shared_ptr<billing::Account>& account);
  void write(storage::Connection& connection, const Key& key, const Counted& one);

  outbound::Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<Key, Counted> counted_;
  const std::string boot_;
  std::int64_t written_ = 0;
};

}  // namespace chat::screening
