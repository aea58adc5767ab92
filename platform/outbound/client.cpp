#include "platform/outbound/client.h"

#include <algorithm>
#include <array>

#include "platform/outbound/loop.h"
#include "platform/outbound/target.h"

namespace chat::outbound {
namespace {

struct Words {
  std::string_view word, sentence;
};
// In the order of Outcome.
constexpr std::array<Words, 10> kWords{{
    {"answered", "The server answered."},
    {"invalid_target", "The URL can't be called."},
    {"refused_address", "The URL leads to an address that is not public."},
    {"unresolved", "The host name could not be resolved."},
    {"unreachable", "Nobody accepts connections there."},
    {"tls_failed", "The TLS handshake failed; look at the certificate and its chain."},
    {"timed_out", "No complete answer came in time."},
    {"broken", "The connection ended before a complete answer."},
    {"busy", "Too many calls were waiting."},
    {"stopped", "The call was interrupted and will be made again."},
}};

bool are_lines(const Headers& headers) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return std::ranges::all_of(headers, [&](const auto& header) {
    return header.first.find_first_of(kBreaks) == std::string::npos && header.second.find_first_of(kBreaks) == std::string::npos;
  });
}

}  // namespace

std::string_view word(Outcome outcome) { return kWords[static_cast<std::size_t>(outcome)].word; }
std::string_view explain(Outcome outcome) { return kWords[static_cast<std::size_t>(outcome)].sentence; }

std::string_view Answer::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

bool is_our_fault(const Answer& answer) { return answer.outcome == Outcome::busy || answer.outcome == Outcome::stopped; }

Client::Client(Options options) : loop_(std::make_unique<Loop>(std::move(options))) {}
Client::~Client() = default;

void Client::send(Call call, Done done) {
  Target target = read_target(call.url, loop_->options().allows_http);
  if (target.refusal.empty() && !are_lines(call.headers)) target.refusal = "A header holds a line break.";
  if (!target.refusal.empty()) {
    Answer answer;
    answer.outcome = Outcome::invalid_target;
    answer.detail = target.refusal;
    return loop_->answer(std::move(done), std::move(answer));
  }
  auto errand = std::make_unique<Errand>();
  errand->call = std::move(call);
  errand->done = std::move(done);
  errand->host = target.host;
  loop_->submit(std::move(errand));
}

std::string Client::refuses_url(const std::string& url) const { return read_target(url, loop_->options().allows_http).refusal; }

}  // namespace chat::outbound
