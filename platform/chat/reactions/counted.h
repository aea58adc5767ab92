#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "platform/bus/feed.h"
#include "platform/storage/pool.h"

namespace chat::reactions {

/// Reactions in large channels: not each is told, but the counts of a message, once a turn. One a node; it tells what was
/// reacted to through it, unless another node has told these counts already. Where nodes told different counts at once and it is
/// open which arrived last, one of them tells the truth again a turn later.
///
/// Event:   reaction.counted to the channel
/// Thread:  any; `turn` one at a time, on a worker of the pool.
/// Cost:    one statement for kSlice messages.
class Counted {
 public:
  static constexpr std::chrono::milliseconds kTurn{1'000};
  static constexpr std::chrono::seconds kRemembered{10};             // what was told
  static constexpr std::size_t kSlice = 100, kMaxWaiting = 10'000;   // beyond, the next reaction to the message tells

  Counted(bus::Bus& bus, const Clock& clock) : bus_(bus), clock_(clock) {}

  void changed(AppId app, ChannelId channel, const std::string& cid, MessageId message);
  /// What this node and the others told.
  void on_events(bus::Bus::Events events);
  void turn(storage::Connection& connection);

 private:
  struct Changed {
    ChannelId channel;
    MessageId message;
    std::string cid;
    auto operator<=>(const Changed&) const = default;
  };
  using Slice = std::set<Changed>;
  struct Told {
    std::string data;
    Timestamp at;
  };
  void note_changed(AppId app, Changed change);
  void forget(Timestamp now);
  bool is_news(AppId app, MessageId message, const std::string& data, Timestamp now);
  void tell(storage::Connection& connection, AppId app, const Slice& slice);

  bus::Bus& bus_;
  const Clock& clock_;
  std::mutex mutex_;                           // guards what follows
  std::map<AppId, Slice> changed_;
  std::size_t waiting_ = 0;
  std::map<std::pair<AppId, MessageId>, Told> told_;   // last, by whatever node
};

}  // namespace chat::reactions
