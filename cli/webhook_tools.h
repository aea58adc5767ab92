#pragma once
#include "cli/line/command.h"

namespace chat::cli {

/// `listen` and `verify`: for who writes a receiver.
void add_webhook_tools(Noun& noun);

}  // namespace chat::cli
