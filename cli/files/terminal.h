#pragma once
#include <string>

namespace chat::cli {

/// Asks on stderr and reads one line from the terminal on stdin without showing it. Empty: nothing was typed.
std::string ask_hidden(const std::string& question);

}  // namespace chat::cli
