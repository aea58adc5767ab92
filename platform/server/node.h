#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "platform/base/config.h"
#include "platform/storage/pool.h"

namespace chat::server {

/// Why chatd could not start: one sentence, and what its process exits with.
struct StartFailure : std::runtime_error {
  StartFailure(int code, const std::string& sentence) : std::runtime_error(sentence), exit_code(code) {}
  int exit_code;
};
inline constexpr int kExitConfiguration = 2;
inline constexpr int kExitPort = 3;
inline constexpr int kExitDatabase = 4;
inline constexpr int kExitSchema = 5;

/// One chatd: everything wired together, and nothing else. Order of life: database, memory, lanes, gateway, doors;
/// it ends in the opposite order.
class Node {
 public:
  /// Errors:  StartFailure (a key that is no base64 of 32 bytes, a plan file with mistakes)
  explicit Node(const config::Settings& settings);
  ~Node();

  /// Checks the schema, makes the partitions, loads the plans, opens the doors.
  /// Errors:  StartFailure
  void start();
  /// Stops accepting, finishes, tells sockets to reconnect elsewhere, flushes the usage; within the deadline.
  void stop();
  /// Takes over what can change while running. Says what waits for a restart in the log.
  void reload(const config::Settings& settings);

  [[nodiscard]] std::uint16_t public_port() const;
  [[nodiscard]] std::uint16_t operator_port() const;
  /// Runs a job of the schedule now and waits for it. For tests.
  void run_job(const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chat::server
