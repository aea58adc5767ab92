#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/output/style.h"

namespace chat::cli {

/// What the stream can show.
struct ChartLook {
  std::size_t columns = 80;
  bool utf8 = false;  // else '#' and '|'
  Style style = Style();
};

struct Bar {
  std::string label;
  std::int64_t value = 0;  // not negative
};

/// Amounts over time, or beside each other: a line per bar with its exact value, below them the axis from 0 to
/// the greatest, with the unit.
/// Shape:   no line is wider than the look's columns, unless labels and values alone are; nothing for no bars.
std::string bar_chart(const std::vector<Bar>& bars, const std::string& unit, const ChartLook& look);

/// One character per value, for a cell of a table. The newest `width` values; 0: all.
std::string sparkline(const std::vector<std::int64_t>& values, const ChartLook& look, std::size_t width = 0);

}  // namespace chat::cli
