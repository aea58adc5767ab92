#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chat::test {

/// A chatd of its own process, on the tests' database, with ports that the system chose.
class Child {
 public:
  /// `flags`: further --set key=value. `dsn` empty: the shared database.
  explicit Child(std::vector<std::string> flags = {}, const std::string& config_file = "");
  ~Child();                                    // kill -9 if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void wait_ready();                           // fails the test when it ends or takes 20 s
  void signal(int number) const;
  /// Its exit code, 128 + signal when it was killed. Fails the test after `patience`.
  int wait_end(std::chrono::seconds patience = std::chrono::seconds(20));
  [[nodiscard]] std::string log() const;       // standard error so far
  void wait_log(const std::string& text) const;
  [[nodiscard]] std::uint16_t public_port() const { return public_port_; }
  [[nodiscard]] std::uint16_t operator_port() const { return operator_port_; }

  static constexpr const char* kOperatorToken = "operator-of-the-child-0123456789";

 private:
  pid_t pid_ = -1;
  std::optional<int> ended_;
  std::string folder_;
  std::uint16_t public_port_ = 0, operator_port_ = 0;
};

}  // namespace chat::test
