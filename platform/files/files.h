#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/id.h"

/// Where files are kept: a folder of this machine, or a store that speaks S3.
namespace chat::files {

/// Whose file, and which. All of a path and of a key comes from here, nothing from what anybody wrote.
struct Place {
  AppId app;
  Uuid file;
};
/// The parts of one file: the bytes as they came, and what was made of them.
inline constexpr std::string_view kOriginal = "original";

/// A request that a client sends to the store itself.
struct Link {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;   // must go with it, as they are
};
/// How a download presents itself.
struct Presented {
  std::string media_type;
  std::string disposition;                     // of Content-Disposition
};

/// Takes the bytes of one file, piece by piece. Dropped without `finish`: nothing stays.
class Writer {
 public:
  virtual ~Writer() = default;
  /// Errors:  unavailable (no room, or the disk fails)
  virtual void write(std::string_view bytes) = 0;
  /// The file is there, whole and durable. Errors: conflict (it was there before, and stays as it was); unavailable
  virtual void finish() = 0;
};

/// The original on this machine's disk, for reading. Removed with this object when it is a copy.
class Local {
 public:
  explicit Local(std::string path, bool is_copy, std::string version = "") : path_(std::move(path)), version_(std::move(version)), is_copy_(is_copy) {}
  ~Local();
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& version() const { return version_; }   // the store's word for exactly these bytes

 private:
  std::string path_, version_;
  bool is_copy_;
};

/// Errors:  unavailable (no room, the disk fails, the store does not answer), with what happened for the log
/// Thread:  any. Everything but links waits: for a disk, or for a store with a deadline.
class Store {
 public:
  virtual ~Store() = default;
  /// Whether clients bring and fetch bytes at the store itself; else they go through this process.
  [[nodiscard]] virtual bool is_direct() const = 0;

  // Of a direct one. Cost: some microseconds, no call.
  [[nodiscard]] virtual Link put_link(const Place& place, std::int64_t size_bytes, Timestamp now, std::chrono::seconds valid) const = 0;
  [[nodiscard]] virtual std::string get_link(const Place& place, std::string_view part, const Presented& presented, Timestamp now,
                                             std::chrono::seconds valid) const = 0;
  // Of the others.
  virtual std::unique_ptr<Writer> write(const Place& place) = 0;
  [[nodiscard]] virtual std::string path_of(const Place& place, std::string_view part) const = 0;

  /// What was brought. Null: nothing yet. Errors: too_large (more than `size_bytes`)
  virtual std::unique_ptr<Local> fetch(const Place& place, std::int64_t size_bytes) = 0;
  /// From here on these bytes are the original, whatever else is brought.
  virtual void keep(const Place& place, const Local& local) = 0;
  virtual void put(const Place& place, std::string_view part, std::string_view media_type, std::string_view bytes) = 0;
  /// All parts. Nothing there: nothing to do.
  virtual void remove(const Place& place) = 0;
};

std::unique_ptr<Store> open_disk(std::string folder);

}  // namespace chat::files
