#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/normalizer2.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "platform/matching/matcher.h"

/// The matcher against the plainest thing that can be said: every part of the text is folded as a whole by ICU and compared.
using namespace chat::matching;

namespace {

using Points = std::vector<UChar32>;

constexpr std::uint32_t kLongest = 16;         // of a part: words have 5 code points, and what is nothing may stand between

Points points_of(const icu::UnicodeString& text) {
  Points points;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) points.push_back(text.char32At(i));
  return points;
}

icu::UnicodeString joined(const Points& points, std::size_t from, std::size_t to) {
  icu::UnicodeString text;
  for (auto i = from; i < to; ++i) text.append(points[i]);
  return text;
}

icu::UnicodeString canonical(const icu::UnicodeString& text) {
  UErrorCode code = U_ZERO_ERROR;
  static const auto* casefold = icu::Normalizer2::getNFKCCasefoldInstance(code);
  static const auto* nfd = icu::Normalizer2::getNFDInstance(code);
  icu::UnicodeString spaced;
  for (const auto point : points_of(text)) {
    if (u_hasBinaryProperty(point, UCHAR_WHITE_SPACE)) {
      if (!spaced.endsWith(u" ", 1)) spaced.append(u' ');
    } else {
      spaced.append(point);
    }
  }
  return nfd->normalize(casefold->normalize(spaced, code), code);
}

std::string utf8_of(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

bool is_letter(UChar32 point) { return (U_GET_GC_MASK(point) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0; }
bool is_cjk(UChar32 point) {
  UErrorCode code = U_ZERO_ERROR;
  const auto script = uscript_getScript(point, &code);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA;
}
bool is_nothing_at_all(UChar32 point) { return canonical(icu::UnicodeString(point)).isEmpty(); }

bool is_border(UChar32 neighbour, UChar32 edge) { return !is_letter(neighbour) || !is_letter(edge) || is_cjk(neighbour) || is_cjk(edge); }

/// Every part of a text that is not nothing at its edges, folded as a whole: by what it is, where it stands.
std::multimap<std::string, std::pair<std::uint32_t, std::uint32_t>> parts_of(const Points& text) {
  std::vector<bool> nothing;
  for (const auto point : text) nothing.push_back(is_nothing_at_all(point));
  std::multimap<std::string, std::pair<std::uint32_t, std::uint32_t>> parts;
  for (std::uint32_t from = 0; from < text.size(); ++from)
    for (auto to = from + 1; to <= std::min<std::uint32_t>(from + kLongest, static_cast<std::uint32_t>(text.size())); ++to)
      if (!nothing[from] && !nothing[to - 1]) parts.emplace(utf8_of(canonical(joined(text, from, to))), std::pair(from, to));
  return parts;
}

/// Whether a word that stands at from..to has its borders there.
bool is_bordered(const Points& text, std::size_t from, std::size_t to, const icu::UnicodeString& word) {
  auto before = from;
  while (before > 0 && is_nothing_at_all(text[before - 1])) --before;
  auto after = to;
  while (after < text.size() && is_nothing_at_all(text[after])) ++after;
  return (before == 0 || is_border(text[before - 1], word.char32At(0))) &&
         (after == text.size() || is_border(text[after], word.char32At(word.moveIndex32(word.length(), -1))));
}

struct Script {
  const char* name;
  Points letters;
};

const std::vector<Script>& scripts() {
  static const std::vector<Script> all{
      {"Latin", {'a', 'b', 'A', 'B', 0xE9, 'e', 0x301, 0xDF, 's', 0xFF41}},
      {"Cyrillic", {0x430, 0x431, 0x410, 0x439, 0x438, 0x306}},
      {"Greek", {0x3C3, 0x3C2, 0x3A3, 0x3B1, 0x3AC}},
      {"Arabic", {0x627, 0x628, 0x645, 0x64E}},
      {"Devanagari", {0x915, 0x93F, 0x916, 0x94D}},
      {"Han", {0x99AC, 0x9E7F, 0x304A, 0x30D0, 0x30AB, 0xFF76}},
      {"Hangul", {0xAC00, 0xAC01, 0xBC14, 0x1100}},
      {"Signs", {0x1F4A9, '+', '!', '1', 0x1D41B}},
  };
  return all;
}

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  UChar32 of(const Points& points) { return points[below(points.size())]; }

 private:
  std::mt19937 random_;
};

Points random_text(Dice& dice, const Script& script, std::size_t size) {
  static const Points between{' ', ' ', '.', '\'', '_', '-', 0x3000, '\n'};
  static const Points invisible{0x200B, 0xAD, 0x2060};
  Points text;
  while (text.size() < size) {
    const auto roll = dice.below(20);
    if (roll < 13) text.push_back(dice.of(script.letters));
    else if (roll < 18) text.push_back(dice.of(between));
    else if (roll < 19) text.push_back(dice.of(invisible));
    else text.push_back(dice.of(scripts()[dice.below(scripts().size())].letters));
  }
  return text;
}

std::string trimmed(std::string text) {
  while (text.starts_with(' ')) text.erase(0, 1);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("matcher: finds what a plain comparison of every part finds, in eight scripts", "[unit][matching]") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  Dice dice(seed);
  std::size_t finds = 0;
  for (const auto& script : scripts()) {
    std::vector<std::string> words;
    while (words.size() < 60) {
      const auto letters = random_text(dice, script, 1 + dice.below(5));
      const auto word = trimmed(utf8_of(joined(letters, 0, letters.size())));
      // A mark without a letter is no word; where marks change places, it stands nowhere.
      const bool begins_with_mark = (U_GET_GC_MASK(canonical(icu::UnicodeString::fromUTF8(word)).char32At(0)) & U_GC_M_MASK) != 0;
      if (!begins_with_mark && !find_mistake(Kind::words, word, {}) && word.find('*') == std::string::npos) words.push_back(word);
    }
    std::vector<Pattern> patterns;
    for (const auto& word : words) patterns.push_back({word, Kind::words, {}});
    std::vector<Matcher::Failure> failures;
    const Matcher matcher(patterns, failures);
    for (int round = 0; round < 12; ++round) {
      const auto text = random_text(dice, script, 40);
      const auto parts = parts_of(text);
      std::vector<Found> expected;
      for (std::uint32_t i = 0; i < words.size(); ++i) {
        const auto word = trimmed(utf8_of(canonical(icu::UnicodeString::fromUTF8(words[i]))));
        std::map<std::uint32_t, std::uint32_t> longest;
        for (auto [part, end] = parts.equal_range(word); part != end; ++part) {
          const auto [from, to] = part->second;
          if (is_bordered(text, from, to, icu::UnicodeString::fromUTF8(word))) longest[from] = std::max(longest[from], to);
        }
        for (const auto& [from, to] : longest) expected.push_back({i, from, to});
      }
      const auto written = utf8_of(joined(text, 0, text.size()));
      std::vector<Found> found;
      matcher.find(Text(written), found);
      INFO(script.name << " seed " << seed << ": " << written);
      REQUIRE(found == expected);
      finds += found.size();
    }
  }
  CHECK(finds > 100);
}
