#pragma once
#include "platform/chat/messages/messages.h"

/// Reading the columns of messages_shown in the order in which every statement of this folder selects them. Private.
namespace chat::messages {

Message read_message(const storage::Row& row, int at = 0);

}  // namespace chat::messages
