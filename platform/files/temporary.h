#pragma once
#include <string>
#include <string_view>

/// A file that is being written. Private to the folder.
namespace chat::files {

/// Errors:  unavailable (no room, or the disk fails)
class Temporary {
 public:
  /// In a folder that is there. `name`: of nobody else's.
  Temporary(const std::string& folder, const std::string& name);
  ~Temporary();                                // removed, unless released
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(std::string_view bytes);
  void sync();                                 // to the disk itself
  [[nodiscard]] const std::string& path() const { return path_; }
  void release() { kept_ = true; }             // stays, or was renamed

 private:
  std::string path_;
  int descriptor_ = -1;
  bool kept_ = false;
};

/// What a failed call of the system means for who asked.
[[noreturn]] void disk_failed(const char* what, const std::string& path, int error);
void sync_folder(const std::string& path);
std::string random_name();

}  // namespace chat::files
