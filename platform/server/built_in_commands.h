#pragma once
#include <optional>
#include <string>

#include "platform/bus/feed.h"
#include "platform/chat/messages/command_text.h"
#include "tenants/auth.h"

namespace chat::server {

/// The command of this name that holds in channels of this type: the application's own, or else a built-in one that the type names.
std::optional<messages::KnownCommand> find_command(storage::Transaction& tx, const std::string& channel_type, const std::string& name);

/// Does what /ban, /unban, /mute and /unmute say, with the rights of whoever says it: "@user reason" or "user".
/// Errors:  invalid_field #/text (nobody is named); as ban_from_channel, lift_from_channel, mute_user, unmute_user
/// Event:   as these
void run_built_in(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const messages::BuiltInCall& call, Timestamp now);

}  // namespace chat::server
