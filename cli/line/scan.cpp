#include <algorithm>

#include "cli/line/tree.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

/// Options of this command and, falling through, of the root.
const CLI::Option* find_option(const Tree& tree, const CLI::App* app, const std::string& flag) {
  for (const auto* from : {app, static_cast<const CLI::App*>(&tree.root)})
    for (const auto* option : from->get_options())
      if (option->check_name(flag)) return option;
  return nullptr;
}

std::vector<std::string> long_flags(const Tree& tree, const CLI::App* app) {
  std::vector<std::string> out;
  for (const auto* from : {app, static_cast<const CLI::App*>(&tree.root)})
    for (const auto* option : from->get_options())
      for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  return out;
}

std::vector<std::string> command_words(const CLI::App* app) {
  std::vector<std::string> out;
  for (const auto* command : shown_commands(app)) {
    out.push_back(command->get_name());
    for (const auto& alias : command->get_aliases()) out.push_back(alias);
  }
  return out;
}

bool takes_value(const CLI::Option* option) { return option->get_items_expected_min() > 0; }

void note_unknown(Scan& found, const std::string& word, const std::string& what,
                  const std::vector<std::string>& known) {
  if (!found.typo.empty()) return;
  found.typo = word;
  found.message = what + " \"" + word + "\"";
  found.meant = text::nearest(word, known);
}

void scan_flag(const Tree& tree, const std::string& word, Scan& found) {
  const auto equals = word.find('=');
  const bool is_long = word.rfind("--", 0) == 0;
  const auto name = is_long ? word.substr(0, equals) : word.substr(0, 2);
  const auto* option = find_option(tree, found.app, name);
  if (name == "-h" || name == "--help") {
    found.wants_help = true;
  } else if (name == "--version") {
    found.wants_version = true;
  } else if (option == nullptr) {
    note_unknown(found, name, "unknown flag", long_flags(tree, found.app));
  } else if (takes_value(option) && (is_long ? equals == std::string::npos : word.size() == 2)) {
    found.open = option;
  }
}

void scan_word(const std::string& word, Scan& found) {
  if (found.app->get_subcommands({}).empty()) {
    ++found.positionals;
    return;
  }
  if (const auto* command = find_command(found.app, word)) {
    found.app = command;
    return;
  }
  note_unknown(found, word, found.app->get_parent() == nullptr ? "unknown command" : "unknown verb",
               command_words(found.app));
}

}  // namespace

const CLI::App* find_command(const CLI::App* app, const std::string& word) {
  for (const auto* command : app->get_subcommands({}))
    if (command->check_name(word)) return command;
  return nullptr;
}

std::vector<const CLI::App*> shown_commands(const CLI::App* app) {
  std::vector<const CLI::App*> out;
  for (const auto* command : app->get_subcommands({}))
    if (!command->get_group().empty()) out.push_back(command);
  return out;
}

Scan scan(const Tree& tree, const std::vector<std::string>& words) {
  Scan found;
  found.app = &tree.root;
  for (const auto& word : words) {
    if (found.open != nullptr)
      found.open = nullptr;
    else if (found.only_positionals || word.size() < 2 || word.front() != '-')
      scan_word(word, found);
    else if (word == "--")
      found.only_positionals = true;
    else
      scan_flag(tree, word, found);
    if (!found.typo.empty() && found.app == &tree.root) break;  // nothing after it can be understood
  }
  return found;
}

}  // namespace chat::cli
