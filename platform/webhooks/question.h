#pragma once
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/base/id.h"
#include "platform/base/webhook_signature.h"
#include "platform/outbound/client.h"

/// Questions to a customer's server, while somebody waits for the answer: signed as deliveries are, asked once.
namespace chat::webhooks {

struct Question {
  AppId app;
  std::string_view type;                       // of the frame
  std::string cid;
  std::string data;                            // JSON object
  std::string url;
  std::chrono::milliseconds timeout{1'500};    // for everything: name, connection, answer
};
inline constexpr std::size_t kMaxAnswerBytes = 128 * 1024;

/// `done` comes once, on the client's thread. Nothing is held meanwhile.
void ask(outbound::Client& client, const Question& question, const webhook::Key& key, Timestamp now, outbound::Client::Done done);

/// After kFailures failures in a row nobody is asked for kClosed. What was this side's fault is none.
/// Thread:  any.
class Breaker {
 public:
  static constexpr int kFailures = 5;
  static constexpr std::chrono::seconds kClosed{30};
  [[nodiscard]] bool is_closed(Timestamp now) const;
  void note(const outbound::Answer& answer, bool is_fine, Timestamp now);
  void take_over(const Breaker& before);       // what was known of the same server

 private:
  mutable std::mutex mutex_;
  int failures_ = 0;
  Timestamp closed_until_{};
};

}  // namespace chat::webhooks
