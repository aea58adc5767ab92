#include <catch2/catch.hpp>

#include <map>
#include <regex>
#include <set>

#include "tests/shape/tree.h"

namespace chat::test {
namespace {

// Lines a file of this kind may have; 0: any number.
std::size_t cap(const SourceFile& file) {
  if (file.is({".h"})) return 250;
  if (file.is({".sql"})) return 300;
  if (file.is({".cpp"})) return file.below("tests") ? 600 : 500;
  if (file.name() == "README.md" && file.path != "README.md") return 80;
  return 0;
}

bool is_code(const SourceFile& file) { return file.is({".h", ".cpp"}); }

// The text before a comment begins. Enough for words that no string of ours holds.
std::string without_comment(const std::string& line) { return line.substr(0, line.find("//")); }

}  // namespace

TEST_CASE("sources: no file outgrows its cap", "[shape][sources]") {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree())
    if (cap(file) != 0 && file.lines.size() > cap(file))
      mistakes.push_back(file.path + ": " + std::to_string(file.lines.size()) + " lines, at most " + std::to_string(cap(file)));
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: every folder has its README.md", "[shape][sources]") {
  std::set<std::string> folders, with_readme;
  for (const SourceFile& file : tree()) {
    if (file.folder() != ".ci") folders.insert(file.folder());
    if (file.name() == "README.md" && file.lines.size() >= 5) with_readme.insert(file.folder());
  }
  std::vector<std::string> mistakes;
  for (const std::string& folder : folders)
    if (!with_readme.count(folder)) mistakes.push_back((folder.empty() ? "/" : folder) + ": no README.md worth reading");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: no using namespace outside tests", "[shape][sources]") {
  static const std::regex form("\\busing\\s+namespace\\b");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree())
    if (is_code(file) && !file.below("tests"))
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        if (std::regex_search(without_comment(file.lines[i]), form)) mistakes.push_back(file.at(i));
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: nothing is left for later", "[shape][sources]") {
  static const std::regex form(std::string("\\b(TO") + "DO|FIX" + "ME|XX" + "X)\\b");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree())
    if (!file.is({".md"}) && file.path != "LICENSE")
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        if (std::regex_search(file.lines[i], form)) mistakes.push_back(file.at(i) + ": " + file.lines[i]);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: every header is included once at most", "[shape][sources]") {
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree())
    if (file.is({".h"}) && (file.lines.empty() || file.lines[0] != "#pragma once"))
      mistakes.push_back(file.path + ": does not begin with #pragma once");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: every named statement has a name of its own", "[shape][sql]") {
  std::map<std::string, std::string> seen;
  std::vector<std::string> mistakes;
  for (const NamedStatement& statement : statements()) {
    const auto [first, is_new] = seen.emplace(statement.name, statement.where);
    if (!is_new) mistakes.push_back(statement.where + ": " + statement.name + " stands at " + first->second + " already");
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("sources: every named statement says what its parameters are", "[shape][sql]") {
  static const std::regex parameter("\\$[0-9]+");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree()) {
    if (!file.is({".sql"}) || file.below("migrations")) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (file.lines[i].rfind("-- name: ", 0) != 0) continue;
      bool uses = false, explained = false;
      for (std::size_t j = i + 1; j < file.lines.size() && file.lines[j].rfind("-- name: ", 0) != 0; ++j) {
        const bool comment = file.lines[j].rfind("--", 0) == 0;
        (comment ? explained : uses) |= std::regex_search(file.lines[j], parameter);
      }
      if (uses && !explained) mistakes.push_back(file.at(i) + ": a comment must say what $1 … are");
    }
  }
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
