#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chat::redis {

/// Where a Redis listens. `path` of a unix socket, or host and port.
struct Address {
  std::string path;
  std::string host;
  std::uint16_t port = 6379;
  int database = 0;
};

/// redis://host[:port][/database] or unix:///path[?db=database]. Nothing: neither of them. No password in it: URLs end up in logs.
std::optional<Address> parse_url(std::string_view url);

struct Options {
  Address address;
  std::string password;                              // empty: none is asked for
  std::string prefix = "chat:";                      // of all keys and channels: services that share a Redis do not meet
  std::chrono::milliseconds connect_timeout{2'000};  // until the first answers are there
  std::chrono::milliseconds answer_timeout{2'000};   // the oldest question waits longer: the connection is given up
  std::chrono::milliseconds heartbeat{1'000};
  std::chrono::milliseconds max_backoff{5'000};      // between attempts: 0.1 s, doubling, each cut by up to a half by chance
  std::size_t max_pending_bytes = 16 * 1024 * 1024;  // not yet written; beyond, commands are dropped
  std::size_t max_waiting = 100'000;                 // answers outstanding; likewise
};

}  // namespace chat::redis
