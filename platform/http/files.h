#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "platform/http/request.h"

/// Bodies that are too large for memory: taken as they come, and sent as they are read. Never more than kPieceBytes of
/// one are in memory.
namespace chat::http {

inline constexpr std::size_t kPieceBytes = 256 * 1024;

/// The body of one request on its way to where it stays. Made when the request's head is whole; dropped unfinished when the
/// client goes away. The handler finds it as the request's principal: who may make one was asked before the body came.
class Upload : public Principal {
 public:
  [[nodiscard]] virtual std::size_t max_bytes() const = 0;
  /// In order, on a file thread, one call at a time. Errors: refuses the request.
  virtual void write(std::string_view bytes) = 0;
  /// After the last piece: what was written is durable. On a file thread, before the handler.
  virtual void finish() = 0;
};
/// Judges the head of a request. Null: an ordinary one, whose body stays in memory. On an engine thread: from memory.
/// Errors:  refuses the request before its body is read.
using OnLargeBody = std::function<std::shared_ptr<Upload>(const Request& head)>;

/// A part of a file, as the body of an answer.
struct FileSlice {
  std::string path;
  std::uint64_t offset = 0, length = 0;
};
/// The answer's body is this part of a file, read while it is sent. A HEAD sends none of it.
Response& with_file(Response& response, const FileSlice& slice);
std::optional<FileSlice> file_of(const Response& response);
inline constexpr std::string_view kFileHeader = "x-chat-file";   // how with_file notes it; never leaves the process

/// An open file, read piece by piece. Closed with the last reference.
class FileReader {
 public:
  explicit FileReader(FileSlice slice) : slice_(std::move(slice)) {}
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  /// The next piece, opened at the first call; empty: the file ended or can't be read.
  std::string next();
  [[nodiscard]] std::uint64_t left() const { return slice_.length; }

 private:
  FileSlice slice_;
  int descriptor_ = -1;
};

/// The threads that wait for disks, so that engine threads do not.
/// Shape:   at most one task of each connection, so the queue needs no other bound.
class FileThreads {
 public:
  explicit FileThreads(int count);
  ~FileThreads();                                           // finishes what is queued
  void run(std::function<void()> task);                     // must not throw

 private:
  void work();
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chat::http
