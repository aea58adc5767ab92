#include <catch2/catch.hpp>

#include "platform/base/config_parts.h"

using namespace chat;
using namespace chat::config;

namespace {
using Row = std::pair<const char*, std::optional<std::int64_t>>;
}

TEST_CASE("config: integers are plain decimals of 64 bits", "[unit][base][config]") {
  for (const auto& [text, expected] : {Row{"0", 0}, Row{"-5", -5}, Row{"9223372036854775807", INT64_MAX},
                                       Row{"-9223372036854775808", INT64_MIN}, Row{"9223372036854775808", {}},
                                       Row{"010", {}}, Row{"0x10", {}}, Row{"1_000", {}}, Row{"1e3", {}}, Row{"1.0", {}},
                                       Row{"+1", {}}, Row{"", {}}, Row{"-", {}}, Row{"-01", {}}, Row{" 1", {}}, Row{"1 ", {}},
                                       Row{"--1", {}}}) {
    INFO(text);
    CHECK(parse_integer(text) == expected);
  }
}

TEST_CASE("config: durations need a unit and come out in milliseconds", "[unit][base][config]") {
  for (const auto& [text, expected] :
       {Row{"0", 0}, Row{"0s", 0}, Row{"500ms", 500}, Row{"30s", 30'000}, Row{"5m", 300'000}, Row{"1h", 3'600'000},
        Row{"7d", 604'800'000}, Row{"30", {}}, Row{"1.5s", {}}, Row{"-1s", {}}, Row{"s", {}}, Row{"", {}}, Row{"1 s", {}},
        Row{"1S", {}}, Row{"1w", {}}, Row{"1h30m", {}}, Row{"9223372036854775807ms", INT64_MAX},
        Row{"9223372036854775807s", {}}, Row{"99999999999999999999s", {}}, Row{"030s", {}}}) {
    INFO(text);
    CHECK(parse_duration(text) == expected);
  }
}

TEST_CASE("config: sizes know binary and decimal units", "[unit][base][config]") {
  for (const auto& [text, expected] :
       {Row{"512", 512}, Row{"0", 0}, Row{"1B", 1}, Row{"64KiB", 65'536}, Row{"1MiB", 1'048'576}, Row{"10MB", 10'000'000},
        Row{"2KB", 2'000}, Row{"1GiB", 1LL << 30}, Row{"1TB", 1'000'000'000'000}, Row{"64K", {}}, Row{"64kb", {}},
        Row{"64 KiB", {}}, Row{"-1", {}}, Row{"", {}}, Row{"KiB", {}}, Row{"1.5MiB", {}}, Row{"8388608TiB", {}}}) {
    INFO(text);
    CHECK(parse_bytes(text) == expected);
  }
}

TEST_CASE("config: booleans are true and false and nothing else", "[unit][base][config]") {
  CHECK(parse_boolean("true") == true);
  CHECK(parse_boolean("false") == false);
  for (const char* text : {"yes", "no", "on", "off", "True", "TRUE", "1", "0", "", "y"}) {
    INFO(text);
    CHECK_FALSE(parse_boolean(text).has_value());
  }
}

TEST_CASE("config: measures are shown in the largest unit that fits", "[unit][base][config]") {
  CHECK(show_measure(Type::duration, 30'000) == "30s");
  CHECK(show_measure(Type::duration, 90'000) == "90s");
  CHECK(show_measure(Type::duration, 1'500) == "1500ms");
  CHECK(show_measure(Type::duration, 0) == "0");
  CHECK(show_measure(Type::bytes, 65'536) == "64KiB");
  CHECK(show_measure(Type::bytes, 1'000'000) == "1MB");
  CHECK(show_measure(Type::bytes, 511) == "511");
  CHECK(show_measure(Type::bytes, 0) == "0");
  CHECK(show_measure(Type::integer, 4096) == "4096");
}

TEST_CASE("config: lists are split at commas, with or without brackets", "[unit][base][config]") {
  using List = std::vector<std::string>;
  CHECK(list_items(parse_list("")) == List{});
  CHECK(list_items(parse_list("[]")) == List{});
  CHECK(list_items(parse_list(" [ ] ")) == List{});
  CHECK(list_items(parse_list("a")) == List{"a"});
  CHECK(list_items(parse_list("a, b ,c")) == List{"a", "b", "c"});
  CHECK(list_items(parse_list("[10.0.0.0/8, ::1/128]")) == List{"10.0.0.0/8", "::1/128"});
}
