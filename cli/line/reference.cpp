#include "cli/line/tree.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

std::string upper(std::string text) {
  for (auto& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::vector<std::string> examples_of(const Tree& tree, const CLI::App* app) {
  const auto found = tree.examples.find(app);
  return found == tree.examples.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> paragraphs_of(const Tree& tree, const CLI::App* app) {
  std::vector<std::string> out{app->get_description() + "."};
  if (const auto detail = tree.details.find(app); detail != tree.details.end())
    for (const auto& paragraph : text::split(detail->second, '\n')) out.push_back(paragraph);
  return out;
}

bool is_verb(const CLI::App* app) { return app->get_subcommands({}).empty(); }

void add_commands(const Tree& tree, const CLI::App* app, std::vector<Command>& out) {
  for (const auto* command : shown_commands(app)) {
    if (is_verb(command))
      out.push_back({path_of(command).substr(path_of(&tree.root).size() + 1), examples_of(tree, command)});
    else
      add_commands(tree, command, out);
  }
}

/// A bar would end the cell, an angle bracket would begin a tag.
std::string markdown_text(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '|' ? "\\|" : c == '<' ? "&lt;" : c == '*' ? "\\*" : std::string(1, c);
  return out;
}

std::string markdown_entries(const std::string& title, const Entries& entries) {
  if (entries.empty()) return "";
  auto out = "\n| " + title + " | |\n|---|---|\n";
  for (const auto& [name, meaning] : entries)
    out += "| `" + std::string(text::trim(name)) + "` | " + markdown_text(meaning) + " |\n";
  return out;
}

std::string markdown_verb(const Tree& tree, const CLI::App* app, const std::string& level) {
  auto out = "\n" + level + " " + path_of(app) + "\n";
  for (const auto& paragraph : paragraphs_of(tree, app)) out += "\n" + markdown_text(paragraph) + "\n";
  out += "\n```\n" + usage_of(app) + "\n```\n";
  out += markdown_entries("argument", arguments_of(app)) + markdown_entries("flag", options_of(app));
  out += "\n```sh\n";
  for (const auto& line : examples_of(tree, app)) out += "chatctl " + line + "\n";
  return out + "```\n";
}

/// Source:  groff_char(7), groff_man(7)
std::string troff_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool at_start = out.empty() || out.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

std::string troff_entries(const std::string& title, const Entries& entries) {
  if (entries.empty()) return "";
  auto out = title.empty() ? "" : ".SH " + title + "\n";
  for (const auto& [name, meaning] : entries)
    out += ".TP\n.B " + troff_text(std::string(text::trim(name))) + "\n" + troff_text(meaning) + "\n";
  return out;
}

std::string troff_examples(const std::vector<std::string>& examples) {
  if (examples.empty()) return "";
  std::string out = ".PP\nExamples:\n.PP\n.nf\n.RS 4\n";
  for (const auto& line : examples) out += troff_text("chatctl " + line) + "\n";
  return out + ".RE\n.fi\n";
}

std::string troff_verb(const Tree& tree, const CLI::App* app) {
  std::string out = ".B " + troff_text(usage_of(app)) + "\n";
  for (const auto& paragraph : paragraphs_of(tree, app)) out += ".PP\n" + troff_text(paragraph) + "\n";
  out += troff_entries("", arguments_of(app)) + troff_entries("", options_of(app));
  return out + troff_examples(examples_of(tree, app));
}

std::string troff_head(const std::string& name, const std::string& meaning, const std::string& version) {
  return ".TH " + upper(name) + " 1 \"\" \"chatctl " + version + "\" \"chatd\"\n.SH NAME\n" +
         troff_text(name) + " \\- " + troff_text(meaning) + "\n";
}

std::string man_of_root(const Tree& tree, const std::string& version) {
  auto out = troff_head("chatctl", "operates chatd: applications, keys, plans, usage", version);
  out += ".SH SYNOPSIS\n.B chatctl\n<command> [flags]\n";
  out += troff_entries("COMMANDS", commands_of(&tree.root));
  out += troff_entries("FLAGS", options_of(&tree.root));
  out += ".SH EXAMPLES\n" + troff_examples(examples_of(tree, &tree.root));
  for (const auto& name : topic_names())
    out += ".SH " + upper(name) + "\n.nf\n" + troff_text(topic(name)) + ".fi\n";
  return out;
}

std::string man_of_command(const Tree& tree, const CLI::App* app, const std::string& version) {
  const auto name = "chatctl-" + app->get_name();
  auto out = troff_head(name, app->get_description(), version) + ".SH SYNOPSIS\n.B " +
             troff_text(usage_of(app)) + "\n";
  if (is_verb(app)) {
    out += ".SH DESCRIPTION\n" + troff_verb(tree, app);
  } else {
    out += ".SH VERBS\n";
    for (const auto* verb : shown_commands(app))
      out += ".SS " + troff_text(verb->get_name()) + "\n" + troff_verb(tree, verb);
  }
  return out + ".SH SEE ALSO\n.BR chatctl (1)\n";
}

}  // namespace

std::vector<Command> CommandLine::commands() const {
  std::vector<Command> out;
  add_commands(*tree_, &tree_->root, out);
  return out;
}

std::string CommandLine::markdown() const {
  std::string out =
      "# chatctl\n\n<!-- Made by `chatctl reference`; a test compares. Change the verbs, not this page. -->\n\n" +
      markdown_text(tree_->root.get_description()) +
      " Every example on this page is run against a real chatd by a test.\n";
  out += markdown_entries("command", commands_of(&tree_->root));
  out += markdown_entries("global flag", options_of(&tree_->root));
  for (const auto* command : shown_commands(&tree_->root)) {
    if (is_verb(command)) {
      out += markdown_verb(*tree_, command, "##");
      continue;
    }
    out += "\n## " + path_of(command) + "\n\n" + markdown_text(command->get_description()) + ".\n";
    for (const auto* verb : shown_commands(command)) out += markdown_verb(*tree_, verb, "###");
  }
  for (const auto& name : topic_names()) out += "\n## " + name + "\n\n```\n" + topic(name) + "```\n";
  return out;
}

std::vector<std::pair<std::string, std::string>> CommandLine::man_pages(const std::string& version) const {
  std::vector<std::pair<std::string, std::string>> out{{"chatctl.1", man_of_root(*tree_, version)}};
  for (const auto* command : shown_commands(&tree_->root))
    out.emplace_back("chatctl-" + command->get_name() + ".1", man_of_command(*tree_, command, version));
  return out;
}

}  // namespace chat::cli
