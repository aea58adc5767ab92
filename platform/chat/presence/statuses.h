#pragma once
#include "platform/chat/presence/presence.h"

namespace chat::presence {

/// What the store says of users, in their order. Private to the folder.
std::vector<Status> ask_statuses(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids);

}  // namespace chat::presence
