#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/json.h"

/// What a plan allows. Limits are data: a plan's document, with an application's overrides merged over it.
namespace chat::billing {

/// What is counted or bounded. One word each, in plans, usage and the API.
enum class Meter {
  messages,               // accepted sends in a month (UTC)
  active_users,           // distinct users who connected or acted in a month (UTC)
  api_calls,              // requests answered below 500 and other than 429, in a month
  deliveries,             // copies of events handed to sockets, in a month
  peak_connections,       // most sockets open at once on this node, in a day
  connections,            // sockets open now
  application_requests,   // requests of an application in a minute
  user_requests,          // requests of one user in a minute
  message_bytes,          // text of one message
  channel_members,        // members of one channel
  guest_requests,         // requests of one guest or anonymous user in a minute; user_requests holds, too
  guests_created,         // guests and anonymous users made with the API key alone in a minute
  push,                   // notifications that a push provider took, in a month
  upload_bytes,           // of one uploaded file
  storage_bytes,          // of all uploaded files, now
  storage_byte_hours,     // the same over time, in a month
  egress_bytes,           // of files that this service sent, in a month
};
inline constexpr int kMeters = 17;
std::string_view word(Meter meter);
std::optional<Meter> parse_meter(std::string_view word);
/// month | minute | each | now: what a limit on this meter is about; fixed by the meter.
std::string_view window_of(Meter meter);

enum class Action { notify, overage, throttle, block };
std::string_view word(Action action);

inline constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

/// One limit. Up to `included` is in the price; up to `hard` is served; beyond, refused.
struct Limit {
  std::int64_t included = kUnlimited;
  std::int64_t hard = kUnlimited;
  std::int64_t burst = 0;                    // of rates: how many at once; 0: a sixth of the minute
  Action action = Action::notify;
};

/// Every meter's limit for one application, immutable.
struct Limits {
  Limit by_meter[kMeters];
  [[nodiscard]] const Limit& of(Meter meter) const { return by_meter[static_cast<int>(meter)]; }
};

/// From a plan's document and the application's overrides ({"messages":{"hard":10}}).
Limits merge_limits(const json::Value& plan, const json::Value& overrides);

/// Where a value stands: ok, warning (from 80 % of included), overage (over included), blocked (hard reached).
std::string_view state_of(const Limit& limit, std::int64_t value);

}  // namespace chat::billing
