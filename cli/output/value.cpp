#include "cli/output/value.h"

#include <array>
#include <cstdint>

#include "platform/base/text.h"

namespace chat::cli {
namespace {

using json::Kind;
using json::Value;

void write_json(const Value& value, std::size_t depth, std::string& out) {
  const std::string inside((depth + 1) * 2, ' ');
  const auto close = [&](char bracket) { out += "\n" + std::string(depth * 2, ' ') + bracket; };
  if (value.kind() == Kind::object && !value.members().empty()) {
    const char* before = "{\n";
    for (const auto& [name, member] : value.members()) {
      json::Writer key;
      out += before + inside + key.text(name).take() + ": ";
      write_json(member, depth + 1, out);
      before = ",\n";
    }
    close('}');
  } else if (value.kind() == Kind::array && !value.items().empty()) {
    const char* before = "[\n";
    for (const auto& item : value.items()) {
      out += before + inside;
      write_json(item, depth + 1, out);
      before = ",\n";
    }
    close(']');
  } else {
    out += value.raw();
  }
}

/// A word that no YAML parser takes for anything but that string.
bool is_plain_yaml(std::string_view s) {
  if (s.empty() || s.size() > 200) return false;
  static const std::vector<std::string> reserved = {"true", "false", "null", "yes", "no",
                                                    "on",   "off",   "y",    "n"};
  const auto lower = text::lower_ascii(s);
  for (const auto& word : reserved)
    if (lower == word) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(s.front())) return false;
  for (const char c : s)
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.' && c != '/') return false;
  return true;
}

std::string yaml_scalar(std::string_view s) {
  if (is_plain_yaml(s)) return std::string(s);
  json::Writer quoted;  // JSON's double quotes are YAML's
  return quoted.text(s).take();
}

bool is_block(const Value& value) {
  return (value.kind() == Kind::object && !value.members().empty()) ||
         (value.kind() == Kind::array && !value.items().empty());
}

/// Writes a block whose first line continues the current one (after "- ") and whose further lines start at
/// `indent`.
void write_yaml(const Value& value, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  bool first = true;
  const auto start_line = [&] {
    if (!first) out += margin;
    first = false;
  };
  if (value.kind() == Kind::object && is_block(value)) {
    for (const auto& [name, member] : value.members()) {
      start_line();
      out += yaml_scalar(name) + ":";
      out += is_block(member) ? "\n" + margin + "  " : " ";
      write_yaml(member, indent + 2, out);
    }
  } else if (is_block(value)) {
    for (const auto& item : value.items()) {
      start_line();
      out += "- ";
      write_yaml(item, indent + 2, out);
    }
  } else {
    out += (value.kind() == Kind::text ? yaml_scalar(value.text()) : value.raw()) + "\n";
  }
}

/// Decodes one code point at `at` and moves past it; the input is valid UTF-8 or the byte stands for itself.
std::uint32_t next_code_point(std::string_view s, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(s[at++]);
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  std::uint32_t point = more == 3 ? lead & 0x07u : more == 2 ? lead & 0x0Fu : more == 1 ? lead & 0x1Fu : lead;
  for (int i = 0; i < more && at < s.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(s[at++]) & 0x3Fu);
  return point;
}

struct Span {
  std::uint32_t first, last;
};
// Source: Unicode 15 EastAsianWidth W and F, Emoji_Presentation; coarse blocks are enough to align a table.
constexpr std::array<Span, 12> kWide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x33FF},
                                      {0x3400, 0x4DBF},
                                      {0x4E00, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
constexpr std::array<Span, 5> kNarrowest{
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0x1F3FB, 0x1F3FF}}};

template <std::size_t N>
bool within(const std::array<Span, N>& spans, std::uint32_t point) {
  for (const auto& span : spans)
    if (point >= span.first && point <= span.last) return true;
  return false;
}

bool is_control(std::uint32_t p) {
  return p < 0x20 || (p >= 0x7F && p < 0xA0) || (p >= 0x202A && p <= 0x202E) || (p >= 0x2066 && p <= 0x2069);
}

}  // namespace

std::optional<Value> find_at(const Value& from, std::string_view path) {
  auto at = from;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (at.kind() != Kind::object) return std::nullopt;
    const auto member = at.find(path.substr(0, dot));
    if (!member) return std::nullopt;
    at = *member;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at.kind() == Kind::null ? std::nullopt : std::optional<Value>(at);
}

std::string text_at(const Value& from, std::string_view path) {
  const auto value = find_at(from, path);
  if (!value) return "";
  if (value->kind() == Kind::text) return std::string(value->text());
  if (value->kind() != Kind::array) return value->raw();
  std::string out;
  for (const auto& item : value->items()) out += (out.empty() ? "" : ",") + text_at(item, "");
  return out;
}

std::string with_text_at(const Value& from, std::string_view path, std::string_view text) {
  json::Writer out;
  if (path.empty() || from.kind() != Kind::object) return path.empty() ? out.text(text).take() : from.raw();
  const auto dot = path.find('.');
  const auto rest = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  out.object();
  for (const auto& [name, member] : from.members())
    out.key(name).raw(name == path.substr(0, dot) ? with_text_at(member, rest, text) : member.raw());
  out.end();
  return out.take();
}

std::string pretty_json(const Value& value) {
  std::string out;
  write_json(value, 0, out);
  return out + "\n";
}

std::string yaml_text(const Value& value) {
  std::string out;
  write_yaml(value, 0, out);
  return out;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string printable(std::string_view utf8) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto start = at;
    const auto point = next_code_point(utf8, at);
    if (!is_control(point)) {
      out += utf8.substr(start, at - start);
    } else if (point < 0x100) {
      out += {'\\', 'x', kHex[point >> 4], kHex[point & 15]};
    } else {
      out +=
          {'\\', 'u', kHex[point >> 12 & 15], kHex[point >> 8 & 15], kHex[point >> 4 & 15], kHex[point & 15]};
    }
  }
  return out;
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto point = next_code_point(utf8, at);
    width += within(kNarrowest, point) ? 0 : within(kWide, point) ? 2 : 1;
  }
  return width;
}

}  // namespace chat::cli
