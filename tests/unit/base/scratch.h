#pragma once
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace chat::test {

/// A folder of the test's own under /tmp, gone with it.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/chat_unit_XXXXXX";
    if (mkdtemp(name) == nullptr) throw std::runtime_error("no folder under /tmp");
    folder_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(folder_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::filesystem::remove(path(name));
    std::ofstream(path(name), std::ios::binary) << text;
    chmod(path(name).c_str(), mode);
    return path(name);
  }

 private:
  std::string folder_;
};

}  // namespace chat::test
