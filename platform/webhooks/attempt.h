#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/outbound/client.h"

/// What follows from how one attempt ended. Pure.
namespace chat::webhooks {

struct Tried {
  std::int64_t attempts = 0;                   // of the schedule, before this one
  std::vector<std::int64_t> schedule;          // seconds before each further one
  bool is_test = false;                        // then there is one attempt
  std::string fault = {};                      // why nobody could be called, of this side; empty: somebody was
};

enum class Health { same, good, bad, gone };   // what it says of the endpoint

struct Judged {
  std::string state;                           // succeeded | pending | failed
  std::optional<Timestamp> again;              // of pending
  bool is_try = true;                          // it counts in the schedule
  std::string outcome;                         // for the log; empty: nobody was called
  Health health = Health::same;
};

/// 2xx took it. 410: never again. 429, 502, 504, and no answer in time: not before a minute has gone. Retry-After is believed from the
/// schedule's own wait to twice of it, or an hour. `luck` from 0 to 1 adds up to a fifth, so that what failed together does not come back
/// together.
Judged judge(const Tried& tried, const outbound::Answer& answer, Timestamp now, double luck);

/// Seconds, or an HTTP date. Nothing: neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Timestamp now);

/// Bytes of an answer as a text that PostgreSQL and JSON take.
std::string clean_text(std::string_view bytes);

}  // namespace chat::webhooks
