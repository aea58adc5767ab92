#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/bus/feed.h"
#include "platform/ephemeral/store.h"
#include "platform/redis/connection.h"

namespace chat::redis {

/// This node's two connections to Redis, one for commands and one that listens, and what stands on them.
///
/// Order of life: Link, then make_bus and make_store, then what uses them; `start`; … `stop`; the opposite order.
/// Thread:  any, after `start`.
class Link {
 public:
  Link(Options options, const Clock& clock);
  ~Link();                                           // stops
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Before `start`. Called on the threads of the connections.
  struct Listener {
    std::function<void()> commands_up;
    std::function<void()> subscriber_up, subscriber_down;
    std::function<void(std::string_view)> message;   // of this service's channel
  };
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }

  void start();
  void stop();

  /// Asks and waits; for threads that may. Nothing: not connected, or no answer in time.
  [[nodiscard]] std::optional<std::vector<Reply>> ask(std::string commands, std::size_t count, std::chrono::milliseconds deadline);
  /// To every node of the service. False: as Connection::send.
  [[nodiscard]] bool publish(const std::string& packet, Connection::OnReplies on_replies);

  [[nodiscard]] Connection& commands() { return *commands_; }
  [[nodiscard]] const Connection& subscriber() const { return *subscriber_; }
  [[nodiscard]] bool is_up() const { return commands_->is_up() && subscriber_->is_up(); }
  [[nodiscard]] const std::string& node() const { return node_; }             // of this process alone
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] Timestamp redis_now() const { return clock_.now() + commands_->clock_offset(); }   // one clock for all nodes
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  const Clock& clock_;
  const std::string node_, prefix_, channel_;
  std::vector<Listener> listeners_;
  std::unique_ptr<Connection> commands_, subscriber_;
};

/// The bus of several nodes. What is published here is told here at once, without Redis, and to the others by it, in one PUBLISH
/// for what was committed together. At most once; what a lost connection swallowed is repeated by the node that told it,
/// out of its memory (16 MiB, 5 minutes); beyond, `on_missed` says so.
/// Source:  ops/decisions/0022-two-nodes-are-one-service.md
std::unique_ptr<bus::Bus> make_bus(Link& link);

/// Holds of all nodes, in Redis, in a sorted set per key by when they end. Restored from this node's memory after a reconnect.
std::unique_ptr<ephemeral::Store> make_store(Link& link, ephemeral::Bounds bounds = {});

}  // namespace chat::redis
