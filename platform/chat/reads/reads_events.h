#pragma once
#include <string_view>

/// Not numbered: a later mark says all that an earlier one did.
namespace chat::reads {

inline constexpr std::string_view kMessageRead = "message.read";             // {"user_id","read_seq","read_at"}
inline constexpr std::string_view kMessageDelivered = "message.delivered";   // {"user_id","delivered_seq","delivered_at"}

}  // namespace chat::reads
