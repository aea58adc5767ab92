#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/realtime/gateway.h"
#include "platform/storage/transaction.h"

/// Who is typing.
namespace chat::presence {

/// Those who type through this node. A client says so every few seconds while its user types; the channel hears the first of it,
/// then once every kRepeat. It ends when the client says so, through whatever node, or kLife after it last said it typed.
///
/// Event:   typing.start, typing.stop to the channel; not to the typing user's own devices, nor to whom a block stands between. Of a
///          user who is shadow-banned nobody hears.
/// Thread:  any.
/// Cost:    two statements when something is told, none otherwise.
class Typists {
 public:
  static constexpr std::chrono::seconds kRepeat{3}, kLife{6};
  static constexpr std::chrono::milliseconds kTurn{500};
  static constexpr std::size_t kMax = 100'000;       // on this node; beyond, nobody is told

  Typists(bus::Bus& bus, const Clock& clock) : bus_(bus), clock_(clock) {}

  /// Whether `start` is to be called now. A stop is told at once and needs nothing more.
  bool due(AppId app, const std::string& user_id, const realtime::Typing& typing);
  /// Errors:  not_found; forbidden (the action, or the type has no typing events, or banned); invalid_field (parent_id)
  void start(storage::Transaction& tx, const std::string& user_id, const realtime::Typing& typing);
  /// Ends what was not repeated.
  void turn();
  /// What clients without a socket said through another node: that the user stopped, or that it types there now.
  void on_control(const bus::Bus::Control& control);

 private:
  struct Place {
    AppId app;
    std::string user_id, cid, parent_id;
    auto operator<=>(const Place&) const = default;
  };
  struct Entry {
    Timestamp asked_at, until;
    bool told = false;
    ChannelId channel;
    std::vector<std::string> except;
  };
  std::optional<Entry> take(const Place& place);
  void tell(const Place& place, const Entry& entry, std::string_view type);
  void tell_others(const Place& place, std::string_view word);

  bus::Bus& bus_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<Place, Entry> entries_;
};

}  // namespace chat::presence
