#include "cli/line/values.h"

#include <catch2/catch.hpp>

namespace chat::cli {

using std::chrono::milliseconds;

TEST_CASE("durations: a number and a unit", "[unit][cli]") {
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("90s") == milliseconds(90'000));
  CHECK(parse_duration("15m") == milliseconds(900'000));
  CHECK(parse_duration("24h") == milliseconds(86'400'000));
  CHECK(parse_duration("7d") == milliseconds(604'800'000));
  CHECK(parse_duration("0s") == milliseconds(0));
}

TEST_CASE("durations: nothing else", "[unit][cli]") {
  for (const auto* text : {"", "10", "s", "1.5h", "-1s", "+1s", " 1s", "1s ", "1h30m", "1w", "1S",
                           "99999999999d", "9223372036854775807s", "99999999999999999999s"})
    CHECK(parse_duration(text) == std::nullopt);
}

TEST_CASE("durations: said in the largest exact unit", "[unit][cli]") {
  for (const auto* text : {"1d", "25h", "90s", "1500ms", "0s"})
    CHECK(duration_text(*parse_duration(text)) == text);
}

TEST_CASE("months: year, line, month", "[unit][cli]") {
  for (const auto* text : {"2026-01", "2026-12"}) CHECK(is_month(text));
  for (const auto* text : {"", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "2026/01"})
    CHECK(!is_month(text));
}

}  // namespace chat::cli
