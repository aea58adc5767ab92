#include "platform/base/text.h"

#include <simdjson.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace chat::text {
namespace {

constexpr std::size_t kFarthest = 2;       // edits within which a word counts as meant
constexpr std::size_t kLongestWord = 128;  // longer words get no suggestion: the comparison is quadratic

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::size_t code_points(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string lower_ascii(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

std::string_view trim(std::string_view s) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t from = s.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return s.substr(from, s.find_last_not_of(kSpace) - from + 1);
}

bool is_token(std::string_view s, std::size_t max_bytes) {
  if (s.empty() || s.size() > max_bytes) return false;
  return std::all_of(s.begin(), s.end(), [](char c) { return is_unreserved(c) && c != '~'; });
}

std::vector<std::string> split(std::string_view s, char by) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = s.find(by);
    parts.emplace_back(s.substr(0, at));
    if (at == std::string_view::npos) return parts;
    s.remove_prefix(at + 1);
  }
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
  std::string best;
  if (word.size() > kLongestWord) return best;
  // Two edits turn any two letters into any others; half of the word must stand.
  std::size_t closest = std::min(kFarthest, word.size() / 2) + 1;
  for (const std::string& candidate : words) {
    if (candidate.size() > word.size() + kFarthest || word.size() > candidate.size() + kFarthest) continue;
    const std::size_t edits = distance(word, candidate);
    if (edits >= closest) continue;
    closest = edits;
    best = candidate;
  }
  return best;
}

bool percent_decode(std::string_view in, std::string& out) {
  out.clear();
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out += in[i];
      continue;
    }
    if (in.size() - i < 3) return false;
    const int high = hex_value(in[i + 1]);
    const int low = hex_value(in[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

std::string percent_encode(std::string_view in) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(in.size());
  for (const char c : in) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

void ArrayLiteral::add(std::string_view value) {
  if (out_.size() > 1) out_ += ',';
  append_quoted(out_, value);
}

void ArrayLiteral::add_null() {
  if (out_.size() > 1) out_ += ',';
  out_ += "NULL";
}

std::string ArrayLiteral::take() {
  out_ += '}';
  return std::exchange(out_, "{");
}

std::vector<std::string> parse_array_literal(std::string_view literal) {
  const auto malformed = [] { return std::invalid_argument("not a one-dimensional PostgreSQL array literal"); };
  if (literal.size() < 2 || literal.front() != '{' || literal.back() != '}') throw malformed();
  std::string_view rest = literal.substr(1, literal.size() - 2);
  std::vector<std::string> values;
  while (!rest.empty()) {
    std::string value;
    std::size_t at = 0;
    if (rest.front() == '"') {
      for (at = 1; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && ++at == rest.size()) throw malformed();
        value += rest[at];
      }
      if (at++ >= rest.size()) throw malformed();
    } else {
      at = std::min(rest.find(','), rest.size());
      if (at == 0 || rest.front() == '{') throw malformed();
      if (rest.substr(0, at) != "NULL") value = rest.substr(0, at);
    }
    values.push_back(std::move(value));
    if (at == rest.size()) return values;
    if (rest[at] != ',' || at + 1 == rest.size()) throw malformed();
    rest.remove_prefix(at + 1);
  }
  return values;
}

}  // namespace chat::text
