#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "platform/realtime/frame.h"

namespace chat::realtime {

/// A shared frame as one shard holds it. Counting references without atomics matters: a frame for 1,000 sockets on two cores
/// would otherwise move one cache line to and fro 2,000 times.
/// Thread:  never leaves its shard's.
class LocalFrame {
 public:
  LocalFrame() = default;
  explicit LocalFrame(Bytes bytes) : box_(new Box{std::move(bytes), 1}) {}
  explicit LocalFrame(std::string bytes) : LocalFrame(std::make_shared<const std::string>(std::move(bytes))) {}
  LocalFrame(const LocalFrame& other) : box_(other.box_) { if (box_ != nullptr) ++box_->references; }
  LocalFrame(LocalFrame&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  LocalFrame& operator=(LocalFrame other) noexcept { std::swap(box_, other.box_); return *this; }
  ~LocalFrame() { if (box_ != nullptr && --box_->references == 0) delete box_; }

  [[nodiscard]] const std::string& bytes() const { return *box_->bytes; }
  [[nodiscard]] const Bytes& shared() const { return box_->bytes; }
  [[nodiscard]] std::size_t size() const { return box_->bytes->size(); }

 private:
  struct Box {
    Bytes bytes;
    std::uint32_t references;
  };
  Box* box_ = nullptr;
};

/// What a frame is for its reader, and so what happens when the reader is slow.
enum class Kind : std::uint8_t {
  live,        // counts against the limit
  ephemeral,   // counts, and is not queued above half the limit
  answer,      // resumed events and answers: asked for, paced by their sender, not counted
};

/// What waits for one socket. Everything waiting leaves in as few writes as possible: one sendmsg for up to 64 frames.
/// Cost:    24 bytes when empty.
class SendQueue {
 public:
  enum class Flush { drained, blocked, broken };

  struct Tally {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
  };

  void push(LocalFrame frame, Kind kind);
  /// Adds to `tally` what left.
  Flush flush(int socket, Tally& tally);
  /// Forgets what has not begun to leave: a frame of which bytes are out must be finished first.
  void drop_waiting();

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }               // all that waits
  [[nodiscard]] std::size_t limited_bytes() const { return limited_; }     // live and ephemeral

 private:
  struct Entry {
    LocalFrame frame;
    Kind kind;
  };
  void advance(std::size_t sent, Tally& tally);

  std::vector<Entry> entries_;       // from head_ on
  std::uint32_t head_ = 0;
  std::uint32_t offset_ = 0;         // bytes of the head that are out
  std::size_t bytes_ = 0;
  std::size_t limited_ = 0;
};

}  // namespace chat::realtime
