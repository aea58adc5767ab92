#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// A moment in UTC. Units: microseconds, as PostgreSQL's timestamptz.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Where the time comes from; a test hands in its own.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};
const Clock& system_clock();

/// RFC 3339, UTC, always six digits: `2026-11-21T12:00:00.000000Z`.
std::string format_time(Timestamp at);
/// Accepts RFC 3339 with any offset and 0-9 fraction digits; years 1970-9999. Nothing else.
std::optional<Timestamp> parse_time(std::string_view text);

/// Calendar, UTC.
std::string day_of(Timestamp at);                // 2026-11-21
std::string month_of(Timestamp at);              // 2026-11-01: first day of the month
Timestamp month_start(Timestamp at);
Timestamp next_month_start(Timestamp at);

}  // namespace chat
