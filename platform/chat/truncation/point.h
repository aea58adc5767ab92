#pragma once
#include "platform/chat/truncation/truncation.h"

/// Moving the point up to which a channel is truncated. Private to the folder.
namespace chat::truncation {

struct Point {
  MessageId message;                           // it goes, and all before it
  std::int64_t message_seq = 0, seq = 0;       // the newest numbers that go
};
/// The newest message up to `bound`. None: there is none.
std::optional<Point> find_point(storage::Transaction& tx, const channels::Channel& channel, Uuid bound,
                                 std::optional<Timestamp> before);

/// Under the head's lock. False: it stands there or further already.
/// Event:   channel.truncated
bool move_point(storage::Transaction& tx, bus::Bus& bus, channels::Channel& channel, const Point& point, bool hard, const std::string& user_id,
                Timestamp now);

}  // namespace chat::truncation
