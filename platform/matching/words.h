#pragma once
#include "platform/matching/folding.h"

/// Where words end, in any script. Private to the folder.
namespace chat::matching {

/// A letter, a mark or a digit.
bool is_word(char32_t point);

/// Where the dictionaries of scripts without spaces have borders in a text. The text is read once, when somebody first asks: reading it
/// for each find would cost its length each time.
class Borders {
 public:
  explicit Borders(const Text& text) : text_(text) {}
  [[nodiscard]] bool before(std::uint32_t at);   // code point
 private:
  void read();
  const Text& text_;
  std::vector<bool> before_;                   // per code point; empty: not read
};

/// Whether a word may begin at code point `at` when `edge` is its first letter, as folded; or end before `at` when it is its last.
///
/// Rule:    no letter, mark or digit touches it. Between Han characters and Hiragana there is no other border than any; in Thai, Lao, Khmer
///          and Myanmar, which write no spaces, a dictionary says. An apostrophe, a dot and an underscore are borders, unlike in
///          UAX 29: "l'idiot" and "_idiot_" hold the word "idiot".
bool begins_word(const Text& text, const Folded& folded, const Folding& folding, Borders& borders, std::uint32_t at, char32_t edge);
bool ends_word(const Text& text, const Folded& folded, const Folding& folding, Borders& borders, std::uint32_t at, char32_t edge);

/// The code point that begins at, or ends before, a byte of valid UTF-8.
char32_t point_at(std::string_view bytes, std::size_t at);
char32_t point_before(std::string_view bytes, std::size_t at);

}  // namespace chat::matching
