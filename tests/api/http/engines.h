#pragma once
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

#include "platform/http/server.h"
#include "tests/support/http_client.h"

namespace chat::test {

inline constexpr std::size_t kBigBytes = 10 * 1024 * 1024;

/// A server of the engine under test on a free port, whose handler says what it was asked:
///   /echo…       200 "METHOD path name=value;… body"
///   /big         200 with 10 MiB of 'x'
///   /later       as /echo, from another thread
///   /drop        drops its Responder
///   /throw       throws
struct Engine {
  explicit Engine(http::ServerOptions options = {}, http::OnUpgrade on_upgrade = {});
  ~Engine();
  std::unique_ptr<http::Server> server;
  [[nodiscard]] HttpClient connect(int receive_buffer = 0) const { return HttpClient(server->port(), receive_buffer); }
};

/// Both, one after the other, in every test.
inline std::string each_engine() { return GENERATE(as<std::string>{}, "beast", "pistache"); }
inline http::ServerOptions options_of(const std::string& engine) {
  http::ServerOptions options;
  options.engine = engine;
  options.port = 0;
  options.threads = 2;
  return options;
}

}  // namespace chat::test
