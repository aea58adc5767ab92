#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "platform/base/error.h"
#include "platform/files/files.h"
#include "platform/files/temporary.h"

namespace chat::files {
namespace {

namespace fs = std::filesystem;

constexpr int kLevels = 4;                     // the file's folder, and those that it may be the first in

/// <folder>/<application>/<two digits>/<file>/<part>: everything of a file is in one folder that goes with it.
std::string folder_of(const std::string& root, const Place& place) {
  const auto file = place.file.text();
  return root + "/" + place.app.text() + "/" + file.substr(file.size() - 2) + "/" + file;
}

void make_folder(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) disk_failed("mkdir", path, failed.value());
}

/// Nobody's file is ever written over: a name that is taken stays with who had it.
class DiskWriter final : public Writer {
 public:
  explicit DiskWriter(const std::string& folder) : folder_(folder), part_(folder, "part-" + random_name()) {}

  void write(std::string_view bytes) override { part_.write(bytes); }
  void finish() override {
    part_.sync();
    const auto target = folder_ + "/" + std::string(kOriginal);
    if (::link(part_.path().c_str(), target.c_str()) != 0) {
      if (errno == EEXIST) throw Error(Code::conflict, "The bytes of this upload are here already.");
      disk_failed("link", target, errno);
    }
    auto folder = fs::path(folder_);
    for (int i = 0; i < kLevels; ++i, folder = folder.parent_path()) sync_folder(folder);
  }

 private:
  std::string folder_;
  Temporary part_;
};

class Disk final : public Store {
 public:
  explicit Disk(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] bool is_direct() const override { return false; }
  [[nodiscard]] Link put_link(const Place&, std::int64_t, Timestamp, std::chrono::seconds) const override { return {}; }
  [[nodiscard]] std::string get_link(const Place&, std::string_view, const Presented&, Timestamp, std::chrono::seconds) const override {
    return "";
  }
  std::unique_ptr<Writer> write(const Place& place) override {
    const auto folder = folder_of(folder_, place);
    make_folder(folder);
    return std::make_unique<DiskWriter>(folder);
  }
  [[nodiscard]] std::string path_of(const Place& place, std::string_view part) const override {
    return folder_of(folder_, place) + "/" + std::string(part);
  }
  std::unique_ptr<Local> fetch(const Place& place, std::int64_t) override {
    auto path = path_of(place, kOriginal);
    return ::access(path.c_str(), R_OK) == 0 ? std::make_unique<Local>(std::move(path), false) : nullptr;
  }
  void keep(const Place&, const Local&) override {}          // it is where it stays
  void put(const Place& place, std::string_view part, std::string_view, std::string_view bytes) override {
    const auto folder = folder_of(folder_, place);
    Temporary written(folder, "part-" + random_name());
    written.write(bytes);
    written.sync();
    const auto target = folder + "/" + std::string(part);
    if (::rename(written.path().c_str(), target.c_str()) != 0) disk_failed("rename", target, errno);
    written.release();
    sync_folder(folder);
  }
  void remove(const Place& place) override {
    const auto folder = folder_of(folder_, place);
    std::error_code failed;
    fs::remove_all(folder, failed);
    if (failed) disk_failed("remove", folder, failed.value());
  }

 private:
  const std::string folder_;
};

}  // namespace

std::unique_ptr<Store> open_disk(std::string folder) {
  make_folder(folder);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) disk_failed("access", folder, errno);
  return std::make_unique<Disk>(std::move(folder));
}

}  // namespace chat::files
