#include "cli/line/values.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace chat::cli {
namespace {

struct Unit {
  std::string_view word;
  std::int64_t ms;
};
constexpr std::array<Unit, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kMaxMs = 3653LL * 86'400'000;

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || number < 0) return std::nullopt;
  const auto word = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  for (const auto& unit : kUnits)
    if (unit.word == word && number <= kMaxMs / unit.ms) return std::chrono::milliseconds(number * unit.ms);
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds time) {
  if (time.count() == 0) return "0s";
  for (const auto& unit : kUnits)
    if (time.count() % unit.ms == 0) return std::to_string(time.count() / unit.ms) + std::string(unit.word);
  return std::to_string(time.count()) + "ms";
}

bool is_month(std::string_view text) {
  if (text.size() != 7 || text[4] != '-') return false;
  for (const auto i : {0, 1, 2, 3, 5, 6})
    if (text[static_cast<std::size_t>(i)] < '0' || text[static_cast<std::size_t>(i)] > '9') return false;
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  return month >= 1 && month <= 12;
}

bool is_day(std::string_view text) {
  if (text.size() != 10 || !is_month(text.substr(0, 7)) || text[7] != '-') return false;
  if (text[8] < '0' || text[8] > '3' || text[9] < '0' || text[9] > '9') return false;
  const int day = (text[8] - '0') * 10 + (text[9] - '0');
  return day >= 1 && day <= 31;
}

}  // namespace chat::cli
