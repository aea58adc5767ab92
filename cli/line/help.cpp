#include <algorithm>
#include <map>

#include "cli/line/tree.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kMaxLabel = 28;

/// Breaks `text` at blanks so that no line passes kWidth; further lines start at `margin`.
std::string wrapped(const std::string& text, std::size_t margin) {
  std::string out;
  std::size_t column = margin;
  for (const auto& word : text::split(text, ' ')) {
    const bool first = out.empty();
    if (!first && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(margin, ' ') + word;
      column = margin + word.size();
    } else {
      out += (first ? "" : " ") + word;
      column += word.size() + (first ? 0 : 1);
    }
  }
  return out;
}

std::string entries_text(const std::string& title, const Entries& entries) {
  if (entries.empty()) return "";
  std::size_t label = 0;
  for (const auto& [name, meaning] : entries)
    if (name.size() <= kMaxLabel) label = std::max(label, name.size());
  std::string out = "\n" + title + ":\n";
  for (const auto& [name, meaning] : entries) {
    out += "  " + name;
    out +=
        name.size() > label ? "\n" + std::string(label + 4, ' ') : std::string(label + 2 - name.size(), ' ');
    out += wrapped(meaning, label + 4) + "\n";
  }
  return out;
}

std::string label_of(const CLI::Option* option) {
  std::string label = option->get_snames().empty() ? "    " : "-" + option->get_snames().front() + ", ";
  label += "--" + option->get_lnames().front();
  if (option->get_items_expected_min() > 0) label += " " + option->get_type_name();
  return label;
}

std::string examples_text(const Tree& tree, const CLI::App* app) {
  const auto found = tree.examples.find(app);
  if (found == tree.examples.end()) return "";
  std::string out = "\nExamples:\n";
  for (const auto& line : found->second) out += "  chatctl " + line + "\n";
  return out;
}

const std::map<std::string, std::string>& topics() {
  static const std::map<std::string, std::string> all = {
      {"environment",
       "Environment variables. A flag beats a variable, a variable beats the context.\n\n"
       "  CHATCTL_CONTEXT      the context to use, as --context\n"
       "  CHATCTL_SERVER       the operator API's address, as --server\n"
       "  CHATCTL_PUBLIC       the public API's address, as --public\n"
       "  CHATCTL_TOKEN_FILE   a file with the operator's token, as --token-file\n"
       "  CHATCTL_APP          the application meant, as --app\n"
       "  CHATCTL_MIGRATE_DSN  the database's owner, for chatctl migrate\n"
       "  XDG_CONFIG_HOME      contexts live in $XDG_CONFIG_HOME/chatctl/config.yaml\n"
       "                       (else ~/.config/chatctl/config.yaml)\n"
       "  NO_COLOR             not empty: no colour. TERM=dumb does the same.\n"
       "  FORCE_COLOR          not empty, not 0: colour also into a pipe\n"
       "  LC_ALL LC_CTYPE LANG the first that is set says whether charts may use UTF-8\n"
       "\nA token or secret itself is never taken from a flag or a variable: it would\n"
       "show in the process list and in the shell's history.\n"},
      {"exit-codes",
       "Exit codes.\n\n"
       "  0    done\n"
       "  1    failed: the service refused the input, or a check did not pass\n"
       "  2    the command line is wrong; nothing was done\n"
       "  3    no such application, plan, secret or context\n"
       "  4    token missing, wrong or expired, or not allowed\n"
       "  5    the thing's state forbids it: exists already, still in use\n"
       "  6    a limit or quota refused it\n"
       "  7    not reachable, not ready, or too slow\n"
       "  8    some items done, some refused\n"
       "  130  interrupted\n"},
      {"formatting",
       "Output formats, chosen with -o. Data goes to stdout, messages to stderr.\n\n"
       "  table  for people; may change between versions\n"
       "  json   the contract: what the API answered; lists as one array\n"
       "  yaml   the same values as YAML\n"
       "  csv    the table's columns with a header line (RFC 4180), values unabridged\n"
       "  name   only the identifier, one a line, for scripts\n"
       "\nThe output of `tail` is a line, a JSON line or a YAML document per event.\n"}};
  return all;
}

}  // namespace

Entries options_of(const CLI::App* app) {
  const bool is_root = app->get_parent() == nullptr;
  Entries out;
  for (const auto* option : app->get_options())
    if (!option->get_positional() && !option->get_group().empty() &&
        (is_root || !option->check_name("--help")))
      out.emplace_back(label_of(option),
                       option->get_description() + (option->get_required() ? " (required)" : ""));
  return out;
}

Entries arguments_of(const CLI::App* app) {
  Entries out;
  for (const auto* option : app->get_options())
    if (option->get_positional()) out.emplace_back(option->get_name(true), option->get_description());
  return out;
}

Entries commands_of(const CLI::App* app) {
  Entries out;
  for (const auto* command : shown_commands(app)) {
    auto label = command->get_name();
    for (const auto& alias : command->get_aliases()) label += ", " + alias;
    out.emplace_back(label, command->get_description());
  }
  return out;
}

std::string path_of(const CLI::App* app) {
  return app->get_parent() == nullptr ? "chatctl" : path_of(app->get_parent()) + " " + app->get_name();
}

std::string usage_of(const CLI::App* app) {
  auto line = path_of(app);
  if (!app->get_subcommands({}).empty())
    return line + (app->get_parent() == nullptr ? " <command>" : " <verb>");
  for (const auto* option : app->get_options())
    if (option->get_positional())
      line += option->get_required() ? " " + option->get_name(true) : " [" + option->get_name(true) + "]";
  for (const auto* option : app->get_options())
    if (!option->get_positional() && option->get_required())
      line += " --" + option->get_lnames().front() + " " + option->get_type_name();
  return options_of(app).empty() ? line : line + " [flags]";
}

std::string help_of(const Tree& tree, const CLI::App* app) {
  const bool is_root = app->get_parent() == nullptr;
  std::string out = wrapped(app->get_description(), 0) + "\n";
  if (const auto detail = tree.details.find(app); detail != tree.details.end())
    for (const auto& paragraph : text::split(detail->second, '\n'))
      out += "\n" + wrapped(paragraph, 0) + "\n";
  out += "\nUsage:\n  " + usage_of(app) + "\n" + examples_text(tree, app);
  out += entries_text(is_root ? "Commands" : "Verbs", commands_of(app));
  out += entries_text("Arguments", arguments_of(app));
  out += entries_text(is_root ? "Global flags" : "Flags", options_of(app));
  if (is_root) {
    out += "\nMore: chatctl help <command> [verb]";
    for (const auto& name : topic_names()) out += ", chatctl help " + name;
    const auto last = out.rfind('\n');
    return out.substr(0, last + 1) + wrapped(out.substr(last + 1), 0) + "\n";
  }
  return out + "\nGlobal flags (-o, --app, --context, --yes, ...): chatctl --help\n";
}

std::string concise_help_of(const Tree& tree) {
  return tree.root.get_description() + "\n" + examples_text(tree, &tree.root) +
         entries_text("Commands", commands_of(&tree.root)) +
         "\nchatctl help <command> explains one; chatctl --help lists all flags.\n";
}

std::string topic(const std::string& name) {
  const auto found = topics().find(name);
  return found == topics().end() ? "" : found->second;
}

std::vector<std::string> topic_names() {
  std::vector<std::string> out;
  for (const auto& [name, text] : topics()) out.push_back(name);
  return out;
}

}  // namespace chat::cli
