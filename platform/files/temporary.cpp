#include "platform/files/temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/files/files.h"

namespace chat::files {

Local::~Local() {
  if (is_copy_) ::unlink(path_.c_str());
}

void disk_failed(const char* what, const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  throw Error(Code::unavailable, full ? "The file storage is full." : "The file storage does not work.")
      .with_retry_after(std::chrono::seconds(full ? 60 : 5))
      .with_log(std::string(what) + " " + path + ": " + std::strerror(error));
}

void sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) disk_failed("open", path, errno);
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) disk_failed("fsync", path, failed);
}

std::string random_name() { return crypto::hex(crypto::random_bytes(12)); }

Temporary::Temporary(const std::string& folder, const std::string& name) : path_(folder + "/" + name) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor_ < 0) disk_failed("open", path_, errno);
}

Temporary::~Temporary() {
  ::close(descriptor_);
  if (!kept_) ::unlink(path_.c_str());
}

void Temporary::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) disk_failed("write", path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Temporary::sync() {
  if (::fsync(descriptor_) != 0) disk_failed("fsync", path_, errno);
}

}  // namespace chat::files
