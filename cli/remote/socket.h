#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

/// A WebSocket of the public door, read frame by frame. The real one is Boost.Beast in socket.cpp.
namespace chat::cli {

struct SocketOptions {
  std::string url;  // ws:// or wss://host[:port]/path
  std::string api_key;
  std::string token;
  std::string ca_file;                                // empty: the system's
  std::chrono::milliseconds connect_timeout{10'000};  // name, TCP, TLS and handshake together
};

/// What ended a wait for a frame.
struct SocketEvent {
  enum class Kind { frame, closed, deadline, interrupted };
  Kind kind = Kind::frame;
  std::string text = {};  // the frame; of `closed`: why, in words
  int close_code = 0;     // of `closed`: 0 when the connection just broke
  int http_status = 0;    // of `closed` in the handshake: the status that refused it
};

/// Thread:  one.
class EventSocket {
 public:
  virtual ~EventSocket() = default;
  /// Connects on the first call. Answers `closed` for ever after the connection ended.
  /// SIGINT and SIGTERM answer `interrupted`, also while connecting.
  virtual SocketEvent next(std::chrono::steady_clock::time_point deadline) = 0;
};

std::unique_ptr<EventSocket> make_socket(SocketOptions options);

/// Waits; false when SIGINT or SIGTERM came first.
bool wait_uninterrupted(std::chrono::milliseconds time);

}  // namespace chat::cli
