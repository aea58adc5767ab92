#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/style.h"
#include "platform/base/json.h"

/// One model, five renderings: a JSON document and the sheet that says which of it people read in columns.
namespace chat::cli {

enum class Format { table, json, yaml, csv, name };
Format parse_format(std::string_view word);  // INVARIANT: one of the five (the command line checked it)

enum class Look {
  text,
  number,  // to the right
  time,    // tables show it to the second
  state,   // coloured: active green, blocked red, …
};

struct Column {
  std::string title;  // upper case, no blanks
  std::string path;   // dotted, within a row
  Look look = Look::text;
};

/// How a document reads as rows.
struct Sheet {
  std::vector<Column> columns;
  std::string name;       // path within a row of what `-o name` prints
  std::string rows = {};  // path of the list; empty: the document is the list, or the only row
  bool upright = false;   // one row: a line per column, "PLAN  free"
};

/// json and yaml print the whole document, csv and name its rows; table is for people and may change.
/// Shape:   times in csv, json and yaml are RFC 3339 as the server sent them; an absent value is "-" in
/// tables, empty in csv.
std::string render(Format format, const json::Value& document, const Sheet& sheet, Style style);

}  // namespace chat::cli
