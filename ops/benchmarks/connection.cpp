#include "ops/benchmarks/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "ops/benchmarks/flags.h"

namespace chat::bench {

Endpoint Endpoint::parse(const std::string& text) {
  const auto colon = text.rfind(':');
  Endpoint endpoint;
  in_addr address{};
  if (colon != std::string::npos) {
    endpoint.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
    if (error == std::errc{} && stopped == end && inet_pton(AF_INET, endpoint.host.c_str(), &address) == 1) return endpoint;
  }
  throw Failure("expected an address as 127.0.0.1:8080, not " + text);
}

Connection::Connection(Loop& loop, Endpoint endpoint) : loop_(loop), endpoint_(std::move(endpoint)) {}

Connection::~Connection() { shut(); }

bool Connection::open() {
  shut();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw Failure(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  const timeval patience{10, 0};
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // bounds connect too
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint_.port);
  inet_pton(AF_INET, endpoint_.host.c_str(), &address.sin_addr);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    shut();
    return false;
  }
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  loop_.add(fd_, *this);
  return true;
}

void Connection::shut() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  rest_.clear();
  out_.clear();
}

void Connection::write(std::string_view bytes) {
  if (fd_ < 0) return;
  if (out_.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_.append(bytes);
}

void Connection::flush() {
  const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
}

void Connection::on_ready(std::uint32_t events) {
  if (fd_ < 0) return;
  if (events & EPOLLOUT && !out_.empty()) flush();
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) read();
}

void Connection::read() {
  auto& buffer = loop_.scratch();
  while (fd_ >= 0) {
    if (rest_.size() >= buffer.size()) throw Failure("an answer larger than the bench reads");
    std::memcpy(buffer.data(), rest_.data(), rest_.size());
    const std::size_t room = buffer.size() - rest_.size();
    const ssize_t got = recv(fd_, buffer.data() + rest_.size(), room, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      shut();
      lost();
      return;
    }
    const std::string_view pending{buffer.data(), rest_.size() + static_cast<std::size_t>(got)};
    const std::size_t used = take(pending);
    if (fd_ >= 0) rest_.assign(pending.substr(used));
    if (static_cast<std::size_t>(got) < room) return;  // drained; the edge will say when there is more
  }
}

}  // namespace chat::bench
