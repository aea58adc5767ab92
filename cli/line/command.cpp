#include "cli/line/command.h"

#include <algorithm>
#include <charconv>

#include "cli/exit_code.h"
#include "cli/line/tree.h"
#include "cli/line/values.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::chrono::milliseconds kShortest{500};  // of --interval
constexpr std::chrono::milliseconds kLongest{3'600'000};

std::string check_duration(const std::string& text) {
  if (parse_duration(text)) return "";
  return "\"" + text + "\" is no duration; write 500ms, 90s, 15m, 24h or 7d";
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](std::string& text) -> std::string {
        for (const auto& word : words)
          if (word == text) return "";
        const auto meant = text::nearest(text, words);
        return "\"" + text + "\" is none of " + joined(words, ", ") +
               (meant.empty() ? "" : "; did you mean " + meant + "?");
      },
      "");
}

void add_globals(CLI::App& root, Globals& globals, std::map<const CLI::Option*, Fill>& fills,
                 std::map<const CLI::Option*, std::vector<std::string>>& words) {
  const std::vector<std::string> formats = {"table", "json", "yaml", "csv", "name"};
  auto* output = root.add_option("-o,--output", globals.output, "How to print: table, json, yaml, csv, name")
                     ->type_name("FORMAT")
                     ->check(one_of(formats));
  words[output] = formats;
  fills[root.add_option("--app", globals.app, "The application meant, by app_id or exact name")
            ->type_name("APP")] = Fill::application;
  fills[root.add_option("--context", globals.context, "The context to use instead of the current one")
            ->type_name("NAME")] = Fill::context;
  root.add_option("--server", globals.server, "The operator API's address, http://127.0.0.1:8081")
      ->type_name("URL");
  root.add_option("--public", globals.public_url, "The public API's address, http://127.0.0.1:8080")
      ->type_name("URL");
  fills[root.add_option("--token-file", globals.token_file, "A file with the operator's token; - is stdin")
            ->type_name("FILE")] = Fill::file;
  root.add_option_function<std::string>(
          "--timeout", [&globals](const std::string& text) { globals.timeout = *parse_duration(text); },
          "How long to wait for one answer (default 30s)")
      ->type_name("TIME")
      ->check(CLI::Validator(check_duration, ""));
  root.add_flag("--yes", globals.yes, "Do not ask before a dangerous act");
  root.add_flag("--dry-run", globals.dry_run, "Say what would be sent, and change nothing");
  root.add_option("--confirm", globals.confirm, "Confirm a severe act by naming what it destroys")
      ->type_name("NAME");
  root.add_flag("--no-input", globals.no_input, "Never ask; fail where a question would be");
  root.add_flag("--no-color", globals.no_color, "No colour");
  root.add_flag("-v,--verbose", globals.verbose, "Show each request and answer on stderr");
}

Failure usage_failure(const CLI::App* app, const std::string& message) {
  return Failure(Exit::usage, message)
      .with_detail("usage: " + usage_of(app))
      .with_next(path_of(app) + " --help");
}

/// CLI11 says "NAME is required" and joins what it could not place; say which word it was.
std::string sentence_of(const CLI::ParseError& error, const CLI::App& root) {
  const std::string what = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
    if (const auto end = what.find(" is required"); end != std::string::npos)
      return what.substr(0, end) + " is missing";
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    if (const auto words = root.remaining(true); !words.empty())
      return "unexpected argument \"" + words.front() + "\"";
  return what;
}

}  // namespace

Verb& Verb::keep(CLI::Option* option, const std::string& value, Fill fill) {
  option->type_name(value);
  tree_->fills[option] = fill;
  return *this;
}

Verb& Verb::argument(const std::string& name, std::string& into, const std::string& meaning, Fill fill) {
  return keep(app_->add_option(name, into, meaning)->required(), name, fill);
}

Verb& Verb::optional_argument(const std::string& name, std::string& into, const std::string& meaning,
                              Fill fill) {
  return keep(app_->add_option(name, into, meaning), name, fill);
}

Verb& Verb::option(const std::string& flag, const std::string& value, std::string& into,
                   const std::string& meaning, Fill fill) {
  return keep(app_->add_option(flag, into, meaning), value, fill);
}

Verb& Verb::required_option(const std::string& flag, const std::string& value, std::string& into,
                            const std::string& meaning, Fill fill) {
  return keep(app_->add_option(flag, into, meaning)->required(), value, fill);
}

Verb& Verb::many(const std::string& flag, const std::string& value, std::vector<std::string>& into,
                 const std::string& meaning, Fill fill) {
  return keep(app_->add_option(flag, into, meaning + " (may repeat)")->allow_extra_args(false), value,
              fill);
}

Verb& Verb::number(const std::string& flag, std::int64_t& into, std::int64_t min, std::int64_t max,
                   const std::string& meaning) {
  const auto check = [min, max](const std::string& text) -> std::string {
    std::int64_t number = 0;
    const auto end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    if (result.ec == std::errc() && result.ptr == end && number >= min && number <= max) return "";
    return "\"" + text + "\" is no whole number from " + std::to_string(min) + " to " + std::to_string(max);
  };
  return keep(app_->add_option(flag, into, meaning)->check(CLI::Validator(check, "")), "N", Fill::nothing);
}

Verb& Verb::duration(const std::string& flag, std::chrono::milliseconds& into, const std::string& meaning) {
  auto* option = app_->add_option_function<std::string>(
      flag, [&into](const std::string& text) { into = *parse_duration(text); }, meaning);
  return keep(option->check(CLI::Validator(check_duration, "")), "TIME", Fill::nothing);
}

Verb& Verb::flag(const std::string& flag, bool& into, const std::string& meaning) {
  app_->add_flag(flag, into, meaning);
  return *this;
}

Verb& Verb::word(const std::string& flag, std::string& into, const std::vector<std::string>& words,
                 const std::string& meaning) {
  auto* option = app_->add_option(flag, into, meaning + ": " + joined(words, ", "))->check(one_of(words));
  tree_->words[option] = words;
  return keep(option, "WORD", Fill::nothing);
}

Verb& Verb::word_argument(const std::string& name, std::string& into, const std::vector<std::string>& words,
                          const std::string& meaning) {
  auto* option =
      app_->add_option(name, into, meaning + ": " + joined(words, ", "))->required()->check(one_of(words));
  tree_->words[option] = words;
  return keep(option, name, Fill::nothing);
}

Verb& Verb::alias(const std::string& name) {
  app_->alias(name);
  return *this;
}

Verb& Verb::watchable() {
  const auto watching = std::make_shared<Tree::Watching>();
  tree_->watched[app_] = watching;
  app_->add_flag("--watch", watching->on, "Show it again and again; Ctrl-C ends");
  const auto check = [](const std::string& text) -> std::string {
    if (auto wrong = check_duration(text); !wrong.empty()) return wrong;
    const auto time = *parse_duration(text);
    return time >= kShortest && time <= kLongest ? "" : "\"" + text + "\" is not from 500ms to 1h";
  };
  auto* option = app_->add_option_function<std::string>(
      "--interval", [watching](const std::string& text) { watching->interval = *parse_duration(text); },
      "How far apart, with --watch (default 2s)");
  return keep(option->check(CLI::Validator(check, "")), "TIME", Fill::nothing);
}

Verb& Verb::example(const std::string& line) {
  tree_->examples[app_].push_back(line);
  return *this;
}

Verb& Verb::detail(const std::string& paragraph) {
  auto& text = tree_->details[app_];
  text += (text.empty() ? "" : "\n") + paragraph;
  return *this;
}

Verb& Verb::run(Run body) {
  tree_->runs[app_] = std::move(body);
  return *this;
}

Verb Noun::verb(const std::string& name, const std::string& meaning) {
  return {*tree_, app_->add_subcommand(name, meaning)};
}

Noun& Noun::alias(const std::string& name) {
  app_->alias(name);
  return *this;
}

CommandLine::CommandLine() : tree_(std::make_unique<Tree>()) {
  auto& root = tree_->root;
  root.fallthrough();  // first: only commands added later inherit it
  root.require_subcommand(0, 1);
  root.set_help_flag("-h,--help", "Explain a command");
  root.add_flag_function(
      "--version", [](std::int64_t) {}, "Print chatctl's version");
  add_globals(root, globals_, tree_->fills, tree_->words);
  tree_->examples[&root] = {"context add local --server http://127.0.0.1:8081 --token-file token",
                            "app create acme --plan free", "token create --app acme --user alice --ttl 24h",
                            "usage show --app acme", "tail --app acme"};
}

CommandLine::~CommandLine() = default;

Noun CommandLine::noun(const std::string& name, const std::string& meaning) {
  auto* app = tree_->root.add_subcommand(name, meaning);
  app->require_subcommand(0, 1);
  return {*tree_, app};
}

Verb CommandLine::verb(const std::string& name, const std::string& meaning) {
  return {*tree_, tree_->root.add_subcommand(name, meaning)};
}

CommandLine::Parsed CommandLine::parse(const std::vector<std::string>& words) {
  const auto found = scan(*tree_, words);
  if (!found.typo.empty()) {
    auto failure = Failure(Exit::usage, found.message);
    if (!found.meant.empty()) failure.with_detail("did you mean \"" + found.meant + "\"?");
    throw failure.with_next(path_of(found.app) + " --help");
  }
  if (found.wants_help) return {{}, found.app == &tree_->root ? full_help() : help_of(*tree_, found.app)};
  if (found.wants_version) return parse({"version"});
  if (found.app == &tree_->root) return {{}, concise_help()};
  if (!found.app->get_subcommands({}).empty()) return {{}, help_of(*tree_, found.app), true};
  try {
    tree_->root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    throw usage_failure(found.app, sentence_of(error, tree_->root));
  }
  Parsed out{tree_->runs.at(found.app), ""};
  if (const auto watched = tree_->watched.find(found.app);
      watched != tree_->watched.end() && watched->second->on)
    out.watch = watched->second->interval;
  return out;
}

void CommandLine::read_globals(std::vector<std::string> words, bool last_is_open) {
  if (last_is_open) words.pop_back();
  std::reverse(words.begin(), words.end());
  try {
    tree_->root.parse(std::move(words));
  } catch (const CLI::ParseError&) {
    // A half-typed line lacks what it must have; CLI11 has stored the values that stand there all the same.
    return;
  }
}

Offer CommandLine::offer(const std::vector<std::string>& words) {
  const std::vector<std::string> before(words.begin(), words.empty() ? words.end() : words.end() - 1);
  const auto found = scan(*tree_, before);
  Offer out;
  const auto offer_values = [&](const CLI::Option* option) {
    if (const auto fill = tree_->fills.find(option); fill != tree_->fills.end()) out.fill = fill->second;
    if (const auto known = tree_->words.find(option); known != tree_->words.end())
      for (const auto& word : known->second) out.words.emplace_back(word, "");
  };
  if (!found.typo.empty()) return out;
  read_globals(before, found.open != nullptr);
  if (found.open != nullptr) {
    offer_values(found.open);
    return out;
  }
  if (!words.empty() && words.back().rfind('-', 0) == 0 && !found.only_positionals) {
    for (const auto* from : {found.app, static_cast<const CLI::App*>(&tree_->root)}) {
      for (const auto* option : from->get_options())
        for (const auto& name : option->get_lnames())
          out.words.emplace_back("--" + name, option->get_description());
      if (from == &tree_->root) break;
    }
    return out;
  }
  for (const auto* command : shown_commands(found.app))
    out.words.emplace_back(command->get_name(), command->get_description());
  std::size_t at = 0;
  for (const auto* option : found.app->get_options())
    if (option->get_positional() && at++ == found.positionals) offer_values(option);
  return out;
}

std::string CommandLine::concise_help() const { return concise_help_of(*tree_); }
std::string CommandLine::full_help() const { return help_of(*tree_, &tree_->root); }

std::string CommandLine::help_for(const std::vector<std::string>& words) const {
  if (words.size() == 1)
    if (auto text = topic(words.front()); !text.empty()) return text;
  const auto found = scan(*tree_, words);
  if (found.typo.empty()) return help_of(*tree_, found.app);
  auto failure = Failure(Exit::usage, "no help on \"" + found.typo + "\"");
  auto meant = found.meant.empty() ? text::nearest(found.typo, topic_names()) : found.meant;
  if (!meant.empty()) failure.with_detail("did you mean \"" + meant + "\"?");
  throw failure.with_next("chatctl --help");
}

}  // namespace chat::cli
