#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The command line: nouns, verbs, their arguments and flags. CLI11 stays in this folder's sources.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace chat::cli {

class Session;

/// What the shell's completion offers for a value: names that the server knows, but for contexts and files.
enum class Fill {
  nothing, application, plan, context, file, channel_type, channel, user, team,
  campaign, segment, webhook, block_list, operator_name, statement, secret
};

/// Flags that every verb understands. Empty: not given on the command line.
struct Globals {
  std::string context;
  std::string server;
  std::string public_url;
  std::string token_file;
  std::string app;
  std::string output = "table";
  std::string confirm;
  std::chrono::milliseconds timeout{30'000};
  bool no_color = false;
  bool no_input = false;
  bool yes = false;
  bool dry_run = false;
  bool verbose = false;
};

struct Tree;

/// One thing that can be done. Values are written into variables that must live as long as the command line.
class Verb {
 public:
  using Run = std::function<void(Session&)>;

  Verb& argument(const std::string& name, std::string& into, const std::string& meaning,
                 Fill fill = Fill::nothing);
  Verb& optional_argument(const std::string& name, std::string& into, const std::string& meaning,
                          Fill fill = Fill::nothing);
  /// `flag` is "--plan" or "-f,--file"; `value` what stands for it in the help: PLAN.
  Verb& option(const std::string& flag, const std::string& value, std::string& into,
               const std::string& meaning, Fill fill = Fill::nothing);
  Verb& required_option(const std::string& flag, const std::string& value, std::string& into,
                        const std::string& meaning, Fill fill = Fill::nothing);
  Verb& many(const std::string& flag, const std::string& value, std::vector<std::string>& into,
             const std::string& meaning, Fill fill = Fill::nothing);
  Verb& number(const std::string& flag, std::int64_t& into, std::int64_t min, std::int64_t max,
               const std::string& meaning);
  Verb& duration(const std::string& flag, std::chrono::milliseconds& into, const std::string& meaning);
  Verb& flag(const std::string& flag, bool& into, const std::string& meaning);
  Verb& word(const std::string& flag, std::string& into, const std::vector<std::string>& words,
             const std::string& meaning);
  Verb& word_argument(const std::string& name, std::string& into, const std::vector<std::string>& words,
                      const std::string& meaning);
  Verb& alias(const std::string& name);
  /// Takes --watch and --interval: the verb is done again and again until it is interrupted.
  Verb& watchable();
  Verb& example(const std::string& line);      // without the leading "chatctl "
  Verb& detail(const std::string& paragraph);  // shown in the verb's own help
  Verb& run(Run body);

 private:
  friend class Noun;
  friend class CommandLine;
  Verb(Tree& tree, CLI::App* app) : tree_(&tree), app_(app) {}
  Verb& keep(CLI::Option* option, const std::string& value, Fill fill);

  Tree* tree_;
  CLI::App* app_;
};

class Noun {
 public:
  Verb verb(const std::string& name, const std::string& meaning);
  Noun& alias(const std::string& name);

 private:
  friend class CommandLine;
  Noun(Tree& tree, CLI::App* app) : tree_(&tree), app_(app) {}
  Tree* tree_;
  CLI::App* app_;
};

/// What completion offers at one point of a half-typed line.
struct Offer {
  std::vector<std::pair<std::string, std::string>> words;  // word, meaning
  Fill fill = Fill::nothing;                               // ask for names of this kind too
};

/// One verb as the reference and the tests of the examples see it.
struct Command {
  std::string path;  // "app create"
  std::vector<std::string> examples;
};

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Noun noun(const std::string& name, const std::string& meaning);
  Verb verb(const std::string& name, const std::string& meaning);  // a verb without a noun: doctor

  /// What to do for these words (without the program's name).
  struct Parsed {
    Verb::Run run;          // empty: print `text`
    std::string text;       // help
    bool to_error = false;  // a noun without a verb: help on stderr, exit 2
    std::optional<std::chrono::milliseconds> watch = {};  // again and again, this far apart
  };
  /// Errors:  Failure usage, with the nearest word for a mistyped noun, verb or flag.
  Parsed parse(const std::vector<std::string>& words);
  /// The last word is the one being typed. Reads the global flags before it.
  Offer offer(const std::vector<std::string>& words);

  [[nodiscard]] std::string concise_help() const;
  [[nodiscard]] std::string full_help() const;
  /// `words`: a noun, a noun and verb, or a topic. Errors: Failure usage.
  [[nodiscard]] std::string help_for(const std::vector<std::string>& words) const;

  [[nodiscard]] std::vector<Command> commands() const;
  /// All of it as one Markdown page.
  [[nodiscard]] std::string markdown() const;
  /// A page for chatctl and one per command: "chatctl-app.1" and its troff text.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> man_pages(const std::string& version) const;

  [[nodiscard]] const Globals& globals() const { return globals_; }

 private:
  void read_globals(std::vector<std::string> words, bool last_is_open);

  Globals globals_;
  std::unique_ptr<Tree> tree_;
};

}  // namespace chat::cli
