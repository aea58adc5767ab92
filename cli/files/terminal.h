#pragma once
#include <chrono>
#include <string>

#include "cli/world.h"

namespace chat::cli {

/// Ctrl-C ends the process at once with code 130 and leaves the terminal as it was found.
void leave_on_interrupt();

/// Asks on stderr and reads a line without echo.
std::string ask_hidden(const std::string& question);

/// Waits; Ctrl-C ends the process (leave_on_interrupt), so it always answers true.
bool wait_or_exit(std::chrono::milliseconds time);

TerminalSize terminal_size();  // of standard output; the default when it is none

}  // namespace chat::cli
