#include "platform/http/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "platform/base/log.h"
#include "platform/base/thread.h"

namespace chat::http {

Response& with_file(Response& response, const FileSlice& slice) {
  return response.with(std::string(kFileHeader),
                       std::to_string(slice.offset) + " " + std::to_string(slice.length) + " " + slice.path);
}

std::optional<FileSlice> file_of(const Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (name != kFileHeader) continue;
    std::size_t end = 0;
    FileSlice slice;
    slice.offset = std::stoull(value, &end);
    std::size_t length_end = 0;
    slice.length = std::stoull(value.substr(end + 1), &length_end);
    slice.path = value.substr(end + 1 + length_end + 1);
    return slice;
  }
  return std::nullopt;
}

FileReader::~FileReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string FileReader::next() {
  if (descriptor_ < 0) descriptor_ = ::open(slice_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor_ < 0) return "";
  std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(slice_.length, kPieceBytes)), '\0');
  ssize_t got = 0;
  do got = ::pread(descriptor_, piece.data(), piece.size(), static_cast<off_t>(slice_.offset));
  while (got < 0 && errno == EINTR);
  piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  slice_.offset += piece.size();
  slice_.length -= piece.size();
  return piece;
}

FileThreads::FileThreads(int count) {
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

FileThreads::~FileThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void FileThreads::run(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  arrived_.notify_one();
}

void FileThreads::work() {
  name_this_thread("files");
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace chat::http
