#include "platform/base/text.h"
#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/blocklists/blocklists.sql.h"

namespace chat::blocklists {
namespace {

constexpr std::size_t kMaxMistakes = 100;

struct Record {
  std::vector<std::string> cells;
  std::size_t line = 1;
  bool broken = false;                         // a quote that is never closed, or something behind one
};

/// Reads on from `at`.
Record next_record(std::string_view csv, std::size_t& at, std::size_t& line) {
  Record record{{""}, line, false};
  while (at < csv.size()) {
    const char c = csv[at];
    if (c == '"' && record.cells.back().empty()) {
      ++at;
      for (; at < csv.size() && (csv[at] != '"' || (at + 1 < csv.size() && csv[at + 1] == '"')); ++at) {
        if (csv[at] == '"') ++at;
        line += csv[at] == '\n';
        record.cells.back() += csv[at];
      }
      record.broken = record.broken || at >= csv.size();
      ++at;
      record.broken = record.broken || (at < csv.size() && csv[at] != ',' && csv[at] != '\r' && csv[at] != '\n');
    } else if (c == ',') {
      record.cells.emplace_back();
      ++at;
    } else if (c == '\n' || c == '\r') {
      at += c == '\r' && at + 1 < csv.size() && csv[at + 1] == '\n' ? 2 : 1;
      ++line;
      return record;
    } else {
      record.cells.back() += c;
      ++at;
    }
  }
  return record;
}

std::string quoted(std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(cell);
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

CsvEntries read_csv(std::string_view csv) {
  CsvEntries read;
  std::size_t at = 0, line = 1;
  if (csv.starts_with("\xEF\xBB\xBF")) at = 3;
  const auto wrong = [&read](std::size_t where, const char* why) { read.mistakes.push_back({where, {why, 0}}); };
  while (at < csv.size() && read.mistakes.size() < kMaxMistakes) {
    const auto record = next_record(csv, at, line);
    const auto& cells = record.cells;
    if (cells.size() == 1 && text::trim(cells[0]).empty() && !record.broken) continue;
    if (record.line == 1 && cells[0] == "entry") continue;
    if (record.broken) wrong(record.line, "A quote is not closed, or something stands behind it.");
    else if (cells.size() > 2) wrong(record.line, "Two columns at most: entry and expires_at.");
    else {
      Entry entry{cells[0], std::nullopt};
      if (cells.size() == 2 && !cells[1].empty()) {
        entry.expires_at = parse_time(cells[1]);
        if (!entry.expires_at) {
          wrong(record.line, "expires_at must be a time: 2030-01-31T12:00:00Z.");
          continue;
        }
      }
      read.entries.push_back(std::move(entry));
      read.lines.push_back(record.line);
    }
  }
  return read;
}

std::string entries_csv(storage::Transaction& tx, const BlockList& list) {
  std::string csv = "entry,expires_at\r\n";
  const auto rows = tx.query(sql::load_entries, tx.app(), list.id);
  for (auto row : rows) {
    const auto ends = row.optional_time(1);
    csv += quoted(row.text(0)) + "," + (ends ? format_time(*ends) : "") + "\r\n";
  }
  return csv;
}

}  // namespace chat::blocklists
