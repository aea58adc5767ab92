#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/json.h"

namespace chat::cli {

/// The node at a dotted path ("secret.value") below an object; empty path: the node itself. Absent and null:
/// nothing.
std::optional<json::Value> find_at(const json::Value& from, std::string_view path);

/// As one line of text: a string's own text, a list's items with commas, an object as JSON. Absent: "".
std::string text_at(const json::Value& from, std::string_view path);

/// The JSON of `from` with the text at `path` replaced.
std::string with_text_at(const json::Value& from, std::string_view path, std::string_view text);

std::string pretty_json(const json::Value& value);  // two blanks per level, ends with a newline
/// Block style; strings in double quotes unless they are plain words. Read back by any YAML 1.2 parser as the
/// same values.
std::string yaml_text(const json::Value& value);
std::string csv_cell(std::string_view text);  // RFC 4180

/// What must not reach a terminal from foreign data: control characters become \x1b and the like.
std::string printable(std::string_view utf8);
/// Columns it takes on a terminal: wide letters and emoji count two, combining marks none.
std::size_t display_width(std::string_view utf8);

}  // namespace chat::cli
