#pragma once
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace chat::bench {

/// A wrong command line, or a server that did not answer as the bench needs. Ends the run with the sentence.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `--name value` pairs; a flag without value is "yes". A flag that nobody asked for is refused by `finish`.
class Flags {
 public:
  Flags(int argc, char** argv, int first);

  std::string text(const std::string& name);                              // required
  std::string text(const std::string& name, const std::string& fallback);
  std::int64_t number(const std::string& name, std::int64_t fallback);    // 0 … 10^9
  bool is_set(const std::string& name);
  void finish() const;

 private:
  std::map<std::string, std::string> given_;
  std::map<std::string, bool> asked_;
};

}  // namespace chat::bench
