#include "tests/shape/tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace chat::test {
namespace fs = std::filesystem;
namespace {

const fs::path kRoot = CHAT_SOURCE_DIR;

bool is_skipped(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == "build" ? path.parent_path() == kRoot : name == "var" || (name[0] == '.' && name != ".ci");
}

std::vector<std::string> lines_of(const std::string& text) {
  if (text.find('\0') != std::string::npos) return {};
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<SourceFile> read_tree() {
  std::vector<SourceFile> files;
  fs::recursive_directory_iterator entry(kRoot), end;
  for (; entry != end; ++entry) {
    if (is_skipped(entry->path())) {
      if (entry->is_directory()) entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      const std::string path = fs::relative(entry->path(), kRoot).string();
      files.push_back({path, lines_of(read_file(path))});
    }
  }
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace

bool SourceFile::is(std::initializer_list<const char*> extensions) const {
  const std::string own = fs::path(path).extension().string();
  return std::any_of(extensions.begin(), extensions.end(), [&](const char* wanted) { return own == wanted; });
}

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree();
  return files;
}

std::string read_file(const std::string& path) {
  std::ifstream in(kRoot / path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot read");
  return {std::istreambuf_iterator<char>(in), {}};
}

bool exists(const std::string& path) { return fs::exists(kRoot / path); }

std::vector<std::pair<std::string, std::vector<std::string>>> read_table(const std::string& path) {
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;
  for (const std::string& line : lines_of(read_file(path))) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, colon, word;
    if (!(words >> name)) continue;
    if (!(words >> colon) || colon != ":") throw std::runtime_error(path + ": no ' : ' in: " + line);
    rows.push_back({name, {}});
    while (words >> word) rows.back().second.push_back(word);
  }
  return rows;
}

std::vector<NamedStatement> statements() {
  static const std::string kMark = "-- name: ";
  std::vector<NamedStatement> all;
  for (const SourceFile& file : tree())
    if (file.is({".sql"}) && !file.below("migrations"))
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        if (file.lines[i].rfind(kMark, 0) == 0) {
          std::string name;
          std::istringstream(file.lines[i].substr(kMark.size())) >> name;
          all.push_back({file.stem() + "." + name, file.at(i)});
        }
  return all;
}

std::string listed(const std::vector<std::string>& mistakes) {
  std::string text;
  for (const std::string& mistake : mistakes) text += mistake + "\n";
  return text;
}

}  // namespace chat::test
