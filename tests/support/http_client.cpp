#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace chat::test {
namespace {

using Steady = std::chrono::steady_clock;

bool wait_for(int socket, short what, Steady::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
  pollfd one{socket, what, 0};
  return ::poll(&one, 1, static_cast<int>(std::max<long>(left, 0))) > 0;
}

[[noreturn]] void no_http(const std::string& line) { throw std::runtime_error("not an HTTP answer: " + line); }

}  // namespace

std::optional<std::string> HttpAnswer::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_name) return value;
  return std::nullopt;
}

HttpClient::HttpClient(std::uint16_t port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const int on = 1;
  if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
}

HttpClient::~HttpClient() {
  if (socket_ >= 0) ::close(socket_);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), held_(std::move(other.held_)) {}

bool HttpClient::try_send(std::string_view bytes) {
  const auto deadline = Steady::now() + kPatience;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EPIPE || errno == ECONNRESET) return false;
    else if (!wait_for(socket_, POLLOUT, deadline)) throw HttpTimeout();
  }
  return true;
}

void HttpClient::send(std::string_view bytes) {
  if (!try_send(bytes)) throw HttpClosed();
}

bool HttpClient::fill(Steady::time_point deadline) {
  if (!wait_for(socket_, POLLIN, deadline)) throw HttpTimeout();
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  held_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string HttpClient::take_line(Steady::time_point deadline) {
  std::size_t end;
  while ((end = held_.find('\n')) == std::string::npos)
    if (!fill(deadline)) throw HttpClosed();
  if (end == 0 || held_[end - 1] != '\r') no_http(held_.substr(0, end));
  std::string line = held_.substr(0, end - 1);
  held_.erase(0, end + 1);
  return line;
}

HttpAnswer HttpClient::read(bool head_only, Wait patience) {
  const auto deadline = Steady::now() + patience;
  HttpAnswer answer;
  const std::string first = take_line(deadline);
  if (first.rfind("HTTP/1.1 ", 0) != 0 || first.size() < 13 || first[12] != ' ') no_http(first);
  std::from_chars(first.data() + 9, first.data() + 12, answer.status);
  for (std::string line = take_line(deadline); !line.empty(); line = take_line(deadline)) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) no_http(line);
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    answer.headers.emplace_back(std::move(name), line.substr(colon + 2));
  }
  const auto length = answer.header("content-length");
  const bool bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
  if (!length && !bodiless) no_http(first + " without Content-Length");
  if (head_only || bodiless) return answer;
  const std::size_t size = std::stoul(*length);
  while (held_.size() < size)
    if (!fill(deadline)) throw HttpClosed();
  answer.body = held_.substr(0, size);
  held_.erase(0, size);
  return answer;
}

HttpAnswer HttpClient::request(std::string_view method, std::string_view path, const HttpHeaders& headers,
                               std::string_view body) {
  std::string text;
  ((text += method) += ' ') += path;
  text += " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : headers) ((text += name) += ": " + value) += "\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  (text += "\r\n") += body;
  send(text);
  return read(method == "HEAD");
}

void HttpClient::end_sending() { ::shutdown(socket_, SHUT_WR); }

void HttpClient::vanish() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(socket_, -1));
}

bool HttpClient::closes(Wait patience) {
  const auto deadline = Steady::now() + patience;
  try {
    while (fill(deadline)) held_.clear();
    return true;
  } catch (const HttpTimeout&) {
    return false;
  }
}

bool HttpClient::hears(Wait patience) { return wait_for(socket_, POLLIN, Steady::now() + patience); }

}  // namespace chat::test
