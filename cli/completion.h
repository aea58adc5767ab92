#pragma once
#include <string>
#include <vector>

#include "cli/world.h"

namespace chat::cli {

/// What the shells' scripts ask: `chatctl __complete -- WORD…`, the last word being typed.
/// Shape:   a candidate per line, TAB and its meaning when it has one; the line ":file" means file names too.
/// Errors:  none: what can't be found out within a second is not offered.
void print_candidates(const std::vector<std::string>& words, World& world);

}  // namespace chat::cli
