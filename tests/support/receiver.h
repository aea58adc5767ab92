#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/http/server.h"
#include "platform/outbound/client.h"

namespace chat::test {

/// An HTTP server on a free port of loopback, as customers run them; remembers which paths it was asked for.
/// Thread:  `act` runs on the server's threads.
class Receiver {
 public:
  explicit Receiver(std::function<void(http::Request, http::Responder)> act) {
    http::ServerOptions options;
    options.port = 0;
    server_ = http::make_server(options, [this, act = std::move(act)](http::Request request, http::Responder respond) {
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request.path);
      }
      act(std::move(request), std::move(respond));
    });
    server_->start();
  }
  ~Receiver() { server_->stop(std::chrono::milliseconds(0)); }
  [[nodiscard]] std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(server_->port()) + path; }
  [[nodiscard]] std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  std::unique_ptr<http::Server> server_;
};

/// A client that may call loopback, which the guard would refuse.
inline outbound::Client::Options on_loopback() {
  outbound::Client::Options options;
  options.allowed_networks = {*outbound::Network::parse("127.0.0.0/8")};
  options.allows_http = true;
  return options;
}

}  // namespace chat::test
