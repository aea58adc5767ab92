#include <algorithm>
#include <array>
#include <charconv>

#include "platform/base/config_parts.h"
#include "platform/base/text.h"

namespace chat::config {
namespace {

struct Unit {
  std::string_view word;
  std::int64_t size;
};
constexpr std::array kTimes = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                               Unit{"d", 86'400'000}};
constexpr std::array kSizes = {Unit{"", 1},
                               Unit{"B", 1},
                               Unit{"KiB", 1LL << 10},
                               Unit{"MiB", 1LL << 20},
                               Unit{"GiB", 1LL << 30},
                               Unit{"TiB", 1LL << 40},
                               Unit{"KB", 1'000},
                               Unit{"MB", 1'000'000},
                               Unit{"GB", 1'000'000'000},
                               Unit{"TB", 1'000'000'000'000}};

/// A whole number and one of `units`, which the number may not overflow.
template <std::size_t N>
std::optional<std::int64_t> parse_measure(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.word != text.substr(digits)) continue;
    if (*number > INT64_MAX / unit.size) return std::nullopt;
    return *number * unit.size;
  }
  return std::nullopt;
}

/// The largest unit that shows `value` without a rest.
template <std::size_t N>
std::string in_largest(std::int64_t value, const std::array<Unit, N>& units) {
  if (value == 0) return "0";
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value % unit.size == 0 && unit.size > best->size) best = &unit;
  }
  return std::to_string(value / best->size) + std::string(best->word);
}

std::string wrong_range(const Entry& entry, std::int64_t value) {
  if (value >= entry.min && value <= entry.max) return {};
  if (entry.max == INT64_MAX) return "must be at least " + show_measure(entry.type, entry.min);
  if (entry.min == INT64_MIN) return "must be at most " + show_measure(entry.type, entry.max);
  return "must be from " + show_measure(entry.type, entry.min) + " to " + show_measure(entry.type, entry.max);
}

std::string wrong_number(const Entry& entry, std::optional<std::int64_t> value, const char* form) {
  return value ? wrong_range(entry, *value) : form;
}

std::string wrong_word(const Entry& entry, std::string_view text) {
  if (std::find(entry.words.begin(), entry.words.end(), text) != entry.words.end()) return {};
  std::string out = "must be one of ";
  for (const std::string& word : entry.words) out += (&word == entry.words.data() ? "" : ", ") + word;
  return out + did_you_mean(text, entry.words);
}

std::string wrong_form(const Entry& entry, std::string_view text) {
  switch (entry.type) {
    case Type::integer: return wrong_number(entry, parse_integer(text), "must be a plain decimal integer");
    case Type::duration:
      return wrong_number(entry, parse_duration(text), "must be a whole number with ms, s, m, h or d, such as 30s");
    case Type::bytes:
      return wrong_number(entry, parse_bytes(text),
                          "must be a whole number of bytes, or with KiB, MiB, GiB, KB, MB or GB, such as 64KiB");
    case Type::boolean: return parse_boolean(text) ? "" : "must be true or false";
    case Type::word: return wrong_word(entry, text);
    case Type::list: {
      const auto items = list_items(text);
      const bool has_gap = std::any_of(items.begin(), items.end(), [](const auto& item) { return item.empty(); });
      return has_gap ? "must not have an empty item" : "";
    }
    case Type::text: return text.find('\0') == std::string_view::npos ? "" : "must not have the character U+0000";
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits.starts_with('0')) return std::nullopt;  // YAML would read 010 as 8
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  return text == "0" ? std::optional<std::int64_t>(0) : parse_measure(text, kTimes);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) { return parse_measure(text, kSizes); }

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::string show_measure(Type type, std::int64_t value) {
  if (type == Type::duration) return in_largest(value, kTimes);
  if (type == Type::bytes) return in_largest(value, kSizes);
  return std::to_string(value);
}

std::string parse_list(std::string_view text) {
  text = text::trim(text);
  if (text.starts_with('[') && text.ends_with(']')) text = text::trim(text.substr(1, text.size() - 2));
  if (text.empty()) return {};
  std::string held;
  for (const std::string& item : text::split(text, ',')) {
    if (!held.empty()) held += '\n';
    held += text::trim(item);
  }
  return held;
}

std::vector<std::string> list_items(std::string_view held) {
  return held.empty() ? std::vector<std::string>() : text::split(held, '\n');
}

std::string wrong_value(const Entry& entry, std::string_view text) {
  std::string wrong = wrong_form(entry, text);
  if (wrong.empty() || entry.secret || entry.type == Type::list) return wrong;
  return wrong + ", is \"" + std::string(text.substr(0, 64)) + "\"";
}

}  // namespace chat::config
