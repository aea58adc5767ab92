#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "platform/base/config_parts.h"

namespace chat::config {
namespace {

constexpr std::size_t kMaxSecret = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Judges the opened file, not its name, so that nothing can be exchanged in between.
std::string wrong_file(const struct stat& file) {
  if (!S_ISREG(file.st_mode)) return "is not a plain file";
  if ((file.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", file.st_mode & 07777);
    return std::string("can be used by group or others (mode ") + mode + "); chmod it to 0600";
  }
  const uid_t me = geteuid();
  if (file.st_uid != me && file.st_uid != 0 && me != 0) return "belongs to another user";
  if (file.st_size > static_cast<off_t>(kMaxSecret)) return "is larger than 64 KiB";
  return {};
}

}  // namespace

std::optional<std::string> read_secret(const std::string& path, std::string& wrong) {
  const auto fail = [&](const std::string& why) {
    wrong = "the file " + path + " " + why;
    return std::nullopt;
  };
  const Descriptor file(path);
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    return fail("cannot be opened: " + std::string(std::strerror(errno)));
  }
  if (const std::string why = wrong_file(status); !why.empty()) return fail(why);
  std::string text(kMaxSecret + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail("cannot be read: " + std::string(std::strerror(errno)));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > kMaxSecret) return fail("is larger than 64 KiB");
  text.resize(size);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail("is empty");
  return text;
}

}  // namespace chat::config
