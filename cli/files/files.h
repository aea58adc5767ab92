#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

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

/// An owner-only file (0600) written bit by bit; it appears whole with finish(), or not at all. Missing folders
/// are made.
class PrivateFile {
 public:
  /// `may_replace` false: an existing file is refused with conflict, here and, if it came meanwhile, by finish().
  PrivateFile(std::string path, bool may_replace);
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;
  ~PrivateFile();                              // not finished: nothing stays
  void write(std::string_view text);
  void finish();

 private:
  void publish();

  std::string path_, unfinished_;
  bool may_replace_;
  int file_ = -1;
};

/// The same at once.
void write_private_file(const std::string& path, const std::string& text, bool may_replace);

/// True when nobody but the owner may read it, or there is no such file.
bool is_private(const std::string& path);

}  // namespace chat::cli
