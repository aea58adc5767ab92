#include "platform/matching/words.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>

#include <memory>

namespace chat::matching {
namespace {

constexpr std::uint32_t kWordMask = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;

bool stands_alone(char32_t point) {
  UErrorCode code = U_ZERO_ERROR;
  const auto script = uscript_getScript(static_cast<UChar32>(point), &code);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA;
}

bool needs_dictionary(char32_t point) {
  return u_getIntPropertyValue(static_cast<UChar32>(point), UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT;
}

/// `neighbour` touches `edge` at `at`.
bool is_border(Borders& borders, std::uint32_t at, char32_t neighbour, char32_t edge) {
  if (!is_word(edge) || !is_word(neighbour) || stands_alone(edge) || stands_alone(neighbour)) return true;
  return needs_dictionary(edge) && needs_dictionary(neighbour) && borders.before(at);
}

bool is_dropped(const Folded& folded, std::uint32_t at) { return !folded.dropped.empty() && folded.dropped[at]; }

}  // namespace

bool is_word(char32_t point) {
  if (point < 0x80) return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') || (point >= '0' && point <= '9');
  return (U_GET_GC_MASK(static_cast<UChar32>(point)) & kWordMask) != 0;
}

bool Borders::before(std::uint32_t at) {
  if (before_.empty()) read();
  return before_[at];
}

void Borders::read() {
  struct Close {
    void operator()(UBreakIterator* one) const { ubrk_close(one); }
  };
  thread_local const std::unique_ptr<UBreakIterator, Close> words = [] {
    UErrorCode code = U_ZERO_ERROR;
    auto* made = ubrk_open(UBRK_WORD, "", nullptr, 0, &code);
    return std::unique_ptr<UBreakIterator, Close>(U_FAILURE(code) ? nullptr : made);
  }();
  before_.assign(text_.points.size() + 1, true);
  UErrorCode code = U_ZERO_ERROR;
  UText view = UTEXT_INITIALIZER;
  utext_openUTF8(&view, text_.bytes.data(), static_cast<std::int64_t>(text_.bytes.size()), &code);
  if (!words || U_FAILURE(code)) return;
  ubrk_setUText(words.get(), &view, &code);
  if (U_SUCCESS(code)) {
    before_.assign(before_.size(), false);
    std::size_t i = 0;
    for (auto border = ubrk_first(words.get()); border != UBRK_DONE; border = ubrk_next(words.get())) {
      while (i < text_.points.size() && text_.offsets[i] < static_cast<std::uint32_t>(border)) ++i;
      before_[i] = text_.offsets[i] == static_cast<std::uint32_t>(border);
    }
  }
  utext_close(&view);
}

bool begins_word(const Text& text, const Folded& folded, const Folding& folding, Borders& borders, std::uint32_t at, char32_t edge) {
  for (auto i = at; i > 0; --i) {
    if (is_dropped(folded, i - 1)) return true;
    if (is_nothing(text.points[i - 1], folding)) continue;
    return is_border(borders, at, text.points[i - 1], edge);
  }
  return true;
}

bool ends_word(const Text& text, const Folded& folded, const Folding& folding, Borders& borders, std::uint32_t at, char32_t edge) {
  for (auto i = at; i < text.points.size(); ++i) {
    if (is_dropped(folded, i)) return true;
    if (is_nothing(text.points[i], folding)) continue;
    return is_border(borders, at, text.points[i], edge);
  }
  return true;
}

}  // namespace chat::matching
