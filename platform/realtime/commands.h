#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/realtime/gateway.h"

/// What clients may say. Pure.
namespace chat::realtime {

struct PingCommand {};
struct AuthCommand {
  std::string api_key;
  std::string token;
};
struct ResumeCommand {
  struct Channel {
    std::string cid;
    std::string epoch;
    std::int64_t seq = 0;
  };
  std::vector<Channel> channels;
};
struct WatchCommand {
  std::vector<std::string> cids;       // each once
};
struct UnwatchCommand {
  std::vector<std::string> cids;
};
struct PresenceCommand {
  std::vector<std::string> user_ids;   // each once; replaces what the connection followed before
};
struct StatusCommand {
  bool away = false;
};
using Command = std::variant<PingCommand, AuthCommand, ResumeCommand, WatchCommand, UnwatchCommand, Typing, SyncAsk,
                             PresenceCommand, StatusCommand>;

/// A frame that no client of ours would send: not JSON, not an object, no type, a type that does not exist.
struct Garbage {
  std::string why;                     // for the close frame
};

/// The type is right, the rest may not be.
struct Refused {
  std::string ref;
  Error error;
};

struct Parsed {
  std::string ref;                     // echoed; empty: none
  Command command;
};

/// Reads one text frame.
/// Errors:  Refused: unknown_field, invalid_field (also more channels than options allow)
std::variant<Parsed, Refused, Garbage> parse_command(std::string_view text, const Options& options);

}  // namespace chat::realtime
