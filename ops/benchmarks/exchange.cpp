#include "ops/benchmarks/exchange.h"

#include <charconv>
#include <cstring>

#include "ops/benchmarks/flags.h"

namespace chat::bench {
namespace {

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "ontent-Length: ";
  constexpr std::string_view kLower = "ontent-length: ";
  auto at = head.find(kName);
  if (at == std::string_view::npos) at = head.find(kLower);
  std::size_t length = 0;
  if (at != std::string_view::npos) std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), length);
  return length;
}

int status_of(std::string_view head) {
  int status = 0;
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

}  // namespace

Exchange::Exchange(Loop& loop, Endpoint endpoint, Answered answered)
    : Connection(loop, std::move(endpoint)), answered_(std::move(answered)) {}

void Exchange::ask(std::string_view request) {
  busy_ = true;
  write(request);
}

std::size_t Exchange::take(std::string_view pending) {
  const auto head_end = pending.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return 0;
  const std::string_view head = pending.substr(0, head_end + 4);
  const std::size_t length = content_length(head);
  if (pending.size() < head.size() + length) return 0;
  const int status = status_of(head);
  if (status == 100) return head.size();
  busy_ = false;
  answered_({status, pending.substr(head.size(), length)});
  return head.size() + length;
}

void Exchange::lost() {
  busy_ = false;
  answered_({});
}

std::string request_text(std::string_view method, std::string_view target, std::string_view headers, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n").append(headers);
  if (!body.empty())
    text.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append("\r\n").append(body);
}

Reply call(const Endpoint& endpoint, std::string_view request) {
  Loop loop;
  Reply reply;
  bool done = false;
  Exchange exchange(loop, endpoint, [&](const Answer& answer) {
    reply = {answer.status, std::string(answer.body)};
    done = true;
  });
  if (!exchange.open()) throw Failure("nobody listens on " + endpoint.host + ":" + std::to_string(endpoint.port));
  exchange.ask(request);
  const Nanos deadline = now() + 10 * kSecond;
  loop.run([&](Nanos at) { return done || at >= deadline ? kStop : deadline; });
  if (!done) throw Failure("no answer within 10 s");
  return reply;
}

}  // namespace chat::bench
