#include <catch2/catch.hpp>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "platform/chat/channels/channel_types.h"
#include "platform/server/task_kinds.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// Tables in ops/docs that say what code says, and commands that go where the contract leads.
namespace chat::test {
namespace {

using nlohmann::json;

/// The rows of the table below a heading: for each word in backticks of the first cell the second one.
std::map<std::string, std::string> table_below(const std::string& page, const std::string& heading) {
  static const std::regex kRow(R"(^\| (`[^|]*) \| ([^|]*) \|.*)"), kWord(R"(`([a-z_]+)`)");
  std::map<std::string, std::string> rows;
  bool is_below = false;
  for (const SourceFile& file : tree()) {
    if (file.path != page) continue;
    for (const std::string& line : file.lines) {
      if (line.rfind('#', 0) == 0) is_below = line.substr(line.find(' ') + 1) == heading;
      std::smatch row;
      if (!is_below || !std::regex_match(line, row, kRow)) continue;
      const std::string names = row[1];
      for (std::sregex_iterator name(names.begin(), names.end(), kWord), end; name != end; ++name) rows[(*name)[1]] = row[2];
    }
  }
  return rows;
}

/// "20,000" and "true; `livestream` false" begin with a default as JSON has it.
std::string default_in(const std::string& cell) {
  std::string value;
  for (const char c : cell.substr(0, cell.find_first_of(";:")))
    if (c != ',' && c != ' ') value += c;
  return value;
}

/// A line that calls the API: `chat $BOB channels/messaging/general/read -d '{}'`.
struct Command {
  std::string method, path, where;
};

std::string method_of(const std::string& rest) {
  static const std::regex kNamed(R"(-X ?([A-Z]+))");
  std::smatch named;
  if (std::regex_search(rest, named, kNamed)) return named[1];
  return std::regex_search(rest, std::regex(R"( -d )")) ? "POST" : "GET";
}

std::vector<Command> commands_of(const SourceFile& page) {
  static const std::regex kCall(R"re(\bchat \$[A-Z]+ (?:"([^"]*)"|'([^']*)'|([^\s"'|)]+))([^\n]*))re"), kCurl(R"re(\bcurl [^\n]*?\$URL(/[^\s'"]+)([^\n]*))re");
  std::vector<Command> commands;
  for (std::size_t i = 0; i < page.lines.size(); ++i) {
    std::string line = page.lines[i];
    if (!line.empty() && line.back() == '\\' && i + 1 < page.lines.size()) line += page.lines[i + 1];
    for (std::sregex_iterator one(line.begin(), line.end(), kCall), end; one != end; ++one) {
      const std::string path = (*one)[1].str() + (*one)[2].str() + (*one)[3].str(), rest = (*one)[4];
      commands.push_back({method_of(rest.substr(0, rest.find("; chat"))), "/v1/" + path.substr(0, path.find('?')), page.at(i)});
    }
    std::smatch call;
    if (std::regex_search(line, call, kCurl) && line.find("OPTIONS") == std::string::npos) {
      const std::string path = call[1];
      commands.push_back({method_of(call[2]), "/v1" + path.substr(0, path.find('?')), page.at(i)});
    }
  }
  return commands;
}

std::vector<Command> all_commands() {
  std::vector<Command> all;
  for (const SourceFile& file : tree())
    if (file.folder() == "ops/docs" && file.is({".md"}))
      for (auto& command : commands_of(file)) all.push_back(std::move(command));
  return all;
}

/// `{…}` stands for any one part.
bool is_at(const Command& command, const Operation& operation) {
  if (command.method != operation.method) return false;
  std::istringstream path(command.path), pattern(operation.path);
  std::string part, wanted;
  while (std::getline(pattern, wanted, '/'))
    if (!std::getline(path, part, '/') || (wanted.rfind('{', 0) == 0 ? part.empty() : part != wanted)) return false;
  return !std::getline(path, part, '/');
}

// Shown without a command of this kind, each with its reason.
const std::set<std::string> kShownOtherwise = {
    "connect",                 // a WebSocket: live.md, platform/realtime/PROTOCOL.md
    "get_upload_content",      // over a signed link: files.md
    "put_upload_content",      // the same
};

}  // namespace

TEST_CASE("docs: users.md names what the lines of an export can be, and nothing else", "[shape][docs]") {
  std::set<std::string> shown;
  for (const auto& [kind, what] : table_below("ops/docs/users.md", "Export")) shown.insert(kind);
  const auto kinds = server::user_export_kinds();
  CHECK(shown == std::set<std::string>(kinds.begin(), kinds.end()));
}

TEST_CASE("docs: channels.md shows every setting of a channel type with its default", "[shape][docs]") {
  const json defaults = json::parse(channels::type_settings_json({}));
  const auto shown = table_below("ops/docs/channels.md", "Types");
  std::vector<std::string> mistakes;
  for (const auto& [name, value] : defaults.items()) {
    const auto row = shown.find(name);
    if (row == shown.end()) mistakes.push_back(name + ": not in the table");
    else if (default_in(row->second) != value.dump()) mistakes.push_back(name + ": its default is " + value.dump() + ", shown as " + row->second);
  }
  for (const auto& [name, value] : shown)
    if (!defaults.contains(name) && name != "grants") mistakes.push_back(name + ": no such setting");
  CHECK(shown.size() >= 20);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("docs: every command calls an operation, and every public operation is called by a command", "[shape][docs]") {
  std::vector<std::string> mistakes;
  const auto commands = all_commands();
  std::set<std::string> called;
  for (const auto& command : commands) {
    bool is_known = false;
    for (const Operation& operation : Contract::get().operations())
      if (operation.door == "public" && is_at(command, operation)) is_known = called.insert(operation.id).first != called.end();
    if (!is_known) mistakes.push_back(command.where + ": no operation " + command.method + " " + command.path);
  }
  for (const Operation& operation : Contract::get().operations())
    if (operation.door == "public" && !called.count(operation.id) && !kShownOtherwise.count(operation.id))
      mistakes.push_back(operation.id + ": no page of ops/docs shows a command that calls it");
  CHECK(commands.size() >= 150);
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
