#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace chat::test {

/// A process on a terminal of its own, as a person would have it.
class PseudoTerminal {
 public:
  /// `words`: the program's path first. The environment is this alone.
  PseudoTerminal(const std::vector<std::string>& words, const std::map<std::string, std::string>& environment);
  ~PseudoTerminal();  // kill -9 if it still runs
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void type(const std::string& text);
  void wait_for(const std::string& text);      // fails the test after 60 s, or when the process ended without it
  int wait_end();                              // its exit code, 128 + signal when it was killed
  [[nodiscard]] bool echoes() const;           // the terminal shows what is typed
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  bool read_more();                            // false: nothing more will come

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;
};

}  // namespace chat::test
