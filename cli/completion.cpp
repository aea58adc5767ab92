#include "cli/completion.h"

#include <memory>
#include <ostream>

#include "cli/completion_names.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/run.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

constexpr const char* kBash = R"sh(# bash completion of chatctl. Load it: source <(chatctl completion bash)
_chatctl() {
  local line current="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ":file" ]]; then
      compopt -o filenames
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _chatctl chatctl
)sh";

constexpr const char* kZsh = R"sh(#compdef chatctl
# zsh completion of chatctl. Load it: source <(chatctl completion zsh)
_chatctl() {
  local line tab=$'\t'
  local -a described
  for line in "${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ":file" ]]; then
      _files
    elif [[ -n $line ]]; then
      described+=("${${line%%$tab*}//:/\\:}:${line#*$tab}")
    fi
  done
  (( $#described )) && _describe chatctl described
}
compdef _chatctl chatctl
)sh";

constexpr const char* kFish = R"sh(# fish completion of chatctl. Load it: chatctl completion fish | source
function __chatctl_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = ":file"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c chatctl -f -a '(__chatctl_complete)'
)sh";

/// bash cuts "--app=ac" into three words; put the value back behind its flag.
std::vector<std::string> without_equals(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "=")
      out.push_back(words[i]);
    else if (i + 1 == words.size())
      out.emplace_back();
  }
  return out;
}

}  // namespace

void print_candidates(const std::vector<std::string>& given, World& world) {
  auto words = without_equals(given);
  if (words.empty()) words.emplace_back();
  std::string prefix;  // "--app=" when flag and value are one word
  if (const auto equals = words.back().find('=');
      words.back().rfind("--", 0) == 0 && equals != std::string::npos) {
    prefix = words.back().substr(0, equals + 1);
    const auto value = words.back().substr(equals + 1);
    words.back() = prefix.substr(0, equals);
    words.push_back(value);
  }
  CommandLine line;
  add_all(line);
  auto offer = line.offer(words);
  try {
    for (auto& name : names_of(offer.fill, words.back(), line.globals(), world)) offer.words.push_back(std::move(name));
  } catch (const std::exception&) {
    offer.fill = Fill::nothing;  // no server, no names: the shell must not print errors
  }
  for (const auto& [word, meaning] : offer.words)
    if (word.rfind(words.back(), 0) == 0)
      world.out << prefix << printable(word) << (meaning.empty() ? "" : "\t" + printable(meaning)) << "\n";
  if (offer.fill == Fill::file) world.out << ":file\n";
  world.out << std::flush;
}

void add_completion(CommandLine& line) {
  const auto shell = std::make_shared<std::string>();
  line.verb("completion", "Print a shell's completion script")
      .detail(
          "Completes commands, flags, contexts and, asking the server for at most a second, what it knows: "
          "applications, plans, operators, and of the application meant channel types, channels, users, teams, webhook endpoints, "
          "campaigns, segments, block lists, statements and secrets.")
      .word_argument("SHELL", *shell, {"bash", "zsh", "fish"}, "For which shell")
      .example("completion bash")
      .run([shell](Session& session) {
        session.print_text(*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
      });
}

}  // namespace chat::cli
