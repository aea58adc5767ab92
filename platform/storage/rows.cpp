#include "platform/storage/rows.h"

#include <charconv>
#include <string>

#include "platform/base/error.h"

namespace chat::storage {
namespace {

std::string_view value_of(const Rows::Source& source, int row, int column) {
  INVARIANT(column >= 0 && column < source.columns(), "no such column in this result");
  INVARIANT(!source.is_null(row, column), "a NULL was read as a value");
  return source.value(row, column);
}

int number_of(std::string_view digits) {
  int number = 0;
  auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  INVARIANT(failed == std::errc() && end == digits.data() + digits.size(), "not digits");
  return number;
}

/// "2026-11-21 12:00:00.123456+00", the fraction absent or 1-6 digits.
Timestamp parse_timestamptz(std::string_view text) {
  INVARIANT(text.size() >= 22 && text[4] == '-' && text[10] == ' ' && text.substr(text.size() - 3) == "+00",
            "not a timestamptz of years 1-9999 in UTC");
  using std::chrono::hours, std::chrono::microseconds, std::chrono::minutes, std::chrono::month, std::chrono::seconds, std::chrono::sys_days;
  using std::chrono::year, std::chrono::year_month_day;
  const year_month_day day{year(number_of(text.substr(0, 4))), month(unsigned(number_of(text.substr(5, 2)))),
                           std::chrono::day(unsigned(number_of(text.substr(8, 2))))};
  Timestamp at = sys_days(day) + hours(number_of(text.substr(11, 2))) + minutes(number_of(text.substr(14, 2))) +
                 seconds(number_of(text.substr(17, 2)));
  std::string_view fraction = text.substr(19, text.size() - 22);
  if (fraction.empty()) return at;
  int micros = number_of(fraction.substr(1));
  for (auto digits = fraction.size() - 1; digits < 6; ++digits) micros *= 10;
  return at + microseconds(micros);
}

unsigned nibble(char c) {
  return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(c - 'a') + 10U;
}

std::string parse_bytea(std::string_view text) {
  INVARIANT(text.size() % 2 == 0 && text.substr(0, 2) == "\\x", "not a bytea in hex form");
  std::string bytes;
  bytes.reserve(text.size() / 2 - 1);
  for (std::size_t at = 2; at < text.size(); at += 2)
    bytes += static_cast<char>(nibble(text[at]) << 4U | nibble(text[at + 1]));
  return bytes;
}

}  // namespace

bool Row::is_null(int column) const {
  INVARIANT(column >= 0 && column < rows_->source_->columns(), "no such column in this result");
  return rows_->source_->is_null(index_, column);
}

std::string_view Row::text(int column) const { return value_of(*rows_->source_, index_, column); }

std::int64_t Row::integer(int column) const {
  std::string_view digits = text(column);
  std::int64_t number = 0;
  auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  INVARIANT(failed == std::errc() && end == digits.data() + digits.size(), "the column is not an integer");
  return number;
}

bool Row::boolean(int column) const {
  std::string_view value = text(column);
  INVARIANT(value == "t" || value == "f", "the column is not a boolean");
  return value == "t";
}

Uuid Row::uuid(int column) const {
  auto uuid = Uuid::parse(text(column));
  INVARIANT(uuid.has_value(), "the column is not a uuid");
  return *uuid;
}

Timestamp Row::time(int column) const { return parse_timestamptz(text(column)); }
std::string Row::bytes(int column) const { return parse_bytea(text(column)); }

std::optional<std::string> Row::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional<std::string>(text(column));
}
std::optional<std::int64_t> Row::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}
std::optional<Uuid> Row::optional_uuid(int column) const {
  return is_null(column) ? std::nullopt : std::optional(uuid(column));
}
std::optional<Timestamp> Row::optional_time(int column) const {
  return is_null(column) ? std::nullopt : std::optional(time(column));
}

int Row::column(std::string_view name) const {
  int column = rows_->source_->column(name);
  INVARIANT(column >= 0, "no column of this name in this result");
  return column;
}

}  // namespace chat::storage
