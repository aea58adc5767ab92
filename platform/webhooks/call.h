#pragma once
#include <array>
#include <string>
#include <vector>

#include "platform/base/text.h"
#include "platform/webhooks/attempt.h"
#include "platform/webhooks/endpoints.h"
#include "platform/webhooks/outbox.h"

/// What the worker has of the database, on its way to an endpoint and back. Pure.
namespace chat::webhooks {

inline constexpr const char* kKeyUnreadable = "key_unreadable";
inline constexpr std::size_t kMaxBatchBytes = 1024 * 1024;   // what comes behind this much begins another call

struct Claimed {
  AppId app;
  EndpointId endpoint;
  Kept kept;
  std::int64_t attempts = 0;
  std::string trigger;                         // event | replay | test
};
Claimed read_claimed(const storage::Row& row);
/// A test's body is a whole frame, made up: all of it but its id and time is taken over.
void take_example(bus::Event& event);

/// One event of a call.
struct Item {
  EventId event;
  std::string trigger;
  Timestamp event_at;
  std::int64_t attempts = 0;
};

/// One call and its end. `id` is the webhook-id: the event's, or one of its own where several go together.
struct Call {
  AppId app;
  EndpointId endpoint;
  EventId id;
  std::vector<Item> items;
  std::vector<std::int64_t> schedule;
  Timestamp started_at;
  outbound::Answer answer;
  std::string fault;                           // nobody was called: kKeyUnreadable
  std::int64_t bytes = 0;                      // of the body
  [[nodiscard]] std::string key() const { return id.text() + endpoint.text(); }
};

/// What several claimed events of one endpoint become: calls with a body each, of one event or, where the endpoint wants batches, of up to
/// batch_max.
struct Packed {
  Call call;
  std::string body;
};
std::vector<Packed> pack(const Wire& wire, const std::vector<Claimed>& claimed, Timestamp now);
outbound::Call request_of(const Wire& wire, const Call& call, std::string body);

/// The arrays of end_claims. What a batch was answered stands with its first event alone.
class Ends {
 public:
  void add(const Call& call, const Item& item, const Judged& judged);
  using Lists = std::array<std::string, 13>;
  Lists take();

 private:
  text::ArrayLiteral apps_, endpoints_, events_, states_, agains_, tries_, outcomes_, statuses_, durations_, started_, headers_, bodies_, cuts_;
};

}  // namespace chat::webhooks
