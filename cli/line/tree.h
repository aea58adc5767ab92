#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "cli/line/command.h"

/// Private to this folder: CLI11's tree and what it has no place for.
namespace chat::cli {

struct Tree {
  CLI::App root{"chatctl operates chatd: applications, keys, plans, usage.", "chatctl"};
  std::map<const CLI::App*, Verb::Run> runs;
  std::map<const CLI::App*, std::vector<std::string>> examples;
  std::map<const CLI::App*, std::string> details;
  struct Watching {
    bool on = false;
    std::chrono::milliseconds interval{2'000};
  };
  std::map<const CLI::App*, std::shared_ptr<Watching>> watched;
  std::map<const CLI::Option*, Fill> fills;
  std::map<const CLI::Option*, std::vector<std::string>> words;
};

/// Where a line of words leads, found before CLI11 parses it, so that a mistake can be named.
struct Scan {
  const CLI::App* app = nullptr;  // the deepest command reached
  bool wants_help = false;        // -h or --help before "--"
  bool wants_version = false;
  const CLI::Option* open = nullptr;  // the last word was a flag that still lacks its value
  std::size_t positionals = 0;        // given to `app` so far
  bool only_positionals = false;      // after "--"
  std::string typo;                   // a mistyped word; empty: none
  std::string message;                // what is wrong with it
  std::string meant;                  // the nearest right word, or empty
};
Scan scan(const Tree& tree, const std::vector<std::string>& words);

/// "chatctl app create"
std::string path_of(const CLI::App* app);
using Entries = std::vector<std::pair<std::string, std::string>>;  // name, meaning
Entries options_of(const CLI::App* app);
Entries arguments_of(const CLI::App* app);
Entries commands_of(const CLI::App* app);
std::string usage_of(const CLI::App* app);
std::string help_of(const Tree& tree, const CLI::App* app);
std::string concise_help_of(const Tree& tree);
std::string topic(const std::string& name);  // empty: no such topic
std::vector<std::string> topic_names();
std::vector<const CLI::App*> shown_commands(const CLI::App* app);
const CLI::App* find_command(const CLI::App* app, const std::string& word);

}  // namespace chat::cli
