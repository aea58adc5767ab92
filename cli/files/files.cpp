#include "cli/files/files.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <ostream>
#include <utility>

#include "cli/exit_code.h"

extern char** environ;

namespace chat::cli {
namespace {

constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;

Failure cannot(const std::string& act, const std::string& path) {
  return Failure(Exit::failure, "cannot " + act + " " + path + ": " + std::strerror(errno));
}

std::string read_all(std::istream& in, const std::string& name) {
  std::string text;
  std::array<char, 65536> part;
  while (in.read(part.data(), part.size()) || in.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxBytes) throw Failure(Exit::failure, name + " is larger than 4 MiB");
  }
  return text;
}

std::string one_line(std::string text, const std::string& where) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (text.empty()) throw Failure(Exit::denied, where + " is empty");
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x21 || c == 0x7F)
      throw Failure(Exit::denied, where + " must hold one word on one line and nothing else");
  return text;
}

/// A pipe's reading end and the process that writes into it.
class Child {
 public:
  explicit Child(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw cannot("start", command);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
    const int result =
        posix_spawn(&pid_, "/bin/sh", &actions, nullptr, const_cast<char* const*>(argv), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
    if (result != 0) pid_ = -1;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    close(output_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  [[nodiscard]] int output() const { return output_; }
  /// The exit status, or -1 when it did not end by itself.
  int wait() {
    int status = 0;
    while (pid_ > 0 && waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    const bool started = pid_ > 0;
    pid_ = -1;
    return started && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// Everything up to the end of the output; false when the deadline came first.
bool read_until(int from, std::chrono::steady_clock::time_point deadline, std::string& into) {
  std::array<char, 4096> part;
  while (into.size() <= kMaxBytes) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd one{from, POLLIN, 0};
    const int ready = left <= 0 ? 0 : poll(&one, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const auto got = read(from, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    into.append(part.data(), static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

std::string read_input(World& world, const std::string& path) {
  if (path == "-") return read_all(world.in, "standard input");
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored)) {
    if (file) errno = EISDIR;
    throw cannot("read", path);
  }
  return read_all(file, path);
}

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string read_secret_file(World& world, const std::string& path) {
  if (path != "-" && !is_private(path))
    world.err << "warning: others can read " << path << "; run chmod 600 " << path << "\n";
  return one_line(read_input(world, path), input_name(path));
}

std::string read_secret_command(const std::string& command, std::chrono::milliseconds deadline) {
  Child child(command);
  std::string text;
  if (!read_until(child.output(), std::chrono::steady_clock::now() + deadline, text))
    throw Failure(Exit::denied, "the context's token_command did not end within " +
                                    std::to_string(deadline.count()) + " ms");
  if (const int status = child.wait(); status != 0)
    throw Failure(Exit::denied, "the context's token_command failed with status " + std::to_string(status))
        .with_next("run it alone to see why: " + command);
  return one_line(text.substr(0, text.find('\n')), "what the context's token_command printed");
}

PrivateFile::PrivateFile(std::string path, bool may_replace) : path_(std::move(path)), may_replace_(may_replace) {
  const auto folder = std::filesystem::path(path_).parent_path();
  std::error_code failed;
  if (!folder.empty() && !std::filesystem::exists(folder)) {
    std::filesystem::create_directories(folder, failed);
    if (failed) throw Failure(Exit::failure, "cannot make " + folder.string() + ": " + failed.message());
    chmod(folder.c_str(), 0700);
  }
  struct stat facts {};
  if (!may_replace_ && lstat(path_.c_str(), &facts) == 0)
    throw Failure(Exit::conflict, path_ + " exists already; it is left as it is");
  unfinished_ = path_ + ".XXXXXX";
  file_ = mkostemp(unfinished_.data(), O_CLOEXEC);  // made 0600
  if (file_ < 0) throw cannot("write", path_);
}

PrivateFile::~PrivateFile() {
  if (file_ >= 0) close(file_);
  if (!unfinished_.empty()) unlink(unfinished_.c_str());
}

void PrivateFile::write(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto wrote = ::write(file_, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR) throw cannot("write", path_);
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
}

void PrivateFile::finish() {
  if (fsync(file_) != 0) throw cannot("write", path_);
  if (close(std::exchange(file_, -1)) != 0) throw cannot("write", path_);
  publish();
}

void PrivateFile::publish() {
  if (may_replace_ ? rename(unfinished_.c_str(), path_.c_str()) != 0
                   : link(unfinished_.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) throw Failure(Exit::conflict, path_ + " exists already; it is left as it is");
    throw cannot("write", path_);
  }
  if (may_replace_) unfinished_.clear();  // it is the file now
}

void write_private_file(const std::string& path, const std::string& text, bool may_replace) {
  PrivateFile file(path, may_replace);
  file.write(text);
  file.finish();
}

bool is_private(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode) || (facts.st_mode & 077) == 0;
}

}  // namespace chat::cli
