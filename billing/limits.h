#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/features.h"
#include "platform/base/clock.h"
#include "platform/base/json.h"

/// What a plan allows. Limits are data: a plan's document, with an application's overrides merged over it.
namespace chat::billing {

/// What is counted or bounded. One word each, in plans, usage and the API.
enum class Meter {
  messages,               // accepted sends in a month (UTC)
  active_users,           // distinct users who connected or acted in a month (UTC)
  api_calls,              // requests answered below 500 and other than 429, in a month
  deliveries,             // copies of events handed to sockets, in a month
  peak_connections,       // most sockets open at once on all nodes, in a day
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
  webhook_deliveries,     // events that a customer's endpoint took, in a month
  campaign_recipients,    // users whom campaigns wrote to, in a month
  moderation_calls,       // messages that a moderation service judged, in a month
  application_reads,      // requests of an application in a minute, by class of route; application_requests holds, too
  application_writes,
  application_sends,
  user_reads,             // the same of one user; user_requests holds, too
  user_writes,
  user_sends,
  guest_sends,            // sends of one guest or anonymous user in a minute; guest_requests and user_sends hold, too
  teams,                  // of an application, now
  user_memberships,       // channels that one user is a member of
  user_channels_created,  // channels that one user made in 24 hours, with its own token
};
inline constexpr int kMeters = 30;
std::string_view word(Meter meter);
std::optional<Meter> parse_meter(std::string_view word);
/// month | minute | each | now: what a limit on this meter is about; fixed by the meter.
std::string_view window_of(Meter meter);

enum class Action { notify, overage, throttle, block };
std::string_view word(Action action);

inline constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

/// One limit. Up to `included` is in the price; up to `hard` is served; beyond, refused. Between the two `action` says what
/// happens: notify and overage serve, throttle serves at the pace at which `included` lasts a month, block refuses: the plan's `hard`
/// is then its `included` at most. An override's `hard` holds as it is.
struct Limit {
  std::int64_t included = kUnlimited;
  std::int64_t hard = kUnlimited;
  std::int64_t burst = 0;                    // of rates: how many at once; 0: a sixth of the minute
  Action action = Action::notify;
  bool is_overridden = false;                // by the application, until `override_ends`
  std::optional<Timestamp> override_ends = {};
};

/// Every meter's limit and every feature for one application, immutable.
struct Limits {
  Limit by_meter[kMeters];
  std::uint32_t features_off = 0;            // a bit each
  std::vector<std::string> upload_types;     // the only ones that are taken: "image/png", "image/*"; empty: all
  std::optional<Timestamp> until;            // when the first of the overrides ends
  [[nodiscard]] const Limit& of(Meter meter) const { return by_meter[static_cast<int>(meter)]; }
  [[nodiscard]] bool has(Feature feature) const { return (features_off & bit(feature)) == 0; }
};

/// From a plan's document and the application's overrides ({"messages":{"hard":10,"expires_at":"2026-12-24T00:00:00Z"}}).
Limits merge_limits(const json::Value& plan, const json::Value& overrides, Timestamp now);

/// Errors:  limit_reached, with plan:features/<word>
void check_feature(const Limits& limits, Feature feature);

/// Where a value stands: ok, warning (from 80 % of included), overage (over included), blocked (hard reached).
enum class Level : std::uint8_t { ok, warning, overage, blocked };
std::string_view word(Level level);
Level level_of(const Limit& limit, std::int64_t value);

/// May a limit on it say `throttle`? Not where there is no work that could wait: of users, connections and what lies there.
bool can_be_slowed(Meter meter);

}  // namespace chat::billing
