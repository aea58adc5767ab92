#pragma once
#include <string_view>

/// Data: {"user_id","read_seq","read_at"}. Not numbered: a later mark says all that an earlier one did.
namespace chat::reads {

inline constexpr std::string_view kMessageRead = "message.read";

}  // namespace chat::reads
