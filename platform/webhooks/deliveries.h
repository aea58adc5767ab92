#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/storage/page.h"
#include "platform/webhooks/endpoints.h"

/// What became of each event at each endpoint, attempt by attempt, and how it is delivered again.
namespace chat::webhooks {

inline constexpr std::size_t kMaxKeptBody = 16 * 1024;      // of an answer, in the log
inline constexpr std::chrono::hours kKept{14 * 24};         // deliveries and logs
inline constexpr int kMaxReplayed = 10'000;                 // by one call
inline constexpr int kMaxRead = 10'000;                     // rows, for one page: a filter may leave few of them, or none
inline constexpr int kMaxSwept = 5'000, kMaxSweptEndpoints = 200;   // at once

struct Delivery {
  EventId event;                               // what the receiver got as webhook-id
  EndpointId endpoint;
  std::string type;
  std::string state;                           // pending | succeeded | failed | skipped
  std::string trigger;                         // event | replay | test
  std::int64_t attempts = 0;
  std::optional<Timestamp> due_at, ended_at;   // of pending: the next attempt
  Timestamp created_at;
};
std::string delivery_json(const Delivery& delivery);

struct Attempt {
  EventId event;
  EndpointId endpoint;
  std::int64_t attempt = 0;
  std::string trigger, type, outcome;
  std::optional<std::int64_t> status;
  std::int64_t duration_us = 0;
  std::string response_headers, response_body;
  bool is_cut = false;
  Timestamp started_at;
  std::optional<Timestamp> next_at;
};
std::string attempt_json(const Attempt& attempt);

struct DeliveryFilter {
  std::optional<std::string> state, type;
  std::optional<Timestamp> since, until;       // of the event
};
/// The newest first. Of kMaxRead what the filter leaves: a page may have fewer than `limit`, or none, and a `next`.
storage::Page<Delivery> list_deliveries(storage::Transaction& tx, EndpointId endpoint, const DeliveryFilter& filter, int limit,
                                        const std::optional<std::string>& cursor, const storage::Cursors& cursors);
/// Errors:  not_found
Delivery get_delivery(storage::Transaction& tx, EndpointId endpoint, EventId event);
std::vector<Attempt> list_attempts(storage::Transaction& tx, EndpointId endpoint, EventId event);   // at most 100, the newest first

struct LogFilter {
  std::optional<EndpointId> endpoint;
  std::optional<std::string> type, outcome;    // outcome: succeeded, failed (all others) or one of them
  std::optional<Timestamp> since, until;
};
/// Of all endpoints, the newest first; pages as those of list_deliveries.
storage::Page<Attempt> list_logs(storage::Transaction& tx, const LogFilter& filter, int limit, const std::optional<std::string>& cursor,
                                 const storage::Cursors& cursors);

/// Delivers again what has ended, with the schedule from its beginning, under its own id.
/// Errors:  not_found; conflict (the endpoint is disabled, the event is pending, or its body is erased)
Delivery replay_delivery(storage::Transaction& tx, const Endpoint& endpoint, EventId event, Timestamp now);

struct Range {
  std::string which = "failed";                // failed: given up; missed: those skipped while disabled; all: every one that has ended
  std::optional<Timestamp> since, until;       // of the event; none: as long as they are kept, now
};
struct Replayed {
  std::int64_t count = 0;
  std::optional<std::string> next;             // there may be more than kMaxReplayed: call again with it, and the same range
};
/// The oldest first. `cursor`: the `next` of the call before, which also keeps where a range ends that was left open.
/// Errors:  conflict (disabled)
Replayed replay_range(storage::Transaction& tx, const Endpoint& endpoint, const Range& range, const std::optional<std::string>& cursor,
                      const storage::Cursors& cursors, Timestamp now);

/// One attempt with a made-up `frame`. Errors: conflict (not active)
Delivery send_test(storage::Transaction& tx, const Endpoint& endpoint, const std::string& type, const std::string& frame, Timestamp now);

/// For the job: a page of endpoints behind `after`. Where it ended; nothing: it was the last.
std::optional<std::pair<Uuid, Uuid>> sweep_webhooks(storage::Transaction& tx, const std::pair<Uuid, Uuid>& after);

}  // namespace chat::webhooks
