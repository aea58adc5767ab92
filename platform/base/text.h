#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chat::text {

bool is_utf8(std::string_view bytes);             // valid UTF-8, surrogates and overlong forms refused
std::size_t code_points(std::string_view utf8);
std::string lower_ascii(std::string_view s);
std::string_view trim(std::string_view s);        // ASCII white space
bool is_token(std::string_view s, std::size_t max_bytes);  // 1..max of [A-Za-z0-9_.-]: ids that appear in URLs and headers
std::vector<std::string> split(std::string_view s, char by);

/// Nearest of `words` at most two edits away, or empty: for "did you mean".
std::string nearest(std::string_view word, const std::vector<std::string>& words);

/// Percent-decoding of one URL part; nullopt-like empty optional is a malformed escape. `+` is left alone.
bool percent_decode(std::string_view in, std::string& out);
std::string percent_encode(std::string_view in);  // everything but RFC 3986 unreserved

/// `{"a","b\"c",NULL}`: a PostgreSQL array literal of texts.
class ArrayLiteral {
 public:
  void add(std::string_view value);
  void add_null();
  [[nodiscard]] std::string take();               // closes it
 private:
  std::string out_ = "{";
};
std::vector<std::string> parse_array_literal(std::string_view literal);  // NULLs become empty strings

}  // namespace chat::text
