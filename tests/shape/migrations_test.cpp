#include <catch2/catch.hpp>

#include <map>
#include <regex>

#include "tests/shape/tree.h"

namespace chat::test {

TEST_CASE("migrations: numbers have no gap, and every up has its down", "[shape][migrations]") {
  static const std::regex form("([0-9]{4})_([a-z0-9_]+)\\.(up|down)\\.sql");
  std::map<int, std::map<std::string, std::string>> numbered;
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree()) {
    if (!file.below("migrations") || !file.is({".sql"})) continue;
    std::smatch match;
    const std::string name = file.name();
    if (!std::regex_match(name, match, form)) {
      mistakes.push_back(file.path + ": is not NNNN_name.up.sql or .down.sql");
      continue;
    }
    if (!numbered[std::stoi(match[1])].emplace(match[3], match[2]).second) mistakes.push_back(file.path + ": its number is taken");
    if (file.lines.empty()) mistakes.push_back(file.path + ": empty");
  }
  int expected = 0;
  for (const auto& [number, sides] : numbered) {
    if (number != ++expected) mistakes.push_back("migrations: " + std::to_string(expected) + " is missing");
    expected = number;
    if (sides.size() != 2 || sides.at("up") != sides.at("down"))
      mistakes.push_back("migrations: " + std::to_string(number) + " lacks its up or its down, or they differ in name");
  }
  CHECK(!numbered.empty());
  CHECK(listed(mistakes) == "");
}

TEST_CASE("migrations: CMakeLists.txt embeds every one, in order", "[shape][migrations]") {
  static const std::regex entry("[0-9]{4}_[a-z0-9_]+");
  const std::string list = read_file("migrations/CMakeLists.txt");
  const std::vector<std::string> embedded(std::sregex_token_iterator(list.begin(), list.end(), entry), {});
  std::vector<std::string> files;
  for (const SourceFile& file : tree())
    if (file.below("migrations") && file.path.ends_with(".up.sql")) files.push_back(file.name().substr(0, file.name().size() - 7));
  CHECK(embedded == files);
}

TEST_CASE("migrations: what crosses tenants gives its reason above", "[shape][migrations]") {
  static const std::regex begin("^create (or replace )?function "), definer("security definer");
  std::vector<std::string> mistakes;
  for (const SourceFile& file : tree()) {
    if (!file.below("migrations") || !file.path.ends_with(".up.sql")) continue;
    std::size_t function = 0;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (std::regex_search(file.lines[i], begin)) function = i;
      if (!std::regex_search(file.lines[i], definer) || file.lines[i].rfind("--", 0) == 0) continue;
      bool reasoned = false;
      for (std::size_t j = function; j > 0 && file.lines[j - 1].rfind("--", 0) == 0; --j)
        reasoned |= file.lines[j - 1].rfind("-- Reason to ", 0) == 0;
      if (!reasoned) mistakes.push_back(file.at(function) + ": SECURITY DEFINER without '-- Reason to …' above");
    }
  }
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
