#pragma once
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>

#include "cli/remote/api.h"
#include "cli/remote/socket.h"
#include "platform/base/clock.h"

namespace chat::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Everything outside the command: streams, environment, clock, network. Tests hand in their own.
struct World {
  std::istream& in;
  std::ostream& out;  // data
  std::ostream& err;  // everything said to people
  const Clock& clock;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::map<std::string, std::string> environment = {};
  std::function<std::unique_ptr<Api>(ApiOptions)> connect_api = {};
  std::function<std::unique_ptr<EventSocket>(SocketOptions)> open_socket = {};
  std::function<std::string(const std::string& question)> ask_hidden = {};  // reads a line without echo
  std::function<bool(std::chrono::milliseconds)> wait = {};            // false: interrupted
  std::function<TerminalSize()> terminal_size = {};                    // of standard output

  /// Empty when not set.
  [[nodiscard]] std::string variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  }
};

}  // namespace chat::cli
