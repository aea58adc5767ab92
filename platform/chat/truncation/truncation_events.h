#pragma once
#include <string_view>

namespace chat::truncation {

/// {"channel":{…},"up_to_message_id","hard","user_id"}: numbered, to the channel. Forget what you have up to that message.
inline constexpr std::string_view kChannelTruncated = "channel.truncated";

}  // namespace chat::truncation
