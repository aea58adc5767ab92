#include "platform/chat/screening/signs.h"

#include <clocale>
#include <cwctype>

#include "platform/base/error.h"

namespace chat::screening {
namespace {

constexpr std::size_t kRun = 4;

/// Unicode's tables, whatever the process' locale is.
locale_t unicode() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  INVARIANT(locale != nullptr, "C.UTF-8 is built into the C library");
  return locale;
}

/// The code point at `at`, which moves behind it. The text is valid UTF-8.
char32_t next(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(at);
  if (lead < 0x80) return text[at++];
  const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  char32_t point = lead & (0x3FU >> more);
  for (std::size_t i = 1; i <= more; ++i) point = (point << 6) | (byte(at + i) & 0x3FU);
  at += more + 1;
  return point;
}

std::uint64_t mix(std::uint64_t value) {       // the finisher of splitmix64
  value ^= value >> 30;
  value *= 0xBF58476D1CE4E5B9ULL;
  value ^= value >> 27;
  value *= 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

/// Gathers the lowest hash of each class.
class Sampler {
 public:
  void add(char32_t point) {
    run_ = (run_ << 16) ^ point;               // four code points, the oldest falls out
    if (++count_ >= kRun) take(mix(run_));
  }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(count_); }
  Print finish() {
    if (count_ > 0 && count_ < kRun) take(mix(run_));   // too short for one run: itself
    Print print{};
    for (std::size_t i = 0; i < print.size(); ++i)
      if (lowest_[i] != kNone) print[i] = static_cast<std::uint8_t>(1 + (lowest_[i] >> 5) % 255);
    return print;
  }

 private:
  static constexpr std::uint64_t kNone = UINT64_MAX;
  void take(std::uint64_t hash) {
    auto& lowest = lowest_[hash % lowest_.size()];
    lowest = std::min(lowest, hash);
  }
  std::array<std::uint64_t, 32> lowest_ = filled();
  static constexpr std::array<std::uint64_t, 32> filled() {
    std::array<std::uint64_t, 32> all{};
    all.fill(kNone);
    return all;
  }
  std::uint64_t run_ = 0;
  std::size_t count_ = 0;
};

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80; }

/// Does a link begin here: http://, https://, www. and something behind it?
bool begins_link(std::string_view text, std::size_t at) {
  if (at > 0 && is_word(text[at - 1])) return false;
  const auto matches = [&](std::string_view what) {
    if (text.size() <= at + what.size()) return false;
    for (std::size_t i = 0; i < what.size(); ++i)
      if ((text[at + i] | 0x20) != (what[i] | 0x20)) return false;
    return is_word(text[at + what.size()]);
  };
  return matches("http://") || matches("https://") || matches("www.");
}

}  // namespace

Signs read_signs(std::string_view text) {
  const locale_t locale = unicode();
  Signs signs;
  Sampler letters, others;                     // others: of a text without any letter or digit
  for (std::size_t at = 0; at < text.size();) {
    const char lead = text[at];
    if ((lead == 'h' || lead == 'H' || lead == 'w' || lead == 'W') && begins_link(text, at)) ++signs.links;
    const auto point = static_cast<wint_t>(next(text, at));
    const auto lower = ::towlower_l(point, locale);
    const bool is_capital = lower != point;
    if (is_capital || ::towupper_l(point, locale) != point) ++signs.cased;
    signs.capitals += is_capital;
    if (::iswalnum_l(point, locale) != 0) letters.add(lower);
    else if (::iswgraph_l(point, locale) != 0 && letters.count() == 0) others.add(lower);
  }
  auto& left = letters.count() > 0 ? letters : others;
  signs.length = left.count();
  signs.print = left.finish();
  return signs;
}

int similarity(const Print& one, const Print& other) {
  int same = 0, all = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] == 0 && other[i] == 0) continue;
    ++all;
    same += one[i] == other[i];
  }
  return all == 0 ? 0 : same * 100 / all;
}

}  // namespace chat::screening
