#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/http/files.h"
#include "platform/http/request.h"

namespace chat::http {

struct ServerOptions {
  std::string engine = "beast";            // beast | pistache
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;               // 0: any free one
  int threads = 2;
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_body_bytes = 1024 * 1024;   // above every route's own limit
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::size_t max_connections = 20'000;
  OnLargeBody on_large_body = {};          // none: every body stays in memory
};

/// A request to become a WebSocket: the engine gives the socket away. Only the Beast engine can.
struct Upgrade {
  Request request;                         // headers, query and remote; no body
  int socket = -1;                         // a connected, non-blocking TCP descriptor; the taker owns it
  std::string already_read;                // bytes behind the request head
  /// Refuses instead: the engine answers over HTTP and closes. After taking the socket it must not be called.
  std::function<void(Response)> refuse;
};

/// A listening engine. start() binds and serves on its own threads; throws Error(unavailable) with one sentence
/// when the port is in use. stop() stops accepting, lets running requests finish until the deadline, closes.
class Server {
 public:
  virtual ~Server() = default;
  virtual void start() = 0;
  virtual void stop(std::chrono::milliseconds deadline) = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

using OnRequest = std::function<void(Request, Responder)>;
/// Returns false when the request is not for it (then it is handled as plain HTTP).
using OnUpgrade = std::function<bool(Upgrade&)>;

std::unique_ptr<Server> make_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade = {});

}  // namespace chat::http
