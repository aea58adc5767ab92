#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/redis/options.h"
#include "platform/redis/reply.h"

namespace chat::redis {

/// One connection to Redis, kept up for as long as it lives: connects, greets (password, database, name, subscription), writes
/// what it is given in one go, hands out the answers in order, asks for a sign of life, and begins anew when one is missing.
///
/// Event:   chat_redis_connected{connection}, chat_redis_connects_total{connection}, chat_redis_dropped_total{connection}
/// Thread:  any; one of its own, on which all callbacks come. They must be quick and not throw.
class Connection {
 public:
  /// As many as commands were sent, in their order. None at all: the connection ended before all were there; whether Redis
  /// has done it is not known.
  using OnReplies = std::function<void(std::vector<Reply>)>;
  struct Role {
    std::string name;                                // commands, subscriber: label and thread
    std::string subscribe_to;                        // a channel; empty: this connection carries commands
    std::function<void()> up;                        // greeted, and subscribed
    std::function<void()> down;                      // it was up
    std::function<void(std::string_view)> message;   // of the channel
  };

  Connection(Options options, Role role);
  ~Connection();                                     // stops
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void stop();                                       // what waits is answered with nothing

  /// Hands over `count` commands. False: not connected, or too much waits; then nothing was sent and nothing comes.
  [[nodiscard]] bool send(std::string commands, std::size_t count, OnReplies on_replies);
  [[nodiscard]] bool is_up() const;
  /// Redis' clock minus this machine's, from the last sign of life. Only on a connection that carries commands.
  [[nodiscard]] std::chrono::microseconds clock_offset() const;
  /// When Redis was heard last; the start, before.
  [[nodiscard]] std::chrono::steady_clock::time_point heard_at() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chat::redis
