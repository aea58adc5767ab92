#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/feed.h"

/// Not numbered: a later mark says all that an earlier one did.
namespace chat::reads {

/// To the user's own devices: {"total","mentions","unread_channels","types":[…],"teams"?:[…],"unread_threads","threads":[…],"channels":[…],"more"}.
inline constexpr std::string_view kUnreadChanged = "notification.unread_changed";

inline constexpr std::string_view kMessageRead = "message.read";             // {"user_id","read_seq","read_at"}
inline constexpr std::string_view kMessageDelivered = "message.delivered";   // {"user_id","delivered_seq","delivered_at"}

/// Bus control word: marks of a user moved. Its detail: the user id, then the cids, or `*` when they are many.
inline constexpr std::string_view kUnreadMoved = "unread.moved";
/// Bus control word: what members of a channel have unread changed without an event to it. Its detail: the cid.
inline constexpr std::string_view kChannelUnreadMoved = "unread.channel_moved";
/// After the commit, to every node's UnreadAnnouncer.
void tell_unread_moved(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const std::vector<std::string>& cids);
void tell_channel_unread_moved(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& cid);

}  // namespace chat::reads
