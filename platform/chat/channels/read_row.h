#pragma once
#include "platform/chat/channels/channels.h"

/// Reading what several acts of this folder share. Private to the folder.
namespace chat::channels {

inline constexpr int kChannelColumns = 25;
inline constexpr int kMemberColumns = 15;
Channel read_channel(const storage::Row& row, int at = 0);
std::optional<Member> read_member(const storage::Row& row, int at);   // none: no such member
/// open_channel_as; nothing: there is no such channel. A channel that is closed to this user is refused all the same.
std::optional<Opened> try_open(storage::Transaction& tx, const std::string& type, const std::string& channel_id, const std::string& acting_user);

}  // namespace chat::channels
