#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "platform/base/log.h"
#include "platform/realtime/measures.h"
#include "platform/realtime/notices.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

constexpr std::chrono::seconds kLinger{2};            // for the peer's close frame
constexpr std::chrono::seconds kSlowLinger{10};       // a slow reader needs longer to find out why
constexpr std::uint16_t kNormal = 1000;

std::uint16_t code_in(std::string_view close_payload) {
  if (close_payload.size() < 2) return kNormal;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(close_payload[0]) << 8 |
                                    static_cast<unsigned char>(close_payload[1]));
}

}  // namespace

void Shard::on_socket(Session& session, std::uint32_t events) {
  if (session.doomed) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return doom(session, 0, {});
  if ((events & EPOLLIN) != 0) read(session);
  if ((events & EPOLLOUT) != 0) touch(session);
}

void Shard::read(Session& session) {
  const ssize_t got = ::recv(session.socket, scratch_.data(), scratch_.size(), MSG_DONTWAIT);
  if (got > 0) return take_bytes(session, scratch_.data(), static_cast<std::size_t>(got));
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  doom(session, 0, {});
}

void Shard::take_bytes(Session& session, char* bytes, std::size_t size) {
  session.heard_at = now_;
  if (session.state == Session::State::closing) return;   // only its end is waited for
  const auto violation =
      session.reader.feed(bytes, size, [&](const Message& message) { return on_message(session, message); });
  if (violation && !session.doomed) {
    if (violation->code == 1009) doom(session, Close::protocol_error, violation->why);
    else doom(session, violation->code, std::string(violation->why));
  }
}

bool Shard::on_message(Session& session, const Message& message) {
  switch (message.opcode) {
    case Opcode::text:
      on_text(session, message.payload);
      break;
    case Opcode::ping:
      send(session, LocalFrame(encode_frame(Opcode::pong, message.payload)), Kind::answer);
      break;
    case Opcode::close:
      doom(session, code_in(message.payload), {});
      break;
    case Opcode::pong:
      break;
    default:
      doom(session, Close::protocol_error, "frames are JSON text");
  }
  return !session.doomed;
}

void Shard::send(Session& session, const LocalFrame& frame, Kind kind) {
  if (session.doomed || session.state == Session::State::closing) return;
  const std::size_t limit = shared_.options.max_queue_bytes;
  if (kind == Kind::ephemeral && session.queue.limited_bytes() > limit / 2) return measures().dropped.add();
  session.queue.push(frame, kind);
  queued_ += static_cast<std::int64_t>(frame.size());
  touch(session);
  if (session.queue.limited_bytes() <= limit) return;
  measures().slow_readers.add();
  doom(session, Close::slow_reader);
}

void Shard::say(Session& session, std::string_view text) {
  send(session, LocalFrame(encode_frame(Opcode::text, text)), Kind::answer);
}

void Shard::touch(Session& session) {
  if (session.dirty) return;
  session.dirty = true;
  dirty_.push_back(&session);
}

void Shard::flush(Session& session) {
  const auto before = tally_.bytes;
  const SendQueue::Flush result = session.queue.flush(session.socket, tally_);
  queued_ -= static_cast<std::int64_t>(tally_.bytes - before);
  if (result == SendQueue::Flush::broken) return doom(session, 0, {});
  const bool blocked = result == SendQueue::Flush::blocked;
  if (blocked && (!session.wants_write || tally_.bytes != before)) session.progressed_at = now_;
  // Who does not read what was asked for is not asked any more: answers stay bounded without being dropped.
  const std::size_t waiting = session.queue.bytes();
  const std::size_t limit = shared_.options.max_queue_bytes;
  const bool wants_read = session.wants_read ? waiting <= limit * 2 : waiting <= limit / 2;
  if (blocked != session.wants_write || wants_read != session.wants_read) {
    session.wants_write = blocked;
    session.wants_read = wants_read;
    watch_socket(session);
  }
  if (session.queue.bytes() <= limit / 2) on_drained(session);
}

void Shard::on_drained(Session& session) {
  if (session.state == Session::State::closing) {
    if (session.queue.empty()) ::shutdown(session.socket, SHUT_WR);
  } else if (session.catch_up && session.catch_up->waiting) {
    session.catch_up->waiting = false;
    advance(session);
  }
}

void Shard::watch_socket(Session& session) {
  epoll_event event{};
  event.events = (session.wants_read ? EPOLLIN : 0u) | (session.wants_write ? EPOLLOUT : 0u);
  event.data.ptr = &session;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, session.socket, &event);
}

void Shard::doom(Session& session, Close code, std::string_view detail) {
  std::string reason(notices::word(code));
  if (!detail.empty()) reason.append(": ").append(detail);
  doom(session, static_cast<std::uint16_t>(code), std::move(reason));
}

void Shard::doom(Session& session, std::uint16_t code, std::string reason) {
  if (session.doomed) return;
  session.doomed = true;
  doomed_.push_back({&session, code, std::move(reason)});
}

void Shard::end(const Doom& doom) {
  Session& session = *doom.session;
  if (session.state != Session::State::closing) {
    // A code that the client chose is no label: it could be any.
    const std::string label = doom.code == 0 ? "lost" : doom.reason.empty() ? "client" : std::to_string(doom.code);
    metrics::counter("chat_ws_closes_total", "WebSockets closed, by close code.", {{"code", label}}).add();
    log::debug("connection.closed", {{"code", label}, {"reason", doom.reason}, {"remote", session.remote}});
    leave(session);
  }
  if (doom.code == 0) return destroy(session);
  say_goodbye(session, doom.code, doom.reason);
}

// Everything that waits is dropped but for a drained node's events: who must not hear more, hears no more.
void Shard::say_goodbye(Session& session, std::uint16_t code, const std::string& reason) {
  const bool is_slow = code == static_cast<std::uint16_t>(Close::slow_reader);
  queued_ -= static_cast<std::int64_t>(session.queue.bytes());
  if (code != static_cast<std::uint16_t>(Close::draining)) session.queue.drop_waiting();
  session.queue.push(LocalFrame(encode_close(code, reason)), Kind::answer);
  queued_ += static_cast<std::int64_t>(session.queue.bytes());
  session.state = Session::State::closing;
  session.doomed = false;
  session.wants_read = true;
  session.catch_up.reset();
  session.deferred.clear();
  session.deadline = now_ + (is_slow ? kSlowLinger : kLinger);
  watch_socket(session);
  set_timer(session);
  touch(session);
}

void Shard::destroy(Session& session) {
  wheel_.clear(session);
  queued_ -= static_cast<std::int64_t>(session.queue.bytes());
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, session.socket, nullptr);
  ::close(session.socket);
  measures().connections.add(-1);
  socket_count_.fetch_sub(1, std::memory_order_relaxed);
  sessions_.erase(session.number);
}

}  // namespace chat::realtime
