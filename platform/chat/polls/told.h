#pragma once
#include <string_view>

#include "platform/chat/polls/polls.h"

/// Telling a channel about a poll. Private to the folder.
namespace chat::polls {

/// The message with its poll, to the channel; of a message in the shadow of a ban, to its author alone.
void tell_channel(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, std::string_view type,
                  const messages::Message& message, Timestamp now);
void count_change(const char* change);

}  // namespace chat::polls
