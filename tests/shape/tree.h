#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

/// The source tree as the shape tests read it: CHAT_SOURCE_DIR without build/, var/ and what starts with a dot.
namespace chat::test {

struct SourceFile {
  std::string path;                  // from the root: platform/base/id.h
  std::vector<std::string> lines;    // without line ends; empty for files that are not text

  [[nodiscard]] std::string folder() const { return std::filesystem::path(path).parent_path().string(); }
  [[nodiscard]] std::string name() const { return std::filesystem::path(path).filename().string(); }
  [[nodiscard]] std::string stem() const { return std::filesystem::path(path).stem().string(); }
  [[nodiscard]] bool is(std::initializer_list<const char*> extensions) const;
  [[nodiscard]] bool below(const std::string& folder) const { return path.rfind(folder + "/", 0) == 0; }
  [[nodiscard]] std::string at(std::size_t line) const { return path + ":" + std::to_string(line + 1); }   // for messages
};

/// All files, by path. Read once.
const std::vector<SourceFile>& tree();
std::string read_file(const std::string& path);      // from the root; throws when it can't be read
bool exists(const std::string& path);

/// A text file of `name : word word …` lines with '#' comments, in order.
std::vector<std::pair<std::string, std::vector<std::string>>> read_table(const std::string& path);

/// One named statement of a .sql file, as embed_sql names it.
struct NamedStatement {
  std::string name;                  // messages_send.insert_messages
  std::string where;                 // platform/chat/messages/messages_send.sql:12
};
std::vector<NamedStatement> statements();

/// All mistakes as one text for a single assertion; empty when there are none.
std::string listed(const std::vector<std::string>& mistakes);

}  // namespace chat::test
