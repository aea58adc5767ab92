#include "cli/output/output.h"

#include <algorithm>

#include "cli/output/value.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace chat::cli {
namespace {

using json::Value;

std::vector<Value> rows_of(const Value& document, const Sheet& sheet) {
  const auto at = find_at(document, sheet.rows);
  if (!at) return {};
  if (at->kind() == json::Kind::array) return at->items();
  return {*at};
}

std::string cell_for_people(const Value& row, const Column& column) {
  auto text = text_at(row, column.path);
  if (text.empty()) return "-";
  if (column.look == Look::time)
    if (const auto at = parse_time(text)) {
      const auto full = format_time(*at);
      return full.substr(0, 10) + " " + full.substr(11, 8) + "Z";
    }
  return printable(text);
}

std::string paint_cell(const Column& column, const std::string& padded, const std::string& cell,
                       Style style) {
  return column.look == Look::state ? style.paint(ink_of_state(cell), padded) : padded;
}

std::string upright_table(const std::vector<Value>& rows, const Sheet& sheet, Style style) {
  std::size_t width = 0;
  for (const auto& column : sheet.columns) width = std::max(width, column.title.size());
  std::string out;
  for (const auto& row : rows)
    for (const auto& column : sheet.columns) {
      const auto cell = cell_for_people(row, column);
      if (cell == "-") continue;
      out += style.paint(Ink::dim, column.title) + std::string(width - column.title.size() + 2, ' ') +
             paint_cell(column, cell, cell, style) + "\n";
    }
  return out;
}

std::string table(const std::vector<Value>& rows, const Sheet& sheet, Style style) {
  const auto count = sheet.columns.size();
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> cells;
  for (const auto& column : sheet.columns) widths.push_back(column.title.size());
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < count; ++i) {
      line.push_back(cell_for_people(row, sheet.columns[i]));
      widths[i] = std::max(widths[i], display_width(line.back()));
    }
  }
  const auto pad = [&](std::size_t i, const std::string& cell) {
    const std::string blanks(widths[i] - display_width(cell), ' ');
    if (sheet.columns[i].look == Look::number) return blanks + cell;
    return i + 1 == count ? cell : cell + blanks;
  };
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += (i == 0 ? "" : "  ") + style.paint(Ink::dim, pad(i, sheet.columns[i].title));
  out += "\n";
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < count; ++i)
      out += (i == 0 ? "" : "  ") + paint_cell(sheet.columns[i], pad(i, line[i]), line[i], style);
    out += "\n";
  }
  return out;
}

std::string csv(const std::vector<Value>& rows, const Sheet& sheet) {
  std::string out;
  const auto line = [&](auto&& cell_of) {
    for (std::size_t i = 0; i < sheet.columns.size(); ++i) out += (i == 0 ? "" : ",") + csv_cell(cell_of(i));
    out += "\r\n";
  };
  line([&](std::size_t i) { return sheet.columns[i].title; });
  for (const auto& row : rows) line([&](std::size_t i) { return text_at(row, sheet.columns[i].path); });
  return out;
}

}  // namespace

Format parse_format(std::string_view word) {
  if (word == "table") return Format::table;
  if (word == "json") return Format::json;
  if (word == "yaml") return Format::yaml;
  if (word == "csv") return Format::csv;
  INVARIANT(word == "name", "the command line admits five formats");
  return Format::name;
}

std::string render(Format format, const Value& document, const Sheet& sheet, Style style) {
  if (format == Format::json) return pretty_json(document);
  if (format == Format::yaml) return yaml_text(document);
  const auto rows = rows_of(document, sheet);
  if (format == Format::csv) return csv(rows, sheet);
  if (format == Format::table) {
    if (sheet.upright) return upright_table(rows, sheet, style);
    return rows.empty() ? "" : table(rows, sheet, style);
  }
  std::string names;
  for (const auto& row : rows) names += printable(text_at(row, sheet.name)) + "\n";
  return names;
}

}  // namespace chat::cli
