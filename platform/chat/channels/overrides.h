#pragma once
#include <string>

#include "platform/chat/channels/channel_types.h"

/// What one channel has otherwise than its type: typing_events, read_events, delivery_events, reactions, replies, quotes, uploads,
/// polls, push, link_previews, pending, max_message_bytes. Slow mode and cooldown are the channel's own anyway. Kept as a JSON object with the
/// members that differ. What a large channel has none of no override brings back.
namespace chat::channels {

/// Errors:  gathered in `body`: other names, wrong types
std::optional<std::string> find_overrides(json::Fields& body, std::string_view name);
bool is_override(std::string_view name);
void apply_overrides(TypeSettings& settings, const std::string& overrides);
/// Members take away from what the type allows; only a server gives more.
/// Errors:  forbidden, naming the setting
void check_overrides(const TypeSettings& type, const std::string& overrides);

}  // namespace chat::channels
