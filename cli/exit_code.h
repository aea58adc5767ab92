#pragma once
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace chat::cli {

/// What the process says to the script that called it. `chatctl help exit-codes` is made from this list.
enum class Exit : int {
  ok = 0,
  failure = 1,       // the service refused the input, a check failed, or something unexpected
  usage = 2,         // the command line is wrong; nothing was done
  not_found = 3,     // no such application, plan, secret, context
  denied = 4,        // token missing, wrong, expired, or not allowed to
  conflict = 5,      // the thing's state forbids it: exists already, still in use, changed meanwhile
  limit = 6,         // a limit or quota refused it
  unavailable = 7,   // not reachable, not ready, or too slow
  partial = 8,       // some items done, some refused
  interrupted = 130  // Ctrl-C
};

/// Ends the command. Printed once, by run(): the message, the details, and what to do next.
class Failure : public std::exception {
 public:
  Failure(Exit exit, std::string message) : exit_(exit), message_(std::move(message)) {}

  Failure& with_detail(std::string line) {
    details_.push_back(std::move(line));
    return *this;
  }
  Failure& with_next(std::string line) {
    next_.push_back(std::move(line));
    return *this;
  }

  [[nodiscard]] Exit exit() const { return exit_; }
  [[nodiscard]] const std::string& message() const { return message_; }  // empty: print nothing
  [[nodiscard]] const std::vector<std::string>& details() const { return details_; }
  [[nodiscard]] const std::vector<std::string>& next() const { return next_; }  // sentences or commands
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  Exit exit_;
  std::string message_;
  std::vector<std::string> details_;
  std::vector<std::string> next_;
};

}  // namespace chat::cli
