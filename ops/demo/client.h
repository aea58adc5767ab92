#pragma once
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

/// What a customer's own program would have: a small REST and WebSocket client over Boost.Beast. Shares no code
/// with the server. Every wait has a deadline.
namespace chat::demo {

/// A step of the story went otherwise than told. Ends the demo with the sentence.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One caller: an application's key and a token.
struct Credentials {
  std::string api_key;
  std::string token;
};

struct Door {
  std::string host;
  std::string port;
};

struct Answer {
  unsigned status = 0;
  nlohmann::json body;
};

/// One request; 10 s at most.
Answer ask(const Door& door, const Credentials& who, const std::string& method, const std::string& target,
           const nlohmann::json& body);

/// One WebSocket at /v1/connect.
class Socket {
 public:
  /// Waits for connection.ready. `resuming`: numbered events wait for the resume command.
  Socket(const Door& door, const Credentials& who, bool resuming = false);
  ~Socket();

  void say(const nlohmann::json& command);
  /// The next frame whose type is `type`; others are let pass. Empty when none came in time.
  std::optional<nlohmann::json> wait_for(const std::string& type, std::chrono::milliseconds patience);
  /// Drops the TCP connection without a word, as a tunnel does.
  void cut();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chat::demo
