#include "cli/output/chart.h"

#include <algorithm>
#include <array>

#include "cli/output/value.h"

namespace chat::cli {
namespace {

constexpr std::size_t kNarrowestBar = 8;
constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
constexpr std::array<const char*, 8> kHeights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 8> kAsciiHeights = {"_", ".", "-", "~", "=", "+", "*", "#"};

std::string repeated(const char* what, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += what;
  return out;
}

std::string padded(const std::string& text, std::size_t width) {
  const auto has = display_width(text);
  return has < width ? text + std::string(width - has, ' ') : text;
}

/// `part` of `whole` in `steps`; whatever is there at all is at least one.
std::size_t share(std::int64_t part, std::int64_t whole, std::size_t steps) {
  if (part <= 0 || whole <= 0) return 0;
  const auto exact = static_cast<double>(part) / static_cast<double>(whole) * static_cast<double>(steps);
  return std::clamp<std::size_t>(static_cast<std::size_t>(exact + 0.5), 1, steps);
}

std::string bar_text(std::int64_t value, std::int64_t greatest, std::size_t width, const ChartLook& look) {
  if (!look.utf8) return repeated("#", share(value, greatest, width));
  const auto eighths = share(value, greatest, width * 8);
  return repeated("█", eighths / 8) + kEighths[eighths % 8];
}

}  // namespace

std::string bar_chart(const std::vector<Bar>& bars, const std::string& unit, const ChartLook& look) {
  if (bars.empty()) return "";
  std::size_t label = 0, number = 0;
  std::int64_t greatest = 0;
  for (const auto& bar : bars) {
    label = std::max(label, display_width(printable(bar.label)));
    number = std::max(number, std::to_string(bar.value).size());
    greatest = std::max(greatest, bar.value);
  }
  const auto beside = label + 3 + number;
  const auto width = look.columns > beside + kNarrowestBar ? look.columns - beside : kNarrowestBar;
  std::string out;
  for (const auto& bar : bars)
    out += padded(printable(bar.label), label) + (look.utf8 ? " │" : " |") +
           look.style.paint(Ink::green, bar_text(bar.value, greatest, width, look)) +
           (bar.value > 0 ? " " : "") + std::to_string(bar.value) + "\n";
  const std::string margin(label + 1, ' ');
  out += margin + (look.utf8 ? "└" + repeated("─", width) : "+" + repeated("-", width)) + "\n";
  const auto end = std::to_string(greatest) + " " + unit;
  const auto gap = width + 1 > end.size() + 2 ? width + 1 - end.size() - 1 : 1;
  return out + margin + "0" + std::string(gap, ' ') + end + "\n";
}

std::string sparkline(const std::vector<std::int64_t>& values, const ChartLook& look, std::size_t width) {
  const auto from = width != 0 && values.size() > width ? values.size() - width : 0;
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(from);
  const auto greatest = first == values.end() ? 0 : *std::max_element(first, values.end());
  std::string out;
  for (auto at = first; at != values.end(); ++at) {
    const auto height = share(*at, greatest, kHeights.size() - 1);
    out += look.utf8 ? kHeights[height] : kAsciiHeights[height];
  }
  return out;
}

}  // namespace chat::cli
