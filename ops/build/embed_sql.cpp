// embed_sql <namespace> <in.sql> <out.h>: one `inline constexpr Statement` per "-- name: x" block.
// Comment lines directly under the name (parameters, what "no row" means) become the constant's comment.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string trimmed(const std::string& s) {
  auto begin = s.find_first_not_of(" \t\r\n");
  auto end = s.find_last_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : s.substr(begin, end - begin + 1);
}

struct Block {
  std::string name, comment, text;
};

void write(std::ostream& out, const Block& block, const std::string& stem) {
  out << block.comment << "inline constexpr ::chat::storage::Statement " << block.name << "{\n    \"" << stem << "."
      << block.name << "\",\n    R\"sql(" << trimmed(block.text) << ")sql\"};\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: embed_sql namespace in.sql out.h\n", 2;
  std::ifstream in(argv[2]);
  if (!in) return std::cerr << argv[2] << ": cannot read\n", 1;
  const std::string stem = std::filesystem::path(argv[2]).stem().string();

  std::ostringstream body;
  std::set<std::string> names;
  Block block;
  bool in_comment = false;
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("-- name: ", 0) == 0) {
      if (!block.name.empty()) write(body, block, stem);
      block = {trimmed(line.substr(9)), "", ""};
      in_comment = true;
      if (!names.insert(block.name).second) return std::cerr << argv[2] << ": " << block.name << " twice\n", 1;
    } else if (in_comment && line.rfind("--", 0) == 0) {
      block.comment += "/// " + trimmed(line.substr(2)) + "\n";
    } else {
      in_comment = false;
      if (block.name.empty() && !trimmed(line).empty() && line.rfind("--", 0) != 0)
        return std::cerr << argv[2] << ": text before the first '-- name:'\n", 1;
      block.text += line + "\n";
    }
  }
  if (!block.name.empty()) write(body, block, stem);

  std::filesystem::create_directories(std::filesystem::path(argv[3]).parent_path());
  std::ofstream out(argv[3]);
  out << "// Made from " << stem << ".sql by embed_sql. Do not edit.\n#pragma once\n"
      << "#include \"platform/storage/statement.h\"\n\nnamespace chat::" << argv[1] << "::sql {\n\n"
      << body.str() << "}  // namespace chat::" << argv[1] << "::sql\n";
  return out ? 0 : 1;
}
