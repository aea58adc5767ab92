#include "platform/base/clock.h"

#include <catch2/catch.hpp>

using namespace chat;
using std::chrono::microseconds;

namespace {
Timestamp at(std::string_view text) {
  const auto parsed = parse_time(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}
}  // namespace

TEST_CASE("clock: RFC 3339 times come out in UTC with six digits", "[unit][base][clock]") {
  const std::pair<const char*, const char*> rows[] = {
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
      {"2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000000Z"},
      {"2026-11-21t12:00:00z", "2026-11-21T12:00:00.000000Z"},
      {"2026-11-21T12:00:00.1Z", "2026-11-21T12:00:00.100000Z"},
      {"2026-11-21T12:00:00.123456Z", "2026-11-21T12:00:00.123456Z"},
      {"2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.123456Z"},
      {"2026-11-21T12:00:00.000000999Z", "2026-11-21T12:00:00.000000Z"},
      {"2026-11-21T12:00:00+02:00", "2026-11-21T10:00:00.000000Z"},
      {"2026-11-21T12:00:00-05:30", "2026-11-21T17:30:00.000000Z"},
      {"2026-11-21T23:59:59+23:59", "2026-11-21T00:00:59.000000Z"},
      {"2026-11-21T12:00:00-00:00", "2026-11-21T12:00:00.000000Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
      {"1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00.000000Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
      {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000Z"},
      {"1990-12-31T15:59:60.5-08:00", "1991-01-01T00:00:00.500000Z"},
  };
  for (const auto& [text, expected] : rows) {
    INFO(text);
    CHECK(format_time(at(text)) == expected);
  }
}

TEST_CASE("clock: what is not an RFC 3339 time is refused", "[unit][base][clock]") {
  for (const char* text : {
           "", "2026", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21T12:00Z", "2026-11-21 12:00:00Z",
           "2026-11-21T12:00:00.Z", "2026-11-21T12:00:00,5Z", "2026-11-21T12:00:00.1234567890Z",
           "2026-11-21T12:00:00+0200", "2026-11-21T12:00:00+2:00", "2026-11-21T12:00:00+24:00",
           "2026-11-21T12:00:00+02:60", "2026-11-21T12:00:00 Z", " 2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z ",
           "2026-11-21T12:00:00ZZ", "2026-11-21T24:00:00Z", "2026-11-21T12:60:00Z", "2026-11-21T12:00:61Z",
           "2026-11-21T12:00:60Z", "2026-11-21T23:59:60Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
           "2026-01-00T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
           "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z",
           "+2026-11-21T12:00:00Z", "-2026-11-21T12:00:00Z", "26-11-21T12:00:00Z", "2026-11-2١T12:00:00Z",
           "2026-1-21T12:00:00Z", "now", "infinity",
       }) {
    INFO(text);
    CHECK_FALSE(parse_time(text).has_value());
  }
}

TEST_CASE("clock: formatting and parsing undo each other", "[unit][base][clock]") {
  for (std::int64_t us : {0LL, 1LL, 999'999LL, 1'000'000LL, 86'399'999'999LL,
                          1'795'262'400'123'456LL, 253'402'300'799'999'999LL}) {
    const Timestamp moment{microseconds{us}};
    CHECK(parse_time(format_time(moment)) == moment);
  }
}

TEST_CASE("clock: times beyond four digits of year are shown at the edge, never broken", "[unit][base][clock]") {
  CHECK(format_time(Timestamp::max()).size() == 27);
  CHECK(format_time(Timestamp::min()).size() == 27);
  CHECK(format_time(Timestamp::max()).starts_with("9999-12-31T"));
  CHECK(day_of(Timestamp::max()) == "9999-12-31");
}

TEST_CASE("clock: days and months are UTC's", "[unit][base][clock]") {
  const Timestamp moment = at("2026-12-31T23:59:59.999999Z");
  CHECK(day_of(moment) == "2026-12-31");
  CHECK(month_of(moment) == "2026-12-01");
  CHECK(format_time(month_start(moment)) == "2026-12-01T00:00:00.000000Z");
  CHECK(format_time(next_month_start(moment)) == "2027-01-01T00:00:00.000000Z");
  CHECK(month_of(moment + microseconds{1}) == "2027-01-01");
  CHECK(format_time(next_month_start(at("2024-01-31T00:00:00Z"))) == "2024-02-01T00:00:00.000000Z");
}

TEST_CASE("clock: the system's clock is in this century", "[unit][base][clock]") {
  CHECK(system_clock().now() > at("2024-01-01T00:00:00Z"));
  CHECK(system_clock().now() < at("2100-01-01T00:00:00Z"));
}
