#include "cli/output/chart.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "cli/output/value.h"

namespace chat::cli {

namespace {

const std::vector<Bar> kBars = {{"11-20", 800}, {"11-21", 400}, {"11-22", 0}, {"11-23", 1}};

}  // namespace

TEST_CASE("charts: bars, exact values and an axis with the unit", "[unit][cli]") {
  CHECK(bar_chart(kBars, "messages", {.columns = 30, .utf8 = false}) ==
        "11-20 |################### 800\n"
        "11-21 |########## 400\n"
        "11-22 |0\n"
        "11-23 |# 1\n"
        "      +-------------------\n"
        "      0       800 messages\n");
}

TEST_CASE("charts: blocks as fine as an eighth where the locale has UTF-8", "[unit][cli]") {
  CHECK(bar_chart({{"a", 16}, {"b", 3}}, "sends", {.columns = 22, .utf8 = true}) ==
        "a │████████████████ 16\n"
        "b │███ 3\n"
        "  └────────────────\n"
        "  0        16 sends\n");
  CHECK(bar_chart({{"a", 32}, {"b", 1}}, "x", {.columns = 22, .utf8 = true}).find("b │▌ 1\n") !=
        std::string::npos);
}

TEST_CASE("charts: no line is wider than the terminal", "[unit][cli]") {
  for (const std::size_t columns : {40u, 80u, 200u})
    for (const bool utf8 : {false, true}) {
      std::istringstream lines(bar_chart(kBars, "messages", {.columns = columns, .utf8 = utf8}));
      for (std::string line; std::getline(lines, line);) CHECK(display_width(line) <= columns);
    }
}

TEST_CASE("charts: colour only where the style has it", "[unit][cli]") {
  CHECK(bar_chart(kBars, "x", {.style = Style(false)}).find('\x1b') == std::string::npos);
  CHECK(bar_chart(kBars, "x", {.style = Style(true)}).find("\x1b[32m#") != std::string::npos);
}

TEST_CASE("charts: nothing used draws no bar; no days no chart", "[unit][cli]") {
  CHECK(bar_chart({{"a", 0}}, "x", {}).find('#') == std::string::npos);
  CHECK(bar_chart({}, "x", {}).empty());
}

TEST_CASE("sparklines: a mark per value, the newest ones", "[unit][cli]") {
  CHECK(sparkline({0, 1, 100}, {.utf8 = true}) == "▁▂█");
  CHECK(sparkline({0, 1, 100}, {}) == "_.#");
  CHECK(sparkline({9, 9, 0, 5}, {}, 2) == "_#");
  CHECK(sparkline({}, {}).empty());
}

}  // namespace chat::cli
