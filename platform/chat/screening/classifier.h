#pragma once
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "platform/base/webhook_signature.h"
#include "platform/chat/screening/rules.h"
#include "platform/chat/screening/verdict.h"
#include "platform/webhooks/question.h"

/// A server of the customer's, or of whom it pays for it, that says what a message is: labels with scores.
namespace chat::screening {

struct Threshold {
  std::string label;
  double at = 0;                               // 0-1: from this score on
  Then then = Then::flag;                      // never a timeout
};

struct Classifier {
  std::string url;
  std::int64_t timeout_ms = 1'000;             // for everything: name, connection, answer
  std::string on_failure = "allow";            // allow | hold | block, when no answer comes in time or none that can be used
  std::string asks = "all";                    // all | marked: only what a list or a rule found something in
  std::int64_t max_in_flight = 16;             // questions at once, of this node; the next one fails at once
  std::vector<std::string> channel_types;      // empty: all
  std::vector<Threshold> thresholds;
  Timestamp created_at, updated_at;
};
inline constexpr std::size_t kMaxThresholds = 50, kMaxLabels = 100;

/// Reads all of a body but `new_secret`; mistakes are gathered in it.
Classifier read_classifier(json::Fields& body);
std::string classifier_json(const Classifier& classifier);
Classifier parse_classifier(const std::string& json);

/// With what it is asked. What counts lives as long as the settings stay as they are.
struct ReadyClassifier {
  Classifier settings;
  webhook::Key key;
  bool is_signed = true;                       // false: the key can't be opened, so nobody is asked
  mutable webhooks::Breaker breaker;
  mutable std::atomic<int> in_flight{0};
};

/// What it said, by label. Nothing: no such answer. A body that is empty says nothing against the message.
using Labels = std::vector<std::pair<std::string, double>>;
std::optional<webhook::Key> open_key(AppId app, const crypto::Sealer& sealer, const std::string& sealed);
std::optional<Labels> read_labels(const outbound::Answer& answer);

Verdict verdict_of(const Classifier& classifier, const Labels& labels);
/// What holds when it did not answer. `why`: a word of the log and of the finding.
Verdict verdict_of_failure(const Classifier& classifier, std::string_view why);

}  // namespace chat::screening
