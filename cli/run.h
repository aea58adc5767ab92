#pragma once
#include <string>
#include <vector>

#include "cli/line/command.h"
#include "cli/world.h"

namespace chat::cli {

/// One run of chatctl: `words` without the program's name. Returns the process's exit code; never throws.
int run(const std::vector<std::string>& words, World& world);

/// Every noun and verb.
void add_all(CommandLine& line);

}  // namespace chat::cli
