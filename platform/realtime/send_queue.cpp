#include "platform/realtime/send_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace chat::realtime {
namespace {

constexpr std::size_t kMaxFramesPerWrite = 64;
constexpr std::size_t kCapacityToKeep = 64;
// One socket with a fast reader must not keep the others of its shard waiting.
constexpr int kMaxWritesPerFlush = 8;

}  // namespace

void SendQueue::push(LocalFrame frame, Kind kind) {
  const std::size_t size = frame.size();
  bytes_ += size;
  if (kind != Kind::answer) limited_ += size;
  entries_.push_back(Entry{std::move(frame), kind});
}

SendQueue::Flush SendQueue::flush(int socket, Tally& tally) {
  for (int writes = 0; head_ < entries_.size(); ++writes) {
    if (writes == kMaxWritesPerFlush) return Flush::blocked;
    std::array<iovec, kMaxFramesPerWrite> parts;
    const std::size_t count = std::min(entries_.size() - head_, parts.size());
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& bytes = entries_[head_ + i].frame.bytes();
      const std::size_t skip = i == 0 ? offset_ : 0;
      parts[i] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
      offered += parts[i].iov_len;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Flush::blocked : Flush::broken;
    }
    advance(static_cast<std::size_t>(sent), tally);
    if (static_cast<std::size_t>(sent) < offered) return Flush::blocked;
  }
  return Flush::drained;
}

void SendQueue::advance(std::size_t sent, Tally& tally) {
  tally.bytes += sent;
  bytes_ -= sent;
  while (sent > 0) {
    Entry& head = entries_[head_];
    const std::size_t rest = head.frame.size() - offset_;
    const std::size_t taken = std::min(sent, rest);
    if (head.kind != Kind::answer) limited_ -= taken;
    sent -= taken;
    if (taken < rest) {
      offset_ += static_cast<std::uint32_t>(taken);
      break;
    }
    head.frame = LocalFrame();
    ++tally.frames;
    offset_ = 0;
    ++head_;
  }
  if (head_ < entries_.size()) {
    if (head_ >= kCapacityToKeep && head_ * 2 >= entries_.size()) {
      entries_.erase(entries_.begin(), entries_.begin() + head_);
      head_ = 0;
    }
    return;
  }
  head_ = 0;
  entries_.clear();
  if (entries_.capacity() > kCapacityToKeep) std::vector<Entry>().swap(entries_);
}

void SendQueue::drop_waiting() {
  std::vector<Entry> begun;
  bytes_ = limited_ = 0;
  if (offset_ > 0) {
    begun.push_back(std::move(entries_[head_]));
    bytes_ = begun.front().frame.size() - offset_;
    if (begun.front().kind != Kind::answer) limited_ = bytes_;
  }
  entries_ = std::move(begun);
  head_ = 0;
}

}  // namespace chat::realtime
