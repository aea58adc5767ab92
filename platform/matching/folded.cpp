#include <algorithm>

#include "platform/matching/folding.h"
#include "platform/matching/point_table.h"
#include "platform/matching/words.h"

namespace chat::matching {
namespace {

constexpr std::uint32_t kMinAlone = 3;         // letters that stand alone, in a row
constexpr std::uint32_t kMaxBetween = 3;       // code points between two of them

struct Decoded {
  char32_t point;
  std::uint32_t size;
};

/// Errors of form count as one byte.
Decoded decode(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const auto first = byte(at);
  if (first < 0x80) return {first, 1};
  const std::uint32_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + size > bytes.size()) return {0xFFFD, 1};
  char32_t point = first & (0xFFU >> (size + 1));
  for (std::uint32_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {0xFFFD, 1};
    point = point << 6 | (byte(at + i) & 0x3F);
  }
  if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {0xFFFD, 1};
  return {point, size};
}

/// Writes what was folded; marks in a row are put in their canonical order.
class Out {
 public:
  explicit Out(std::size_t size) {
    folded_.bytes.reserve(size + size / 4);
    folded_.source.reserve(size + size / 4);
  }
  void add(std::string_view bytes, std::uint32_t source) {
    if (!marks_.empty()) flush();
    put(bytes, source);
  }
  void add_mark(std::string_view bytes, std::uint32_t source) {
    marks_.push_back({combining_class(point_at(bytes, 0)), std::string(bytes), source});
  }
  Folded take() {
    flush();
    return std::move(folded_);
  }
  [[nodiscard]] bool ends_with_space() const { return marks_.empty() && !folded_.bytes.empty() && folded_.bytes.back() == ' '; }

 private:
  struct Mark {
    std::uint8_t order;
    std::string bytes;
    std::uint32_t source;
  };
  void put(std::string_view bytes, std::uint32_t source) {
    folded_.bytes += bytes;
    folded_.source.insert(folded_.source.end(), bytes.size(), source);
  }
  void flush() {
    std::stable_sort(marks_.begin(), marks_.end(), [](const Mark& a, const Mark& b) { return a.order < b.order; });
    for (const auto& mark : marks_) put(mark.bytes, mark.source);
    marks_.clear();
  }
  Folded folded_;
  std::vector<Mark> marks_;
};

enum class Place : std::uint8_t { letter, between, nothing };

Place place_of(const PointTable& table, char32_t point) {
  const auto bytes = table.bytes_of(point);
  if (bytes.empty()) return Place::nothing;
  if (!is_word(point_at(bytes, 0))) return Place::between;
  return combining_class(point) != 0 ? Place::nothing : Place::letter;
}

/// What stands between letters that stand alone.
std::vector<bool> find_dropped(const Text& text, const PointTable& table) {
  const auto size = static_cast<std::uint32_t>(text.points.size());
  std::vector<bool> dropped(size);
  std::vector<std::uint32_t> alone;            // the run, so far
  std::uint32_t i = 0, between = 0;
  const auto end_run = [&] {
    if (alone.size() >= kMinAlone)
      for (auto at = alone.front(); at < alone.back(); ++at) dropped[at] = place_of(table, text.points[at]) == Place::between;
    alone.clear();
  };
  while (i < size) {
    if (place_of(table, text.points[i]) != Place::letter) {
      if (place_of(table, text.points[i]) == Place::between && ++between > kMaxBetween) end_run();
      ++i;
      continue;
    }
    const auto first = i;
    std::uint32_t letters = 0;
    for (; i < size && place_of(table, text.points[i]) != Place::between; ++i) letters += place_of(table, text.points[i]) == Place::letter;
    if (letters > 1) end_run();
    else alone.push_back(first);
    between = 0;
  }
  end_run();
  return dropped;
}

int hex_digit(char32_t point) {
  if (point >= '0' && point <= '9') return static_cast<int>(point - '0');
  const auto letter = point | 0x20;
  return letter >= 'a' && letter <= 'f' ? static_cast<int>(letter - 'a') + 10 : -1;
}

/// What %65 or %C3%A9 at this place stands for; `size` is its code points there. Anything else stands for itself.
Decoded unescaped(const Text& text, std::uint32_t at) {
  std::string bytes;
  for (auto i = at; bytes.size() < 4 && i + 2 < text.points.size() && text.points[i] == '%'; i += 3) {
    const int high = hex_digit(text.points[i + 1]), low = hex_digit(text.points[i + 2]);
    if (high < 0 || low < 0) break;
    bytes += static_cast<char>(high << 4 | low);
  }
  const auto decoded = bytes.empty() ? Decoded{0xFFFD, 1} : decode(bytes, 0);
  return decoded.point == 0xFFFD ? Decoded{text.points[at], 1} : Decoded{decoded.point, 3 * decoded.size};
}

}  // namespace

std::uint32_t Folded::end_of(std::size_t byte) const {
  const auto found = std::ranges::lower_bound(escapes, source[byte], {}, &Escape::at);
  return source[byte] + (found != escapes.end() && found->at == source[byte] ? found->size : 1);
}

std::uint16_t Folding::bits() const {
  const bool all[] = {letter_case, width, diacritics, confusables, leet, invisible, spacing, dots, verbatim};
  std::uint16_t bits = 0;
  for (std::size_t i = 0; i < std::size(all); ++i) bits = static_cast<std::uint16_t>(bits | all[i] << i);
  return bits;
}

Text::Text(std::string_view utf8) : bytes(utf8) {
  points.reserve(utf8.size());
  offsets.reserve(utf8.size() + 1);
  for (std::size_t at = 0; at < utf8.size();) {
    const auto [point, size] = decode(utf8, at);
    points.push_back(point);
    offsets.push_back(static_cast<std::uint32_t>(at));
    at += size;
  }
  offsets.push_back(static_cast<std::uint32_t>(utf8.size()));
}

char32_t point_at(std::string_view bytes, std::size_t at) { return decode(bytes, at).point; }

char32_t point_before(std::string_view bytes, std::size_t at) {
  std::size_t begin = at - 1;
  while (begin > 0 && (static_cast<std::uint8_t>(bytes[begin]) & 0xC0) == 0x80) --begin;
  return decode(bytes, begin).point;
}

bool is_nothing(char32_t point, const Folding& folding) { return PointTable::of(folding).bytes_of(point).empty(); }

Folded fold(const Text& text, const Folding& folding) {
  const auto& table = PointTable::of(folding);
  std::vector<bool> dropped;
  if (folding.spacing) dropped = find_dropped(text, table);
  std::vector<Folded::Escape> escapes;
  Out out(text.bytes.size());
  for (std::uint32_t i = 0, next = 0; i < text.points.size(); i = next) {
    next = i + 1;
    if (!dropped.empty() && dropped[i]) continue;
    auto point = text.points[i];
    if (folding.dots && point == '%') {
      const auto escaped = unescaped(text, i);
      point = escaped.point;
      next = i + escaped.size;
      if (escaped.size > 1) escapes.push_back({i, escaped.size});
    }
    const auto& page = table.page(point);
    const auto in_page = point % PointTable::kPageSize;
    const auto bytes = std::string_view(page.bytes).substr(page.offsets[in_page], page.offsets[in_page + 1] - page.offsets[in_page]);
    if (bytes.empty() || (bytes == " " && !folding.verbatim && out.ends_with_space())) continue;
    if (page.mark[in_page] && !folding.verbatim) out.add_mark(bytes, i);
    else out.add(bytes, i);
  }
  auto folded = out.take();
  folded.dropped = std::move(dropped);
  folded.escapes = std::move(escapes);
  return folded;
}

}  // namespace chat::matching
