#include "ops/benchmarks/webhooks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cerrno>
#include <iostream>
#include <memory>
#include <vector>

#include "ops/benchmarks/loop.h"
#include "ops/benchmarks/samples.h"
#include "platform/base/clock.h"
#include "platform/base/json.h"

namespace chat::bench {
namespace {

struct Tally {
  std::int64_t received = 0;
  Nanos first = 0, last = 0;
  Samples latency;
};

/// From `"created_at":"…"`, the first of the frame, to now. 0: none.
Nanos age_of(std::string_view body) {
  constexpr std::string_view kName = R"("created_at":")";
  const auto at = body.find(kName);
  if (at == std::string_view::npos) return 0;
  const auto text = body.substr(at + kName.size(), 27);
  const auto created = parse_time(text);
  if (!created) return 0;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(system_clock().now() - *created).count();
}

/// One connection of the sender: requests one after the other, each answered 204.
class Conversation final : public Loop::Watcher {
 public:
  Conversation(Loop& loop, int fd, bool answers, Tally& tally) : loop_(loop), fd_(fd), answers_(answers), tally_(tally) { loop.add(fd, *this); }
  ~Conversation() override { close(); }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void on_ready(std::uint32_t) override {
    while (fd_ >= 0) {
      const auto got = ::recv(fd_, loop_.scratch().data(), loop_.scratch().size(), 0);
      if (got > 0) held_.append(loop_.scratch().data(), static_cast<std::size_t>(got));
      else if (got < 0 && errno == EAGAIN) break;
      else return close();
    }
    if (answers_) answer_all();
    else held_.clear();
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void answer_all() {
    constexpr std::string_view kLength = "Content-Length: ", kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
    for (;;) {
      const auto end = held_.find("\r\n\r\n");
      const auto length_at = held_.find(kLength);
      if (end == std::string::npos || length_at == std::string::npos || length_at > end) return;
      std::size_t length = 0;
      std::from_chars(held_.data() + length_at + kLength.size(), held_.data() + end, length);
      if (held_.size() < end + 4 + length) return;
      const Nanos at = now();
      if (tally_.received++ == 0) tally_.first = at;
      tally_.last = at;
      tally_.latency.add(age_of(std::string_view(held_).substr(end + 4, length)));
      held_.erase(0, end + 4 + length);
      if (::send(fd_, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kAnswer.size())) return close();
    }
  }

  Loop& loop_;
  int fd_;
  const bool answers_;
  Tally& tally_;
  std::string held_;
};

class Port final : public Loop::Watcher {
 public:
  Port(Loop& loop, std::uint16_t port, bool answers, Tally& tally) : loop_(loop), answers_(answers), tally_(tally) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd_, 1'024) != 0)
      throw Failure("cannot listen on port " + std::to_string(port));
    loop.add(fd_, *this);
  }
  ~Port() override { ::close(fd_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void on_ready(std::uint32_t) override {
    for (int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); fd >= 0;
         fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      conversations_.push_back(std::make_unique<Conversation>(loop_, fd, answers_, tally_));
    }
  }

 private:
  Loop& loop_;
  const bool answers_;
  Tally& tally_;
  int fd_ = -1;
  std::vector<std::unique_ptr<Conversation>> conversations_;
};

}  // namespace

void run_webhooks(Flags& flags) {
  const auto port = flags.number("port", 0), count = flags.number("ports", 1), hang = flags.number("hang", 0), expect = flags.number("expect", 0);
  const auto patience = flags.number("patience-s", 60) * kSecond;
  flags.finish();
  Tally tally;
  Loop loop;
  std::vector<std::unique_ptr<Port>> ports;
  for (std::int64_t i = 0; i < count; ++i) ports.push_back(std::make_unique<Port>(loop, static_cast<std::uint16_t>(port + i), i >= hang, tally));
  std::cerr << "ready" << std::endl;
  const Nanos began = now();
  loop.run([&](Nanos at) {
    const bool is_over = tally.received >= expect || at - std::max(began, tally.last) > patience;
    return is_over ? kStop : at + kSecond / 10;
  });
  const double seconds = static_cast<double>(tally.last - tally.first) / 1e9;
  json::Writer out;
  out.object().field("received", tally.received).key("seconds").number(seconds).key("per_second")
      .number(seconds > 0 ? static_cast<double>(tally.received) / seconds : 0).key("latency");
  tally.latency.write(out);
  std::cout << out.end().take() << "\n";
}

}  // namespace chat::bench
