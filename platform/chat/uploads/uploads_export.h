#pragma once
#include "platform/chat/exports/exports.h"

namespace chat::uploads {

/// The uploads of a user, without their bytes, for its export.
exports::Section export_section();

}  // namespace chat::uploads
