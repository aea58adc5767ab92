#include <algorithm>
#include <limits>

#include "platform/matching/matcher.h"
#include "platform/matching/shard.h"

namespace chat::matching {
namespace {

/// How many places an expression has once its repetitions are written out. Does not judge form: Vectorscan does.
class Weigher {
 public:
  explicit Weigher(std::string_view expression) : text_(expression) {}

  /// Nothing: it is light enough.
  std::optional<std::size_t> find_heavy() {
    places_ = alternatives(0);
    return heavy_at_;
  }
  [[nodiscard]] std::size_t places() const { return places_; }

 private:
  [[nodiscard]] bool done() const { return at_ >= text_.size() || heavy_at_; }

  std::size_t alternatives(int depth) {
    std::size_t sum = 0;
    while (!done() && text_[at_] != ')') {
      if (text_[at_] == '|') ++at_;
      else sum += repeated(depth);
      note(sum);
    }
    return sum;
  }

  std::size_t repeated(int depth) {
    const auto one = atom(depth);
    const auto here = at_;
    std::size_t sum = one;
    while (!done() && is_quantifier()) sum = sum * std::max<std::size_t>(times(), 1);
    if (sum > kMaxRegexPlaces && !heavy_at_) heavy_at_ = here;
    return sum;
  }

  std::size_t atom(int depth) {
    const char c = text_[at_++];
    if (c == '\\') {
      at_ = std::min(at_ + 1, text_.size());
      return 1;
    }
    if (c == '[') {
      const auto first = at_;
      while (at_ < text_.size() && (text_[at_] != ']' || at_ == first)) at_ += text_[at_] == '\\' ? 2 : 1;
      at_ = std::min(at_ + 1, text_.size());
      return 1;
    }
    if (c != '(') return 1;
    if (depth > 20) {
      heavy_at_ = at_ - 1;
      return 0;
    }
    const auto inner = alternatives(depth + 1);
    if (at_ < text_.size()) ++at_;
    return std::max<std::size_t>(inner, 1);
  }

  [[nodiscard]] bool is_quantifier() const {
    const char c = text_[at_];
    return c == '*' || c == '+' || c == '?' || (c == '{' && at_ + 1 < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_ + 1])));
  }

  std::size_t times() {
    if (text_[at_++] != '{') return 1;
    std::size_t most = 0, number = 0;
    for (; at_ < text_.size() && text_[at_] != '}'; ++at_) {
      if (std::isdigit(static_cast<unsigned char>(text_[at_]))) number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text_[at_] - '0'), 100'000);
      else number = 0;
      most = std::max(most, number);
    }
    if (at_ < text_.size()) ++at_;
    return most;
  }

  void note(std::size_t sum) {
    if (sum > kMaxRegexPlaces && !heavy_at_) heavy_at_ = at_ == 0 ? 0 : at_ - 1;
  }

  std::string_view text_;
  std::size_t at_ = 0, places_ = 0;
  std::optional<std::size_t> heavy_at_;
};

std::uint32_t point_of(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(byte, text.size()));
  return static_cast<std::uint32_t>(std::count_if(before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<Mistake> find_word_mistake(std::string_view text, const Folding& folding) {
  auto core = text;
  if (core.starts_with('*')) core.remove_prefix(1);
  if (core.ends_with('*')) core.remove_suffix(1);
  const auto folded = fold(core, folding).bytes;
  if (folded.find_first_not_of(' ') == std::string::npos) return Mistake{"Nothing is left of it once it is folded.", 0};
  if (folded.size() > 1'000) return Mistake{"Too long once it is folded.", 0};
  return std::nullopt;
}

std::optional<Mistake> find_host_mistake(std::string_view host, std::uint32_t at) {
  if (host.find_first_of("/:@* ") != std::string_view::npos || host.find('.') == std::string_view::npos || forms_of_host(host).empty())
    return Mistake{"Must be the name of a host: example.com.", at};
  return std::nullopt;
}

}  // namespace

std::size_t places_of(std::string_view expression) {
  Weigher weigher(expression);
  weigher.find_heavy();
  return weigher.places();
}

std::optional<Mistake> find_mistake(Kind kind, std::string_view text, const Folding& folding) {
  switch (kind) {
    case Kind::words: return find_word_mistake(text, folding);
    case Kind::domain: return find_host_mistake(text, 0);
    case Kind::email: {
      const auto sign = text.rfind('@');
      if (sign == std::string_view::npos || text.find('@') != sign || text.substr(0, sign).find_first_of(" \t\n<>\",;") != std::string_view::npos)
        return Mistake{"Must be user@example.com, or @example.com.", 0};
      return find_host_mistake(text.substr(sign + 1), point_of(text, sign + 1));
    }
    case Kind::regex: break;
  }
  if (const auto heavy = Weigher(text).find_heavy())
    return Mistake{"Repeats more than can be looked for at once: 1,000 places with all repetitions.", point_of(text, *heavy)};
  auto mistake = find_regex_mistake(text, folding.letter_case);
  if (mistake) mistake->at = point_of(text, mistake->at);
  return mistake;
}

Folding folding_of(Kind kind, Folding wanted) {
  if (kind == Kind::words) return wanted;
  if (kind == Kind::regex) return {.letter_case = wanted.letter_case, .width = wanted.width, .invisible = wanted.invisible, .verbatim = true};
  return {.dots = true};
}

}  // namespace chat::matching
