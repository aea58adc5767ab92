#include "platform/base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace chat {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  }
};

constexpr Timestamp kEarliest = sys_days{std::chrono::year{1970} / 1 / 1};
constexpr Timestamp kEnd = sys_days{std::chrono::year{10000} / 1 / 1};

void put(char* at, int width, std::int64_t value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// `at`, kept where four digits of year suffice: a token's absurd expiry must not break an answer.
Timestamp in_reach(Timestamp at) {
  constexpr Timestamp kFirst = sys_days{std::chrono::year{0} / 1 / 1};
  return std::clamp(at, kFirst, kEnd - microseconds{1});
}

year_month_day date_of(Timestamp at) { return year_month_day{std::chrono::floor<days>(in_reach(at))}; }

std::string date_text(const year_month_day& date) {
  std::string out = "0000-00-00";
  put(out.data(), 4, int{date.year()});
  put(out.data() + 5, 2, unsigned{date.month()});
  put(out.data() + 8, 2, unsigned{date.day()});
  return out;
}

/// Takes the parts of a time from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool any_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Nothing, or a point with 1 to 9 digits; what is finer than a microsecond is cut off.
  bool fraction(microseconds& value) {
    value = microseconds{0};
    if (!any_of(".")) return true;
    std::size_t count = 0;
    for (std::int64_t scale = 100000; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      value += microseconds{(rest_[count] - '0') * scale};
      scale /= 10;
    }
    rest_.remove_prefix(count);
    return count >= 1 && count <= 9;
  }
  bool offset(minutes& value) {
    value = minutes{0};
    if (any_of("Zz")) return true;
    const bool west = !rest_.empty() && rest_.front() == '-';
    int hour = 0;
    int minute = 0;
    if (!any_of("+-") || !digits(2, hour) || !any_of(":") || !digits(2, minute)) return false;
    value = hours{hour} + minutes{minute};
    if (west) value = -value;
    return hour <= 23 && minute <= 59;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// A leap second may only stand at the end of a month, UTC. It becomes the second after it, as in PostgreSQL.
bool ends_a_month(Timestamp after) {
  const auto day = std::chrono::floor<days>(after);
  return after - day < seconds{1} && unsigned{year_month_day{day}.day()} == 1;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string format_time(Timestamp moment) {
  const Timestamp at = in_reach(moment);
  const year_month_day date = date_of(at);
  std::string out = "0000-00-00T00:00:00.000000Z";
  put(out.data(), 4, int{date.year()});
  put(out.data() + 5, 2, unsigned{date.month()});
  put(out.data() + 8, 2, unsigned{date.day()});
  const std::int64_t of_day = (at - std::chrono::floor<days>(at)).count();
  put(out.data() + 11, 2, of_day / 3'600'000'000);
  put(out.data() + 14, 2, of_day / 60'000'000 % 60);
  put(out.data() + 17, 2, of_day / 1'000'000 % 60);
  put(out.data() + 20, 6, of_day % 1'000'000);
  return out;
}

std::optional<Timestamp> parse_time(std::string_view text) {
  Reader in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  microseconds fraction{};
  minutes offset{};
  if (!in.digits(4, year) || !in.any_of("-") || !in.digits(2, month) || !in.any_of("-") || !in.digits(2, day)) return {};
  if (!in.any_of("Tt") || !in.digits(2, hour) || !in.any_of(":") || !in.digits(2, minute)) return {};
  if (!in.any_of(":") || !in.digits(2, second) || !in.fraction(fraction) || !in.offset(offset) || !in.done()) return {};
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return {};
  const Timestamp at = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction - offset;
  if (second == 60 && !ends_a_month(at)) return {};
  if (at < kEarliest || at >= kEnd) return {};
  return at;
}

std::string day_of(Timestamp at) { return date_text(date_of(at)); }

std::string month_of(Timestamp at) { return date_text(date_of(month_start(at))); }

Timestamp month_start(Timestamp at) {
  const year_month_day date = date_of(at);
  return sys_days{date.year() / date.month() / 1};
}

Timestamp next_month_start(Timestamp at) {
  const year_month_day date = date_of(at);
  return sys_days{date.year() / date.month() / 1 + std::chrono::months{1}};
}

}  // namespace chat
