#pragma once
#include "platform/chat/exports/exports.h"

namespace chat::messages {

/// Everything that a user wrote and that is not erased, channel by channel, for its export.
///
/// Cost:    looks at every message of the application by primary key, some thousands a slice: no index leads from a user to
///          its messages, and a send does not pay for one.
exports::Section export_section();

}  // namespace chat::messages
