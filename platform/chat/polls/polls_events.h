#pragma once
#include <string_view>

/// To the channel, numbered: data {"message":{…}}, with the poll as it is by then. poll.voted goes to the voter's own connections:
/// {"message_id","options"}, all that it votes for now.
namespace chat::polls {

inline constexpr std::string_view kPollUpdated = "poll.updated";         // the counts changed; many votes, one event
inline constexpr std::string_view kPollClosed = "poll.closed";
inline constexpr std::string_view kPollVoted = "poll.voted";

}  // namespace chat::polls
