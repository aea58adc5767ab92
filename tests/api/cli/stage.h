#pragma once
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/world.h"

namespace chat::test {

/// An operator API that answers from a table and remembers what it was asked.
class ScriptedApi {
 public:
  using Act = std::function<cli::ApiAnswer(const cli::ApiRequest&)>;
  void on(const std::string& method, const std::string& path, int status, const std::string& body);
  void on(const std::string& method, const std::string& path, Act act);
  cli::ApiAnswer send(const cli::ApiRequest& request);
  /// "POST /operator/v1/plans {…}"
  std::vector<std::string> asked;
  std::vector<cli::ApiOptions> opened;

 private:
  std::map<std::string, Act> acts_;
};

/// One connection's life per list: what `next` answers, in order; at its end, the deadline.
class ScriptedSockets {
 public:
  std::deque<std::vector<cli::SocketEvent>> connections;
  std::vector<cli::SocketOptions> opened;
};

/// As a shell would: split at blanks; what stands in either kind of quotes stays whole.
std::vector<std::string> split_words(const std::string& line);

/// A world on a stage: no network, no terminal, a folder of its own for files, a clock that stands still.
class Stage {
 public:
  Stage();
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  struct Seen {
    int exit = 0;
    std::string out;
    std::string err;
  };
  Seen run(const std::vector<std::string>& words, const std::string& input = "");
  /// split_words; `< text` at the end is standard input.
  Seen run_line(const std::string& line);
  std::string write(const std::string& name, const std::string& text) const;  // its path
  [[nodiscard]] std::string read(const std::string& name) const;

  ScriptedApi api;
  ScriptedSockets sockets;
  std::map<std::string, std::string> environment;
  std::filesystem::path folder;
  bool terminal = false;
  int rounds = 0;  // how often a verb may wait before Ctrl-C comes
  bool real = false;  // libcurl and Boost.Beast instead
};

/// A customer, plans, keys, usage: enough for every noun to show something.
void play_service(ScriptedApi& api);

/// A page of metrics on which acme sends and globex errs; at the fourth look globex' calls began anew.
void play_busy(ScriptedApi& api);
/// What becomes of acme: cloned, changed, deleted and restored; a secret that ends.
void play_life(ScriptedApi& api);
/// Two operators, an audit whose chain holds, and one that an anchor of row 9 does not fit.
void play_operators(ScriptedApi& api);

}  // namespace chat::test
