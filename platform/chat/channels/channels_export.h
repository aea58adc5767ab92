#pragma once
#include "platform/chat/exports/exports.h"

namespace chat::channels {

/// The channels that a user is a member of, for its export.
std::vector<exports::Section> export_sections();

}  // namespace chat::channels
