#include "platform/matching/folding.h"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include <array>
#include <mutex>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/matching/point_table.h"
#include "platform/matching/words.h"

namespace chat::matching {
namespace {

using Units = std::u16string;

void check(UErrorCode code, const char* what) {
  if (U_FAILURE(code)) throw Error(Code::internal, "The service made a mistake.").with_log(std::string(what) + ": " + u_errorName(code));
}

const UNormalizer2* normalizer(const char* name, UNormalization2Mode mode) {
  UErrorCode code = U_ZERO_ERROR;
  const auto* one = unorm2_getInstance(nullptr, name, mode, &code);
  check(code, name);
  return one;
}

Units normalized(const UNormalizer2* how, const Units& text) {
  std::array<UChar, 128> out{};                // one code point never gives more than 18
  UErrorCode code = U_ZERO_ERROR;
  const auto size = unorm2_normalize(how, text.data(), static_cast<std::int32_t>(text.size()), out.data(), out.size(), &code);
  return U_FAILURE(code) ? text : Units(out.data(), static_cast<std::size_t>(size));
}

Units decomposed(const Units& text) {
  static const auto* nfd = normalizer("nfc", UNORM2_DECOMPOSE);
  return normalized(nfd, text);
}

Units undressed(const Units& text, bool compose) {
  static const auto* nfkd = normalizer("nfkc", UNORM2_DECOMPOSE);
  static const auto* nfkc = normalizer("nfkc", UNORM2_COMPOSE);
  return normalized(compose ? nfkc : nfkd, text);
}

Units case_folded(const Units& text) {
  std::array<UChar, 128> out{};
  UErrorCode code = U_ZERO_ERROR;
  const auto size = u_strFoldCase(out.data(), out.size(), text.data(), static_cast<std::int32_t>(text.size()), U_FOLD_CASE_DEFAULT, &code);
  return U_FAILURE(code) ? text : Units(out.data(), static_cast<std::size_t>(size));
}

Units skeleton(const Units& text) {
  static const USpoofChecker* checker = [] {
    UErrorCode code = U_ZERO_ERROR;
    auto* made = uspoof_open(&code);
    check(code, "uspoof_open");
    return made;
  }();
  std::array<UChar, 256> out{};
  UErrorCode code = U_ZERO_ERROR;
  const auto size = uspoof_getSkeleton(checker, 0, text.data(), static_cast<std::int32_t>(text.size()), out.data(), out.size(), &code);
  return U_FAILURE(code) ? text : Units(out.data(), static_cast<std::size_t>(size));
}

Units of_point(UChar32 point) {
  std::array<UChar, 2> units{};
  std::int32_t size = 0;
  UBool failed = false;
  U16_APPEND(units.data(), size, 2, point, failed);
  return failed ? Units(1, 0xFFFD) : Units(units.data(), static_cast<std::size_t>(size));
}

/// Marks over, under and around letters. Not the vowels of Indic scripts, which are marks, too.
bool is_diacritic(UChar32 point) {
  const auto type = u_charType(point);
  if (type != U_NON_SPACING_MARK && type != U_ENCLOSING_MARK) return false;
  UErrorCode code = U_ZERO_ERROR;
  switch (uscript_getScript(point, &code)) {
    case USCRIPT_INHERITED: case USCRIPT_LATIN: case USCRIPT_GREEK: case USCRIPT_CYRILLIC: case USCRIPT_ARABIC: case USCRIPT_HEBREW:
    case USCRIPT_SYRIAC: return true;
    default: return false;
  }
}

/// Letters whose stroke is no mark of its own.
UChar32 without_stroke(UChar32 point) {
  switch (point) {
    case 0xF8: return 'o'; case 0xD8: return 'O'; case 0x111: return 'd'; case 0x110: return 'D'; case 0x142: return 'l'; case 0x141: return 'L';
    case 0x127: return 'h'; case 0x126: return 'H'; case 0x167: return 't'; case 0x166: return 'T'; case 0x131: return 'i'; case 0x180: return 'b';
    case 0x268: return 'i'; case 0x275: return 'o';
    default: return point;
  }
}

Units without_diacritics(const Units& text) {
  Units out;
  const auto whole = decomposed(text);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(whole.size());) {
    UChar32 point = 0;
    U16_NEXT(whole.data(), i, static_cast<std::int32_t>(whole.size()), point);
    if (!is_diacritic(point)) out += of_point(without_stroke(point));
  }
  return out;
}

UChar32 unleeted(UChar32 point) {
  switch (point) {
    case '4': case '@': return 'a';
    case '3': return 'e';
    case '1': case '!': return 'i';
    case '0': return 'o';
    case '5': case '$': return 's';
    case '7': return 't';
    default: return point;
  }
}

bool has_no_width(UChar32 point) {
  const auto type = u_charType(point);
  return u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || type == U_FORMAT_CHAR || type == U_CONTROL_CHAR;
}

Units folded_point(UChar32 point, const Folding& folding) {
  if (u_hasBinaryProperty(point, UCHAR_WHITE_SPACE)) return folding.verbatim ? of_point(point) : Units(1, ' ');
  if (folding.invisible && has_no_width(point)) return {};
  if (folding.dots && (point == 0x3002 || point == 0xFF0E || point == 0xFF61)) return Units(1, '.');
  Units units = of_point(folding.leet ? unleeted(point) : point);
  if (folding.width) units = undressed(units, folding.verbatim);
  if (folding.verbatim) return units;
  if (folding.leet && units.size() == 1) units = of_point(unleeted(units[0]));
  if (folding.letter_case) units = case_folded(units);
  if (folding.diacritics) units = without_diacritics(units);
  if (folding.confusables) {
    units = skeleton(units);
    if (folding.letter_case) units = case_folded(units);
    if (folding.diacritics) units = without_diacritics(units);
  }
  return decomposed(units);
}

std::string utf8_of(const Units& units) {
  std::string out(units.size() * 3 + 1, '\0');
  std::int32_t size = 0;
  UErrorCode code = U_ZERO_ERROR;
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, units.data(), static_cast<std::int32_t>(units.size()), &code);
  out.resize(U_FAILURE(code) ? 0 : static_cast<std::size_t>(size));
  return out;
}

constexpr UChar32 kLastPoint = 0x10FFFF;

}  // namespace

PointTable::PointTable(const Folding& folding) : folding_(folding) {}

namespace {

/// The one page with this content.
const PointTable::Page& kept_once(std::unique_ptr<const PointTable::Page> page) {
  struct Kept {
    std::mutex mutex;
    std::unordered_map<std::string, std::unique_ptr<const PointTable::Page>> pages;
  };
  static auto& kept = *new Kept;               // threads may fold until the very end
  std::string content(reinterpret_cast<const char*>(page->offsets.data()), sizeof page->offsets);
  content.append(reinterpret_cast<const char*>(page->mark.data()), sizeof page->mark).append(page->bytes);
  const std::lock_guard lock(kept.mutex);
  auto& place = kept.pages[std::move(content)];
  if (!place) place = std::move(page);
  return *place;
}

}  // namespace

const PointTable::Page& PointTable::make(std::size_t number) const {
  auto page = std::make_unique<Page>();
  for (std::size_t i = 0; i < kPageSize; ++i) {
    const auto point = static_cast<UChar32>(number * kPageSize + i);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    const auto bytes = utf8_of(surrogate || point > kLastPoint ? Units(1, 0xFFFD) : folded_point(point, folding_));
    page->offsets[i] = static_cast<std::uint16_t>(page->bytes.size());
    page->bytes += bytes;
    page->mark[i] = !bytes.empty() && u_getCombiningClass(static_cast<UChar32>(point_at(bytes, 0))) != 0;
  }
  page->offsets[kPageSize] = static_cast<std::uint16_t>(page->bytes.size());
  page->bytes.shrink_to_fit();
  const auto& one = kept_once(std::move(page));
  pages_[number].store(&one, std::memory_order_release);
  return one;
}

const PointTable& PointTable::of(const Folding& folding) {
  static std::array<std::atomic<const PointTable*>, 512> tables{};
  auto& place = tables.at(folding.bits());
  if (const auto* table = place.load(std::memory_order_acquire)) return *table;
  auto made = std::make_unique<const PointTable>(folding);
  const PointTable* nobody = nullptr;
  if (place.compare_exchange_strong(nobody, made.get(), std::memory_order_acq_rel)) return *made.release();   // lives as long as the process
  return *nobody;
}

std::uint8_t combining_class(char32_t point) { return u_getCombiningClass(static_cast<UChar32>(point)); }

std::vector<std::string> forms_of_host(std::string_view host) {
  UErrorCode code = U_ZERO_ERROR;
  static const UIDNA* idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE | UIDNA_CHECK_BIDI | UIDNA_USE_STD3_RULES, &code);
  std::vector<std::string> forms;
  const auto size = static_cast<std::int32_t>(host.size());
  for (const auto& convert : {uidna_nameToASCII_UTF8, uidna_nameToUnicodeUTF8}) {
    std::array<char, 1024> out{};
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    code = U_ZERO_ERROR;
    const auto length = convert(idna, host.data(), size, out.data(), out.size(), &info, &code);
    if (U_FAILURE(code) || info.errors != 0 || length == 0) return {};
    std::string form(out.data(), static_cast<std::size_t>(length));
    if (forms.empty() || forms.front() != form) forms.push_back(std::move(form));
  }
  return forms;
}

}  // namespace chat::matching
