#pragma once
#include "platform/chat/channels/channels.h"

/// Reading the columns that several statements of this folder share. Private to the folder.
namespace chat::channels {

inline constexpr int kChannelColumns = 25;
inline constexpr int kMemberColumns = 15;
Channel read_channel(const storage::Row& row, int at = 0);
std::optional<Member> read_member(const storage::Row& row, int at);   // none: no such member

}  // namespace chat::channels
