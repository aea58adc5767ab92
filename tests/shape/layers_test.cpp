#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "tests/shape/tree.h"

namespace chat::test {
namespace {

struct Include {
  std::string what;
  bool quoted = false;
  std::string where;
};

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex form("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  std::vector<Include> found;
  std::smatch match;
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    if (std::regex_search(file.lines[i], match, form)) found.push_back({match[2], match[1] == "\"", file.at(i)});
  return found;
}

bool starts_with(const std::string& text, const std::string& prefix) { return text.rfind(prefix, 0) == 0; }

bool is_in(const std::string& path, const std::string& folder) { return starts_with(path, folder + "/"); }

using Table = std::vector<std::pair<std::string, std::vector<std::string>>>;

// The layer of a file is the longest folder of layers.txt that holds it.
std::optional<std::string> layer_of(const Table& layers, const std::string& path) {
  std::optional<std::string> best;
  for (const auto& [folder, ignored] : layers)
    if (is_in(path, folder) && (!best || folder.size() > best->size())) best = folder;
  return best;
}

// A generated X.sql.h stands for the X.sql beside it.
std::string source_of(const std::string& include) {
  const std::string generated = ".sql.h";
  return include.size() > generated.size() && include.ends_with(generated) ? include.substr(0, include.size() - 2) : include;
}

std::vector<const SourceFile*> code() {
  std::vector<const SourceFile*> files;
  for (const SourceFile& file : tree())
    if (file.is({".h", ".cpp"})) files.push_back(&file);
  return files;
}

// From outside, a feature of platform/chat shows <noun>.h and <noun>_events.h.
bool is_private_to_feature(const std::string& include, const SourceFile& includer) {
  static const std::regex feature("^(platform/chat/([a-z_]+))/(.+)$");
  std::smatch match;
  if (!std::regex_match(include, match, feature) || includer.below(match[1])) return false;
  const std::string noun = match[2];
  const std::string file = match[3];
  return file != noun + ".h" && file != noun + "_events.h";
}

}  // namespace

TEST_CASE("layers: includes follow tests/shape/layers.txt", "[shape][layers]") {
  const Table layers = read_table("tests/shape/layers.txt");
  const std::map<std::string, std::vector<std::string>> allowed(layers.begin(), layers.end());
  std::vector<std::string> mistakes;
  for (const SourceFile* file : code()) {
    const auto own = layer_of(layers, file->path);
    if (!own) {
      mistakes.push_back(file->path + ": no layer in tests/shape/layers.txt holds this file");
      continue;
    }
    const auto& may = allowed.at(*own);
    if (std::find(may.begin(), may.end(), "*") != may.end()) continue;
    for (const Include& include : includes_of(*file)) {
      if (!include.quoted) continue;
      const auto target = layer_of(layers, include.what);
      const auto is_allowed = [&](const std::string& name) { return std::find(may.begin(), may.end(), name) != may.end(); };
      if (target && *target != *own && !is_allowed(*target) && !is_allowed(include.what))
        mistakes.push_back(include.where + ": " + *own + " may not include " + include.what);
      if (is_private_to_feature(include.what, *file))
        mistakes.push_back(include.where + ": " + include.what + " is private to its feature");
    }
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("layers: the table names existing folders, has no circle and no layer twice", "[shape][layers]") {
  const Table layers = read_table("tests/shape/layers.txt");
  std::vector<std::string> mistakes;
  std::set<std::string> above;
  // Folders are listed from the ground up, so a circle would need a folder that is listed later.
  for (const auto& [folder, allowed] : layers) {
    if (!exists(folder)) mistakes.push_back(folder + ": no such folder");
    for (const std::string& target : allowed)
      if (target != "*" && !above.count(target) && !target.ends_with(".h")) mistakes.push_back(folder + ": may include " + target + ", which does not stand above it");
    if (!above.insert(folder).second) mistakes.push_back(folder + ": stands twice");
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("layers: includes are absolute from the root", "[shape][layers]") {
  std::vector<std::string> mistakes;
  for (const SourceFile* file : code())
    for (const Include& include : includes_of(*file))
      if (include.quoted && !exists(source_of(include.what)))
        mistakes.push_back(include.where + ": \"" + include.what + "\" is no file from the root; third-party headers stand in <>");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("layers: a third-party header stays in its home", "[shape][layers]") {
  const Table homes = read_table("tests/shape/third_party.txt");
  std::map<std::string, std::set<std::string>> carries;   // header of ours → libraries that it brings along
  for (bool grew = true; grew;) {
    grew = false;
    for (const SourceFile* file : code())
      for (const Include& include : includes_of(*file)) {
        std::set<std::string> brought;
        if (include.quoted) brought = carries[include.what];
        else
          for (const auto& [prefix, ignored] : homes)
            if (starts_with(include.what, prefix)) brought.insert(prefix);
        for (const std::string& library : brought) grew |= carries[file->path].insert(library).second;
      }
  }
  std::vector<std::string> mistakes;
  for (const auto& [path, libraries] : carries)
    for (const auto& [prefix, folders] : homes)
      if (libraries.count(prefix) && std::none_of(folders.begin(), folders.end(), [&](const auto& home) { return is_in(path, home); }))
        mistakes.push_back(path + ": sees <" + prefix + "…>, whose home is elsewhere (tests/shape/third_party.txt)");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("layers: every third-party header has a home", "[shape][layers]") {
  static const std::regex standard("^([a-z_0-9]+|(sys|netinet|arpa|net|linux)/[a-z_0-9]+\\.h)$");
  static const std::set<std::string> posix = {"unistd.h", "fcntl.h", "poll.h",   "signal.h", "netdb.h",  "dirent.h", "termios.h",
                                              "pwd.h",    "time.h",  "errno.h",  "grp.h",    "getopt.h", "spawn.h",  "pthread.h", "dlfcn.h"};
  const Table homes = read_table("tests/shape/third_party.txt");
  std::vector<std::string> mistakes;
  for (const SourceFile* file : code())
    for (const Include& include : includes_of(*file))
      if (!include.quoted && !std::regex_match(include.what, standard) && !posix.count(include.what) &&
          std::none_of(homes.begin(), homes.end(), [&](const auto& row) { return starts_with(include.what, row.first); }))
        mistakes.push_back(include.where + ": <" + include.what + "> has no row in tests/shape/third_party.txt");
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
