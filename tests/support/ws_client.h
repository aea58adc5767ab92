#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chat::test {

/// A WebSocket client over Boost.Beast: an implementation of RFC 6455 that is not ours.
///
///   WsClient alice({.port = port, .api_key = key, .token = token});
///   alice.wait_for("connection.ready");
///   alice.send({{"type", "ping"}});
///   alice.wait_for("pong");
///
/// Thread:  one caller; a thread of its own reads.
class WsClient {
 public:
  enum class Mode { header, subprotocol, first_frame, anonymous };   // anonymous: sends no credentials at all
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kPatience{5'000};

  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string api_key = {};
    std::string token = {};
    Mode mode = Mode::header;
    std::string target = "/v1/connect";
    std::map<std::string, std::string> headers = {};   // further ones
    int receive_buffer_bytes = 0;                   // SO_RCVBUF; 0: the system's
    bool deaf = false;                              // reads nothing, so answers no ping either, until go_on()
  };

  /// The server answered over HTTP instead of upgrading.
  struct Refused : std::runtime_error {
    Refused(int status_code, std::string answer)
        : std::runtime_error("refused with " + std::to_string(status_code) + ": " + answer),
          status(status_code), body(std::move(answer)) {}
    int status;
    std::string body;
  };

  /// Connects and shakes hands. Errors: Refused; std::runtime_error when nobody answers.
  explicit WsClient(const Options& options);
  ~WsClient();                                      // drops the connection without a close frame
  WsClient(WsClient&&) noexcept;
  WsClient& operator=(WsClient&&) noexcept;

  void send(const nlohmann::json& frame);
  void send_text(std::string text);
  void send_binary(std::string bytes);

  /// The next frame, whatever it is. Nothing: none came in time, or the connection ended.
  std::optional<nlohmann::json> next(Milliseconds patience = kPatience);
  /// Skips frames of other types. Errors: std::runtime_error that lists what came instead.
  nlohmann::json wait_for(const std::string& type, Milliseconds patience = kPatience);
  /// As wait_for, but a connection that ends or stays silent is an answer.
  std::optional<nlohmann::json> find(const std::string& type, Milliseconds patience);
  /// Everything that comes within `patience`.
  std::vector<nlohmann::json> drain(Milliseconds patience);

  void go_on();                                     // a deaf client begins to read

  void close(std::uint16_t code = 1000);            // with a close frame; returns at once
  /// Code of the server's close frame, 1006 when the connection ended without one. Nothing: still open after `patience`.
  std::optional<std::uint16_t> wait_closed(Milliseconds patience = kPatience);
  [[nodiscard]] std::string close_reason() const;
  [[nodiscard]] std::string protocol() const;       // the subprotocol that the server chose

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace chat::test
