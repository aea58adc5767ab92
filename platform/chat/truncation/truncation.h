#pragma once
#include <optional>
#include <string>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/pool.h"

/// Truncation: a channel's history up to a point goes at once, for everybody. Soft, it is hidden; hard, a job removes its content
/// everywhere. Numbers (`seq`, `message_seq`) go on; unread begins after the point, which never goes back.
namespace chat::truncation {

inline constexpr std::size_t kMaxMessageBytes = 2'000;   // text of the system message

struct TruncationInput {
  std::optional<MessageId> up_to;              // this message and all before it,
  std::optional<Timestamp> before;             // or all before this moment; neither: everything
  bool hard = false;
  // A system message to be written after it:
  std::optional<std::string> text, custom;
  std::string author;                          // with `text`: in whose name
};

struct Truncated {
  channels::Channel channel;
  std::optional<MessageId> up_to;              // absent: there was nothing to truncate, and nothing was written or told
  std::optional<messages::Message> message;
};

/// What is older than the days that the types of channels keep their messages is removed, in all applications: once a day, by whole
/// days (UTC), channel by channel, each in a transaction of its own. For the job; may run on several nodes.
/// Event:   channel.truncated, where something went
/// Returns: how many channels lost something.
int keep_retention(storage::Connection& connection, bus::Bus& bus, Timestamp now);

/// Truncating what is truncated changes nothing; hard after soft removes it.
/// Shape:   `opened` comes from lock_channel.
/// Errors:  forbidden; not_found (`up_to` names no message of the channel; `author` no user)
/// Event:   channel.truncated, then message.new of the system message
/// Cost:    the same whatever goes: the point moves; removing is the job's.
Truncated truncate_channel(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const TruncationInput& input,
                           Timestamp now);

}  // namespace chat::truncation
