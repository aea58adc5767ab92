#pragma once
#include <string>

namespace chat {

/// What `top -H`, `perf` and a debugger call the calling thread. Cut at 15 bytes, as Linux does.
void name_this_thread(std::string name);

}  // namespace chat
