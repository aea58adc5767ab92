#pragma once
#include "cli/line/command.h"

namespace chat::cli {

/// A verb of `moderation`.
void add_moderation_rules(Noun& moderation);

}  // namespace chat::cli
