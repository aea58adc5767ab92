#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "cli/world.h"

namespace chat::cli {

/// The whole file, or standard input for "-". Errors: Failure failure, saying which file and why; beyond 4
/// MiB.
std::string read_input(World& world, const std::string& path);

/// How messages call it.
std::string input_name(const std::string& path);

/// A secret of one line: read, one trailing newline dropped.
/// Errors:  Failure: not readable, empty, more than one line. A file that group or others can read is named
/// on stderr.
std::string read_secret_file(World& world, const std::string& path);

/// The first line of what a shell command prints, within the deadline. Errors: Failure denied when it fails
/// or prints nothing.
std::string read_secret_command(const std::string& command, std::chrono::milliseconds deadline);

/// Owner-only (0600), appearing whole or not at all. `may_replace` false: an existing file is refused with
/// conflict.
void write_private_file(const std::string& path, const std::string& text, bool may_replace);

/// True when nobody but the owner may read it, or there is no such file.
bool is_private(const std::string& path);

}  // namespace chat::cli
